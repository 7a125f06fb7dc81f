"""Edits at the end of their page that change nothing for those before: most edits do not.

Such a page need not be read. An edit bears on those before it where it has a text that was there
before, or where the wiki says that it reverts or was reverted; and those after it bear on it.
"""

from collections.abc import Collection, Mapping, Sequence
from functools import cache
from typing import NamedTuple

from sqlalchemy import Connection, Dialect

from revision_quality.levels.edit import Edit, Page
from revision_quality.levels.page_rows import OF_PAGE, by_page, revision_sql
from revision_quality.views import bulk
from revision_quality.views.incoming import Key
from revision_quality.views.tables import edit_labels
from revision_quality.wiki.reverts import RADIUS

_BEFORE = 2 * RADIUS + 1
"""An edit may undo the RADIUS before it, or bring back one that was undone since as long before."""


def read_ends(
    connection: Connection, pages: Mapping[Page, Sequence[Edit]], stored: Collection[Key]
) -> dict[Page, list[Edit]]:
    """Return the pages whose edits that change are new, at the end, and change no other.

    `pages` has those that change in the order of their revisions. Each page comes with the edits by
    which they are labelled: themselves behind the last one before, where there is one, of which
    no more is told than that it is there. `stored` are the keys of the edits that were before.
    """
    new = {
        page: edits
        for page, edits in pages.items()
        if all(_is_plain(edit) and edit.key not in stored for edit in edits)
    }
    ends = _read_ends(connection, new)
    found: dict[Page, list[Edit]] = {}
    for page, edits in new.items():
        if (end := ends.get(page)) is None:
            found[page] = list(edits)
        elif end.rev_id < edits[0].rev_id and _follow(end.rev_id, edits):
            last = Edit(wiki_id=page[0], rev_id=end.rev_id, page_id=page[1], is_known=True)
            found[page] = [last, *edits]
    for page in _bearing_on_others(connection, ends, new, found.keys() & ends.keys()):
        del found[page]
    return found


class _End(NamedTuple):
    """The last stored revision of a page, and the first of the last `_BEFORE`, None of fewer."""

    rev_id: int
    first: int | None


def _read_ends(connection: Connection, pages: Collection[Page]) -> dict[Page, _End]:
    found = bulk.rows_for(connection, _ends_sql, sorted(pages))
    return {(row[0], row[1]): _End(row[2], row[3]) for row in found if row[2] is not None}


def _bearing_on_others(
    connection: Connection,
    ends: Mapping[Page, _End],
    new: Mapping[Page, Sequence[Edit]],
    pages: Collection[Page],
) -> set[Page]:
    """Return the pages on which a new edit has a text that was there, or the last is not plain."""
    keys = [
        (*page, ends[page].first or 0, edit.sha1, ends[page].rev_id)
        for page in sorted(pages)
        for edit in new[page]
    ]
    return {(row[0], row[1]) for row in bulk.rows_for(connection, _bearing_sql, keys)}


def _is_plain(edit: Edit) -> bool:
    return (
        edit.is_known
        and not edit.text_hidden
        and not edit.undone_first
        and not edit.is_tagged_reverting
    )


def _follow(end: int, edits: Sequence[Edit]) -> bool:
    """Tell whether no text but those of the last one and `edits` is what the edits began with."""
    there = {end, *(edit.rev_id for edit in edits)}
    return all(edit.parent_sha1 is None or edit.parent_id in there for edit in edits)


_EDIT = edit_labels.c


@cache
def _ends_sql(dialect: Dialect) -> str:
    keys = bulk.keys_sql([_EDIT.wiki_id, _EDIT.page_id], dialect)
    end = revision_sql("ORDER BY c.rev_id DESC LIMIT 1", dialect)
    first = revision_sql(f"ORDER BY c.rev_id DESC LIMIT 1 OFFSET {_BEFORE - 1}", dialect)
    return f"SELECT k.k0, k.k1, {end}, {first} FROM {keys}"  # noqa: S608, names are ours


@cache
def _bearing_sql(dialect: Dialect) -> str:
    columns = [_EDIT.wiki_id, _EDIT.page_id, _EDIT.rev_id, _EDIT.sha1, _EDIT.rev_id]
    keys = bulk.keys_sql(columns, dialect)
    select, join = bulk.joined(dialect)
    # The index has the texts; the row itself is looked at for the last one alone.
    is_not_plain = "c.rev_id = k.k4 AND (NOT c.is_known OR c.text_hidden)"
    return (
        f"{select} k.k0, k.k1 FROM {keys} {join} {by_page(dialect)} ON {OF_PAGE}"
        f" AND c.rev_id >= k.k2 AND (c.sha1 = k.k3 OR c.parent_sha1 = k.k3 OR ({is_not_plain}))"
    )
