"""The edits of each tag by time, of one wiki and of all of them, kept in step with the rows.

An edit has two entries for each tag: under the tag's number of its wiki, and of EVERY_WIKI.
"""

from collections.abc import Iterable, Mapping
from typing import Protocol

from sqlalchemy import Connection, bindparam, delete

from revision_quality.views import bulk
from revision_quality.views.change import Change
from revision_quality.views.facets import EVERY_WIKI, facets_of
from revision_quality.views.incoming import Key
from revision_quality.views.name_key import name_key
from revision_quality.views.tables import change_tags

Place = tuple[int, int, int, str]
"""The primary key of a row of the table."""

Entry = tuple[int, int, int, str, int | None]
"""A row of the table, its columns in order."""

_KEY = tuple(change_tags.primary_key)


class TaggedEdit(Protocol):
    """What of an edit is in its entries."""

    @property
    def wiki_id(self) -> str: ...  # noqa: D102
    @property
    def rev_id(self) -> int: ...  # noqa: D102
    @property
    def timestamp(self) -> int: ...  # noqa: D102


def places_of(edit: TaggedEdit, tags: Iterable[str]) -> set[Place]:
    """Return the places of an edit with some tags."""
    return {
        (name_key(of, tag), edit.timestamp, edit.rev_id, edit.wiki_id)
        for tag in tags
        for of in (edit.wiki_id, EVERY_WIKI)
    }


def entries_of(change: Change) -> set[Entry]:
    """Return the entries of a change, none of a deleted one, which no filter finds."""
    if change.deleted or not change.tags:
        return set()
    facets = facets_of(change)
    return {(*place, facets) for place in places_of(change, change.tags)}


def keep_in_step(
    connection: Connection, changed: Iterable[Change], old: Mapping[Key, Change]
) -> None:
    """Bring the entries from those of `old` to those of the rows that are written in its place."""
    written: set[Entry] = set()
    gone: set[Place] = set()
    for change in changed:
        before = old.get((change.wiki_id, change.rev_id))
        now = entries_of(change)
        then = entries_of(before) if before else set()
        written |= now - then
        gone |= {entry[:-1] for entry in then} - {entry[:-1] for entry in now}
    remove(connection, gone)
    bulk.write(connection, change_tags, sorted(written))


def remove(connection: Connection, places: Iterable[Place]) -> None:
    """Delete entries."""
    names = [f"its_{column.name}" for column in _KEY]
    rows = [dict(zip(names, place, strict=True)) for place in sorted(places)]
    same = (column == bindparam(name) for column, name in zip(_KEY, names, strict=True))
    if rows:
        connection.execute(delete(change_tags).where(*same), rows)
