"""The edits of pages that have a bearing on the labels of some of them."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, Dialect

from revision_quality.levels.edit import Edit
from revision_quality.views import bulk
from revision_quality.views.incoming import Key
from revision_quality.views.tables import edit_labels
from revision_quality.wiki.reverts import RADIUS

Page = tuple[str, int]

_PAGE = ("wiki_id", "page_id")

MARGIN = 4 * RADIUS
"""Edits before and after those that changed: a label is told by the RADIUS before it and the
2 * RADIUS after, so it changes with those; of as many more their labels are told right."""

_LOWEST, _HIGHEST = -(2**63), 2**63 - 1


class Around(NamedTuple):
    """The stored edits of a page around some that change: MARGIN before and after.

    `first` and `last` are revisions between which they all are, `end` is the last one of the page.
    """

    first: int
    last: int
    end: int


def read_edits(connection: Connection, keys: Iterable[Key]) -> dict[Key, Edit]:
    """Read edits by their keys."""
    return _by_key(bulk.read(connection, edit_labels, keys))


def read_around(connection: Connection, pages: Mapping[Page, Sequence[int]]) -> dict[Page, Around]:
    """Say of each page that has edits already what is around the given revisions."""
    keys = [(*page, min(rev_ids), max(rev_ids)) for page, rev_ids in sorted(pages.items())]
    found = bulk.rows_for(connection, _around_sql, keys)
    return {
        (wiki_id, page_id): Around(
            _LOWEST if first is None else first, _HIGHEST if last is None else last, end
        )
        for wiki_id, page_id, first, last, end in found
        if end is not None
    }


def read_near(connection: Connection, around: Mapping[Page, Around]) -> dict[Key, Edit]:
    """Read the edits of pages, as far as they are around those that change."""
    keys = [(*page, each.first, each.last) for page, each in sorted(around.items())]
    return _by_key(bulk.rows_for(connection, _near_sql, keys))


def with_text_of(
    connection: Connection, around: Mapping[Page, Around], edits: Iterable[Edit]
) -> set[Page]:
    """Return the pages on which an edit has the text that one around it has, or its parent."""
    keys = [
        (*page, around[page].first, edit.sha1)
        for edit in edits
        if edit.sha1 and (page := (edit.wiki_id, edit.page_id)) in around
    ]
    return {(row[0], row[1]) for row in bulk.rows_for(connection, _same_text_sql, keys)}


def read_pages(connection: Connection, pages: Iterable[Page]) -> dict[Key, Edit]:
    """Read all edits of pages."""
    return _by_key(bulk.read(connection, edit_labels, pages, by=_PAGE))


def by_page(edits: Iterable[Edit], only: Collection[Page] | None = None) -> dict[Page, list[Edit]]:
    """Put edits together by their page, in the order of their revisions; `only` of some pages."""
    pages = defaultdict(list)
    for edit in sorted(edits, key=lambda edit: edit.rev_id):
        page = edit.wiki_id, edit.page_id
        if only is None or page in only:
            pages[page].append(edit)
    return pages


_OF_PAGE = "c.wiki_id = k.k0 AND c.page_id = k.k1"
_EDIT = edit_labels.c


@cache
def _around_sql(dialect: Dialect) -> str:
    def revision(where: str) -> str:
        return f"(SELECT c.rev_id FROM edit_labels AS c WHERE {_OF_PAGE} {where})"  # noqa: S608

    keys = bulk.keys_sql([_EDIT.wiki_id, _EDIT.page_id, _EDIT.rev_id, _EDIT.rev_id], dialect)
    skipped = f"LIMIT 1 OFFSET {MARGIN - 1}"
    first = revision(f"AND c.rev_id < k.k2 ORDER BY c.rev_id DESC {skipped}")
    last = revision(f"AND c.rev_id > k.k3 ORDER BY c.rev_id {skipped}")
    end = revision("ORDER BY c.rev_id DESC LIMIT 1")
    return f"SELECT k.k0, k.k1, {first}, {last}, {end} FROM {keys}"  # noqa: S608


@cache
def _near_sql(dialect: Dialect) -> str:
    keys = bulk.keys_sql([_EDIT.wiki_id, _EDIT.page_id, _EDIT.rev_id, _EDIT.rev_id], dialect)
    names = ", ".join(f"c.{column.name}" for column in edit_labels.columns)
    select, join = bulk.joined(dialect)
    return (
        f"{select} {names} FROM {keys} {join} edit_labels AS c"
        f" ON {_OF_PAGE} AND c.rev_id BETWEEN k.k2 AND k.k3"
    )


@cache
def _same_text_sql(dialect: Dialect) -> str:
    keys = bulk.keys_sql([_EDIT.wiki_id, _EDIT.page_id, _EDIT.rev_id, _EDIT.sha1], dialect)
    select, join = bulk.joined(dialect)
    return (
        f"{select} k.k0, k.k1 FROM {keys} {join} edit_labels AS c"
        f" ON {_OF_PAGE} AND c.rev_id >= k.k2 AND (c.sha1 = k.k3 OR c.parent_sha1 = k.k3)"
    )


def _by_key(rows: Sequence[bulk.Values]) -> dict[Key, Edit]:
    # Not strict, because MariaDB and SQLite have numbers for booleans.
    edits = msgspec.convert(rows, list[Edit], strict=False)
    return {(edit.wiki_id, edit.rev_id): edit for edit in edits}
