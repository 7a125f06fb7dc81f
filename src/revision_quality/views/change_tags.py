"""The edits of each tag by time, of one wiki and of all of them, kept in step with the rows.

An edit has two entries for each tag: under the tag's number of its wiki, and of EVERY_WIKI.
"""

from collections.abc import Iterable, Mapping
from typing import Protocol

from sqlalchemy import Connection, bindparam, delete, insert

from revision_quality.views.change import Change
from revision_quality.views.facets import EVERY_WIKI
from revision_quality.views.incoming import Key
from revision_quality.views.name_key import name_key
from revision_quality.views.tables import change_tags

Entry = tuple[int, int, int, str]
"""A row of the table, its columns in order."""

_COLUMNS = tuple(change_tags.columns)


class TaggedEdit(Protocol):
    """What of an edit is in its entries."""

    @property
    def wiki_id(self) -> str: ...  # noqa: D102
    @property
    def rev_id(self) -> int: ...  # noqa: D102
    @property
    def timestamp(self) -> int: ...  # noqa: D102


def entries_of(edit: TaggedEdit, tags: Iterable[str]) -> set[Entry]:
    """Return the entries of an edit with some tags."""
    return {
        (name_key(of, tag), edit.timestamp, edit.rev_id, edit.wiki_id)
        for tag in tags
        for of in (edit.wiki_id, EVERY_WIKI)
    }


def keep_in_step(
    connection: Connection, changed: Iterable[Change], old: Mapping[Key, Change]
) -> None:
    """Bring the entries from those of `old` to those of the rows that are written in its place."""
    added: set[Entry] = set()
    gone: set[Entry] = set()
    for change in changed:
        before = old.get((change.wiki_id, change.rev_id))
        if change.tags or (before and before.tags):
            now = _found_by(change)
            then = _found_by(before) if before else set()
            added |= now - then
            gone |= then - now
    remove(connection, gone)
    add(connection, added)


def add(connection: Connection, entries: Iterable[Entry]) -> None:
    """Write entries that are not there."""
    names = [column.name for column in _COLUMNS]
    rows = [dict(zip(names, entry, strict=True)) for entry in sorted(entries)]
    if rows:
        connection.execute(insert(change_tags), rows)


def remove(connection: Connection, entries: Iterable[Entry]) -> None:
    """Delete entries."""
    names = [f"its_{column.name}" for column in _COLUMNS]
    rows = [dict(zip(names, entry, strict=True)) for entry in sorted(entries)]
    same = (column == bindparam(name) for column, name in zip(_COLUMNS, names, strict=True))
    if rows:
        connection.execute(delete(change_tags).where(*same), rows)


def _found_by(change: Change) -> set[Entry]:
    """Return the entries of a change, none of a deleted one, which no filter finds."""
    return set() if change.deleted else entries_of(change, change.tags)
