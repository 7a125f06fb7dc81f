"""Where the edits of a page come from: those of each number of facets, which an index has by time.

There are some thousands of numbers of which a filter takes some (`change_facets`). The newest edit
of each number tells which numbers a page can have rows of, and the rows of some of those tell from
what *rank* on (`ranking`) there are enough of them. Its cost grows with the numbers and the rows of
a page, not with the edits.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, case, select

from revision_quality.recent_changes.depths import Place, newest_times
from revision_quality.recent_changes.facet_predicate import grade_in, is_of_grades, to_facets
from revision_quality.recent_changes.filters import Filters
from revision_quality.recent_changes.index import forced, name_of
from revision_quality.recent_changes.query import earliest_of, possible_in, sure_in
from revision_quality.recent_changes.ranking import GRADES, shift
from revision_quality.recent_changes.wiki_levels import WikiLevels
from revision_quality.views.facets import EVERY_WIKI, GRADE
from revision_quality.views.tables import change_facets, changes

MARIADB = ("mysql", "mariadb")

_GROUPS_AT_ONCE = 500
"""A list of 1,000 becomes a table to MariaDB (in_predicate_conversion_threshold), and it no longer
jumps."""

_FEW = 8
"""Sources whose rows are looked at first: of those with the newest edits, the one with the most is
likely among them."""


class Source(Struct, frozen=True):
    """Edits of the same facets, of one wiki or (EVERY_WIKI) of all.

    `newest` is the time of the newest one that a page may have, `is_sure` says that it has it and
    that all of them match. Their ranks are their times, `moved` by so many seconds.
    """

    wiki_id: str
    facets: int
    is_sure: bool
    newest: int
    moved: int

    @property
    def rank(self) -> int:
        """The greatest rank that the page may have of it."""
        return self.newest + self.moved


def sources_of(
    connection: Connection,
    filters: Filters,
    levels: WikiLevels,
    *,
    now: float,
    grades: Sequence[int] = GRADES,
    least: int = 0,
) -> list[Source]:
    """Return the sources that have a row in the time asked for and may have one that matches.

    Those of some grades of the score with a rank of at least `least`. `now` is the time from which
    `filters.days` counts, in Unix seconds.
    """
    known = change_facets.c
    earliest = earliest_of(filters, now)
    grades = [grade for grade in grades if _reaches(filters, grade, earliest)]
    if not grades:
        return []
    sure = to_facets(sure_in(filters, levels), surely=True)
    possible = to_facets(possible_in(filters, levels), surely=False) & is_of_grades(grades)
    if not filters.wikis:
        possible &= known.wiki_id == EVERY_WIKI
    statement = select(known.wiki_id, known.facets, sure.label("is_sure")).where(possible)
    if connection.dialect.name in MARIADB:
        taken = connection.execute(statement).all()
        pairs = [(wiki_id, facets) for wiki_id, facets, _ in taken]
        times = _newest_by_jumping(connection, pairs, filters, earliest, least)
    else:
        newest = _newest_of_each(filters, earliest, grades)
        taken = connection.execute(statement.add_columns(newest.label("newest"))).all()
        times = {(row.wiki_id, row.facets): row.newest for row in taken}
    found = []
    for wiki_id, facets, is_sure, *_ in taken:
        time = times.get((wiki_id, facets))
        if time is None:
            continue
        moved = _moved(filters, facets)
        if time + moved >= least:
            until = latest_of(filters, moved)
            # Of the cursor's own second, the newest may be on the page before.
            sure_of = bool(is_sure) and (until is None or time < until)
            found.append(Source(wiki_id, facets, sure_of, time, moved))
    return found


def latest_of(filters: Filters, moved: int) -> int | None:
    """Return the time of the cursor for edits that are moved so, None without one.

    Of the edits of this very second some are not on the page.
    """
    return filters.before.timestamp - moved if filters.before else None


def enough_since(
    connection: Connection, sources: Sequence[Source], filters: Filters, *, now: float
) -> int:
    """Return a rank since which the sources have a page of rows, 0 if there are too few."""
    sure = [source for source in sources if source.is_sure]
    sure = sorted(sure, key=lambda source: source.rank, reverse=True)[: filters.limit]
    earliest = earliest_of(filters, now)
    ranks: list[int] = []
    for some, others in ((sure[:_FEW], sure[_FEW:]), (sure[_FEW:], [])):
        places = [
            Place(s.wiki_id, s.facets, earliest, latest_of(filters, s.moved), s.moved) for s in some
        ]
        ranks += newest_times(connection, places, filters.limit)
        known = sorted([*ranks, *(source.rank for source in others)], reverse=True)
        if len(known) >= filters.limit:
            return known[filters.limit - 1]
    return 0


def _reaches(filters: Filters, grade: int, earliest: int) -> bool:
    latest = latest_of(filters, shift(filters.order, grade))
    return latest is None or latest >= earliest


def _moved(filters: Filters, facets: int) -> int:
    return shift(filters.order, facets >> GRADE.shift & (GRADE.mask or 0))


def _newest_of_each(filters: Filters, earliest: int, grades: Sequence[int]) -> Any:
    """Return the time of the newest edit of a row of `change_facets`, as a subquery."""
    newest = select(changes.c.timestamp).where(changes.c.facets == change_facets.c.facets)
    newest = newest.where(changes.c.timestamp >= earliest) if earliest else newest
    if filters.before:
        newest = newest.where(changes.c.timestamp <= _latest_of_each(filters, grades))
    if filters.wikis:
        newest = newest.where(changes.c.wiki_id == change_facets.c.wiki_id)
    index = name_of(bool(filters.wikis), of_facets=True)
    newest = newest.with_hint(changes, f"INDEXED BY {index}", "sqlite")
    newest = newest.order_by(changes.c.timestamp.desc()).limit(1)
    return newest.correlate(change_facets).scalar_subquery()


def _latest_of_each(filters: Filters, grades: Sequence[int]) -> ColumnElement[int] | int | None:
    latest = {grade: latest_of(filters, shift(filters.order, grade)) for grade in grades}
    if len({*latest.values()}) == 1:
        return latest[grades[0]]
    return case(latest, value=grade_in())


def _newest_by_jumping(
    connection: Connection,
    taken: Sequence[tuple[str, int]],
    filters: Filters,
    earliest: int,
    least: int,
) -> dict[tuple[str, int], int]:
    """Return the time of the newest edit of each, as MariaDB finds it by jumping in the index.

    It does so in an aggregate of a list of numbers, grouped by all that is before the time in the
    index, not in subqueries that refer to a row. All lists go in one statement by hand,
    for which SQLAlchemy takes longer.
    """
    lists: defaultdict[tuple[str, int, int | None], list[int]] = defaultdict(list)
    for wiki_id, facets in taken:
        moved = _moved(filters, facets)
        since = max(earliest, least - moved) if least else earliest
        lists[wiki_id, since, latest_of(filters, moved)].append(facets)
    parts: list[str] = []
    wikis: list[str] = []
    values: list[str] = []
    for (wiki_id, since, latest), numbers in lists.items():
        for start in range(0, len(numbers), _GROUPS_AT_ONCE):
            some = ",".join(map(str, numbers[start : start + _GROUPS_AT_ONCE]))
            where = f"{'wiki_id = %s AND ' if wiki_id else ''}facets IN ({some})"
            where += f" AND timestamp >= {since}" if since else ""
            where += "" if latest is None else f" AND timestamp <= {latest}"
            hint = forced("mariadb", bool(wiki_id), of_facets=True)
            parts.append(
                f"SELECT {len(wikis)}, facets, MAX(timestamp) FROM changes {hint}"  # noqa: S608, numbers and marks
                f" WHERE {where} GROUP BY {'wiki_id, ' if wiki_id else ''}facets"
            )
            wikis.append(wiki_id)
            values += [wiki_id] if wiki_id else []
    if not parts:
        return {}
    rows = connection.exec_driver_sql(" UNION ALL ".join(parts), tuple(values))
    return {(wikis[place], facets): time for place, facets, time in rows}
