"""The edits of pages that have a bearing on the labels of some of them."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache

import msgspec
from sqlalchemy import Connection, Dialect

from revision_quality.levels.edit import Edit, Page
from revision_quality.views import bulk
from revision_quality.views.incoming import Key
from revision_quality.views.tables import edit_labels
from revision_quality.wiki.reverts import RADIUS

_PAGE = ("wiki_id", "page_id")

BEFORE, AFTER = 2 * RADIUS, RADIUS
"""Edits before and after one that changes, whose labels may change with it: those that it undoes,
or that come back with it; and those of whose revert it makes the way longer."""

MARGIN = 3 * RADIUS + 1
"""Edits that tell those labels: RADIUS before each, 2 * RADIUS after."""

_LOWEST, _HIGHEST = -(2**63), 2**63 - 1


def read_edits(connection: Connection, keys: Iterable[Key]) -> dict[Key, Edit]:
    """Read edits by their keys."""
    return _by_key(bulk.read(connection, edit_labels, keys))


def read_around(connection: Connection, pages: Mapping[Page, Sequence[Edit]]) -> dict[Key, Edit]:
    """Read the edits of pages that are MARGIN before and after some, in their order, or between."""
    spans = [(*page, edits[0].rev_id, edits[-1].rev_id) for page, edits in sorted(pages.items())]
    found = bulk.rows_for(connection, _around_sql, spans)
    keys = [
        (
            wiki_id,
            page_id,
            _LOWEST if first is None else first,
            _HIGHEST if last is None else last,
        )
        for wiki_id, page_id, first, last in found
    ]
    return _by_key(bulk.rows_for(connection, _near_sql, keys))


def read_pages(connection: Connection, pages: Iterable[Page]) -> dict[Key, Edit]:
    """Read all edits of pages."""
    return _by_key(bulk.read(connection, edit_labels, pages, by=_PAGE))


OF_PAGE = "c.wiki_id = k.k0 AND c.page_id = k.k1"
_EDIT = edit_labels.c


def by_page(dialect: Dialect) -> str:
    """Return the table of edits as `c`, looked up by page."""
    return bulk.looked_up(edit_labels, _PAGE, dialect)


def revision_sql(where: str, dialect: Dialect) -> str:
    """Return the subquery of a revision of the page of a key (`views.bulk.keys_sql`)."""
    return f"(SELECT c.rev_id FROM {by_page(dialect)} WHERE {OF_PAGE} {where})"  # noqa: S608


@cache
def _around_sql(dialect: Dialect) -> str:
    keys = bulk.keys_sql([_EDIT.wiki_id, _EDIT.page_id, _EDIT.rev_id, _EDIT.rev_id], dialect)
    skipped = f"LIMIT 1 OFFSET {MARGIN - 1}"
    first = revision_sql(f"AND c.rev_id < k.k2 ORDER BY c.rev_id DESC {skipped}", dialect)
    last = revision_sql(f"AND c.rev_id > k.k3 ORDER BY c.rev_id {skipped}", dialect)
    return f"SELECT k.k0, k.k1, {first}, {last} FROM {keys}"  # noqa: S608


@cache
def _near_sql(dialect: Dialect) -> str:
    keys = bulk.keys_sql([_EDIT.wiki_id, _EDIT.page_id, _EDIT.rev_id, _EDIT.rev_id], dialect)
    names = ", ".join(f"c.{column.name}" for column in edit_labels.columns)
    select, join = bulk.joined(dialect)
    return (
        f"{select} {names} FROM {keys} {join} {by_page(dialect)}"
        f" ON {OF_PAGE} AND c.rev_id BETWEEN k.k2 AND k.k3"
    )


def _by_key(rows: Sequence[bulk.Values]) -> dict[Key, Edit]:
    # Not strict, because MariaDB and SQLite have numbers for booleans.
    edits = msgspec.convert(rows, list[Edit], strict=False)
    return {edit.key: edit for edit in edits}
