"""Labelled edits: revisions with what became of them."""

import lzma
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import IO

import msgspec
from msgspec import Struct

from revision_quality.errors import ModelError
from revision_quality.wiki.revision import Page, Parent, Revision, User

SUFFIXES = (".jsonl.xz", ".jsonl")


class LabelledEdit(Struct, frozen=True):
    """A revision, whether it was reverted (`label`, 0 or 1) and its weight at the natural rate."""

    revision: Revision
    label: int
    weight: float


class _Row(Struct):
    wiki_id: str
    rev_id: int | None
    parent_id: int | None
    page_title: str
    timestamp: datetime
    text: str
    parent_text: str
    label: int
    namespace: int = 0
    parent_timestamp: datetime | None = None
    page_created: datetime | None = None
    comment: str | None = ""
    user: str | None = None
    parent_user: str | None = None
    user_is_anon: bool = False
    user_prior_edits: int | None = None
    user_first_seen: datetime | None = None
    sample_weight: float = 1.0


def _edit(row: _Row) -> LabelledEdit:
    anonymous = row.user_is_anon
    user = User(
        user_text=row.user,
        user_id=0 if anonymous else None,
        edit_count=None if anonymous else row.user_prior_edits,
        registration_dt=None if anonymous else row.user_first_seen,
    )
    parent = Parent(
        text=row.parent_text,
        rev_id=row.parent_id,
        rev_dt=row.parent_timestamp,
        user_text=row.parent_user,
    )
    revision = Revision(
        wiki_id=row.wiki_id,
        rev_id=row.rev_id,
        rev_dt=row.timestamp,
        page=Page(title=row.page_title, namespace_id=row.namespace, first_edit_dt=row.page_created),
        parent=parent,
        user=user,
        text=row.text,
        comment=row.comment,
    )
    return LabelledEdit(revision, row.label, row.sample_weight)


def _open(path: Path) -> IO[bytes]:
    return lzma.open(path, "rb") if path.suffix == ".xz" else path.open("rb")


def read_labelled_edits(path: Path) -> Iterator[LabelledEdit]:
    """Read the labelled edits of one file, JSON Lines, plain or in xz; memory stays constant.

    Addresses and temporary accounts get no edit count: MediaWiki's API has none for them.
    Raises ModelError for a line that is no labelled edit or a file that cannot be read.
    """
    decoder = msgspec.json.Decoder(_Row)
    try:
        with _open(path) as lines:
            for number, line in enumerate(lines, 1):
                try:
                    yield _edit(decoder.decode(line))
                except msgspec.MsgspecError as error:
                    raise ModelError(
                        f"{path.name}, line {number}: not a labelled edit ({error}); see"
                        " docs/model.md for the fields."
                    ) from error
    except (OSError, lzma.LZMAError, EOFError) as error:
        raise ModelError(f"{path}: cannot be read ({error}).") from error
