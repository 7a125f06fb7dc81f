"""A page in an order by risk, in bounded time, as `sparse` reads one in the order of time.

The newest edit of each number of facets tells the greatest rank that it has; those of the greatest
ranks tell from what rank on there are enough. From there on each grade is read by time. The grades
whose edits may come first are looked at first, and often are enough.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from msgspec.structs import replace
from sqlalchemy import Connection, RowMapping, func, select

from revision_quality.recent_changes.cursor import Cursor
from revision_quality.recent_changes.depths import times_behind
from revision_quality.recent_changes.filters import Filters
from revision_quality.recent_changes.query import matching
from revision_quality.recent_changes.ranking import GRADES, shift
from revision_quality.recent_changes.sparse import Source, page_of, sources_of
from revision_quality.recent_changes.wiki_levels import WikiLevels
from revision_quality.views.facets import GRADE
from revision_quality.views.tables import changes

_Sources = Mapping[int, list[Source]]
_Ranked = tuple[tuple[int, int, str], RowMapping]

_PARTS = (GRADES[-7:], GRADES[:-7])
"""Grades by the rank that their edits may have, the greatest first: scores from 0.8 on, others."""


def queued_changes(
    connection: Connection, filters: Filters, levels: WikiLevels, *, now: float
) -> list[RowMapping]:
    """Return a page of changes in the order `filters.order`, at most `filters.limit` rows."""
    newest = connection.execute(select(func.max(changes.c.timestamp))).scalar() or 0
    found: list[_Ranked] = []
    for grades in _PARTS:
        least = found[-1][0][0] if len(found) == filters.limit else 0
        if newest + shift(filters.order, grades[-1]) < least:
            break
        by_grade = _sources(connection, filters, levels, now, grades)
        least = max(least, _enough_since(connection, filters, by_grade))
        for grade, sources in by_grade.items():
            moved = shift(filters.order, grade)
            wanted = [source for source in sources if source.newest + moved >= least]
            if not wanted:
                continue
            of_grade = _of_grade(filters, grade)
            condition = matching(of_grade, levels, now=now, since=max(least - moved, 1))
            rows = connection.execute(page_of(wanted, condition).limit(filters.limit)).mappings()
            found += [((r["timestamp"] + moved, r["rev_id"], r["wiki_id"]), r) for r in rows]
        found.sort(key=lambda pair: pair[0], reverse=True)
        del found[filters.limit :]
    return [row for _, row in found]


def _sources(
    connection: Connection,
    filters: Filters,
    levels: WikiLevels,
    now: float,
    grades: Sequence[int],
) -> _Sources:
    """Return the sources of some grades, by these."""
    by_grade: defaultdict[int, list[Source]] = defaultdict(list)
    if filters.before is None:
        for source in sources_of(connection, filters, levels, now, grades=grades):
            by_grade[_grade(source)].append(source)
        return by_grade
    for grade in grades:
        # Behind a cursor, the newest of each grade is another.
        of_grade = _of_grade(filters, grade)
        found = sources_of(connection, of_grade, levels, now, grades=(grade,))
        if found:
            by_grade[grade] = found
    return by_grade


def _enough_since(connection: Connection, filters: Filters, by_grade: _Sources) -> int:
    """Return the greatest known rank since when the sources have a page of rows, else 0."""
    ranked = sorted(
        (
            (source.newest + shift(filters.order, grade), grade, source)
            for grade, sources in by_grade.items()
            for source in sources
            if source.is_sure
        ),
        key=lambda ranked: ranked[0],
        reverse=True,
    )[: filters.limit]
    ranks = [ranked[-1][0]] if len(ranked) == filters.limit else []
    places: defaultdict[int, list[tuple[str, int | None]]] = defaultdict(list)
    for _, grade, source in ranked:
        places[grade].append((source.wiki_id, source.facets))
    for grade, of_grade in places.items():
        before = _of_grade(filters, grade).before
        times = times_behind(connection, of_grade, filters.limit - 1, before)
        ranks += [time + shift(filters.order, grade) for time in times]
    return max(ranks, default=0)


def _of_grade(filters: Filters, grade: int) -> Filters:
    """Return the filters with the cursor as a time of this grade."""
    before = filters.before
    if before is None:
        return filters
    time = before.timestamp - shift(filters.order, grade)
    return replace(filters, before=Cursor(time, before.rev_id, before.wiki_id))


def _grade(source: Source) -> int:
    return source.facets >> GRADE.shift & (GRADE.mask or 0)
