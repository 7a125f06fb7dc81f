"""Labelled edits into a file that `revq train` reads."""

import lzma
from collections.abc import Iterable
from pathlib import Path

import msgspec

from revision_quality.errors import ModelError
from revision_quality.training.labelled import LabelledEdit

_XZ_PRESET = 3
"""Packs in 32 MB of memory, the default in 94 MB: xz(1)."""


def write_labelled_edits(path: Path, edits: Iterable[LabelledEdit]) -> int:
    """Write edits as JSON Lines, in xz where `path` ends so; returns how many.

    `labelled.read_labelled_edits` gives them back. The file is there only when it is whole. Raises
    ModelError if it cannot be written.
    """
    encoder = msgspec.json.Encoder()
    unfinished = path.with_name(path.name + ".part")
    count = 0
    try:
        with (
            lzma.open(unfinished, "wb", preset=_XZ_PRESET)
            if path.suffix == ".xz"
            else unfinished.open("wb") as file
        ):
            for edit in edits:
                file.write(encoder.encode(_row(edit)) + b"\n")
                count += 1
        unfinished.replace(path)
    except OSError as error:
        raise ModelError(f"{path}: cannot be written ({error.strerror}).") from error
    finally:
        unfinished.unlink(missing_ok=True)
    return count


def _row(edit: LabelledEdit) -> dict[str, object]:
    revision = edit.revision
    return {
        "wiki_id": revision.wiki_id,
        "rev_id": revision.rev_id,
        "parent_id": revision.parent.rev_id,
        "page_title": revision.page.title,
        "namespace": revision.page.namespace_id,
        "timestamp": revision.rev_dt,
        "parent_timestamp": revision.parent.rev_dt,
        "page_created": revision.page.first_edit_dt,
        "comment": revision.comment,
        "user": revision.user.user_text,
        "user_is_anon": revision.user.is_anonymous,
        "user_prior_edits": revision.user.edit_count,
        "user_first_seen": revision.user.registration_dt,
        "parent_user": revision.parent.user_text,
        "label": edit.label,
        "sample_weight": edit.weight,
        "parent_text": revision.parent.text,
        "text": revision.text,
    }
