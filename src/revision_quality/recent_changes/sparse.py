"""Edits that are few among many, looked up under each number of facets that a filter takes.

There are some thousands of numbers of which a filter takes some (`change_facets`), and an index
has the edits of each by time. The newest edit of each number tells which numbers a page can have
rows of, and the rows of those tell from what time on they are enough; from there on, the index is
read. Its cost grows with the numbers and the rows of a page, not with the edits.
"""

import math
from collections.abc import Sequence
from typing import Any

from msgspec import Struct
from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    Select,
    func,
    select,
)

from revision_quality.recent_changes.depths import times_behind
from revision_quality.recent_changes.facet_predicate import is_of_grades, to_facets
from revision_quality.recent_changes.filters import Filters
from revision_quality.recent_changes.query import (
    by_index,
    matching,
    possible_in,
    sure_in,
    times_of,
)
from revision_quality.recent_changes.wiki_levels import WikiLevels
from revision_quality.views.facets import EVERY_WIKI
from revision_quality.views.tables import change_facets, changes

_MARIADB = ("mysql", "mariadb")

_GROUPS_AT_ONCE = 500
"""A list of 1,000 becomes a table to MariaDB (in_predicate_conversion_threshold), and it no longer
jumps."""


class Source(Struct, frozen=True):
    """Edits of the same facets, of one wiki or (EVERY_WIKI) of all.

    `newest` is the time of the newest one that a page may have, `is_sure` says that it has it and
    that all of them match.
    """

    wiki_id: str
    facets: int
    is_sure: bool
    newest: int


def sparse_changes(
    connection: Connection, filters: Filters, levels: WikiLevels, *, now: float
) -> Sequence[RowMapping]:
    """Return a page of changes, newest first, at most `filters.limit` rows.

    `now` is the time from which `filters.days` counts, in Unix seconds.
    """
    sources = sources_of(connection, filters, levels, now)
    since = enough_since(connection, sources, filters)
    sources = [source for source in sources if source.newest >= since]
    if not sources:
        return []
    page = page_of(sources, matching(filters, levels, now=now, since=since))
    return connection.execute(page.limit(filters.limit)).mappings().all()


def sources_of(
    connection: Connection,
    filters: Filters,
    levels: WikiLevels,
    now: float,
    *,
    grades: Sequence[int] | None = None,
) -> list[Source]:
    """Return the sources that have a row in the time asked for and may have one that matches.

    Those of some grades of the score, where they are given.
    """
    known = change_facets.c
    times = times_of(filters, now)
    # Of the cursor's own second, the newest may be on the page before.
    end = filters.before.timestamp if filters.before else math.inf
    sure = to_facets(sure_in(filters, levels), surely=True)
    possible = to_facets(possible_in(filters, levels), surely=False)
    if not filters.wikis:
        possible &= known.wiki_id == EVERY_WIKI
    if grades is not None:
        possible &= is_of_grades(grades)
    statement = select(known.wiki_id, known.facets, sure.label("is_sure")).where(possible)
    if connection.dialect.name in _MARIADB:
        taken = connection.execute(statement).all()
        by_group = _newest_by_group(connection, taken, times, bool(filters.wikis))
        times_of_each = [by_group.get((row.wiki_id, row.facets)) for row in taken]
    else:
        newest_of = _newest_of_each(times, bool(filters.wikis))
        taken = connection.execute(statement.add_columns(newest_of.label("newest"))).all()
        times_of_each = [row.newest for row in taken]
    return [
        Source(row.wiki_id, row.facets, bool(row.is_sure) and newest < end, newest)
        for row, newest in zip(taken, times_of_each, strict=True)
        if newest is not None
    ]


def _newest_of_each(times: ColumnElement[bool], by_wiki: bool) -> Any:
    newest = select(changes.c.timestamp).where(changes.c.facets == change_facets.c.facets, times)
    if by_wiki:
        newest = newest.where(changes.c.wiki_id == change_facets.c.wiki_id)
    index = "changes_wiki_facets" if by_wiki else "changes_facets"
    newest = newest.with_hint(changes, f"INDEXED BY {index}", "sqlite")
    newest = newest.order_by(changes.c.timestamp.desc()).limit(1)
    return newest.correlate(change_facets).scalar_subquery()


def _newest_by_group(
    connection: Connection, taken: Sequence[Any], times: ColumnElement[bool], by_wiki: bool
) -> dict[tuple[str, int], int]:
    """Return what MariaDB reads by jumping from group to group: its subqueries would not."""
    columns = changes.c
    facets = sorted({row.facets for row in taken})
    key: list[Any] = [columns.facets]
    groups: Select[Any] = select(columns.facets, func.max(columns.timestamp)).where(times)
    if by_wiki:
        key.insert(0, columns.wiki_id)
        groups = groups.add_columns(columns.wiki_id)
        groups = groups.where(columns.wiki_id.in_({row.wiki_id for row in taken}))
    groups = groups.group_by(*key)
    found: dict[tuple[str, int], int] = {}
    for start in range(0, len(facets), _GROUPS_AT_ONCE):
        some = columns.facets.in_(facets[start : start + _GROUPS_AT_ONCE])
        for number, time, *wiki_id in connection.execute(groups.where(some)):
            found[wiki_id[0] if wiki_id else EVERY_WIKI, number] = time
    return found


def enough_since(connection: Connection, sources: Sequence[Source], filters: Filters) -> int:
    """Return the latest known time since when the sources have a page of rows, else 0."""
    sure = (source for source in sources if source.is_sure)
    newest = sorted(sure, key=lambda source: source.newest, reverse=True)[: filters.limit]
    times = [newest[-1].newest] if len(newest) == filters.limit else []
    places = [(source.wiki_id, source.facets) for source in newest]
    times += times_behind(connection, places, filters.limit - 1, filters.before)
    return max(times, default=0)


def page_of(sources: Sequence[Source], condition: ColumnElement[bool]) -> Select[Any]:
    """Return the statement for the rows of some sources that meet a condition, newest first."""
    columns = changes.c
    wikis = sorted({source.wiki_id for source in sources} - {EVERY_WIKI})
    facets = sorted({source.facets for source in sources})
    statement = select(changes).where(columns.facets.in_(facets), condition)
    if wikis:
        statement = statement.where(columns.wiki_id.in_(wikis))
    index = "changes_wiki_facets" if wikis else "changes_facets"
    statement = by_index(statement, index).with_hint(changes, f"INDEXED BY {index}", "sqlite")
    # Not the plain time, which would tempt a server to walk through the index of all edits.
    order = (columns.timestamp + 0, columns.rev_id, columns.wiki_id)
    return statement.order_by(*(column.desc() for column in order))
