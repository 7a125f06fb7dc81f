"""The newest edit of each number of facets, as each server finds it fastest."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection

from revision_quality.recent_changes.asked import Asked
from revision_quality.recent_changes.facet_predicate import grade_in
from revision_quality.recent_changes.index import by_time
from revision_quality.recent_changes.ranking import GRADES
from revision_quality.recent_changes.sql import Sql, joined, rows
from revision_quality.views import facets as places
from revision_quality.views.servers import MARIADB

_GROUPS_AT_ONCE = 500
"""A list of 1,000 becomes a table to MariaDB (in_predicate_conversion_threshold), and it no longer
jumps."""


class Numbers(Struct, frozen=True):
    """Which numbers are asked for: of some grades, those of which an edit may match (`possible`).

    With `sure` all edits of a number do. Both are conditions on `change_facets`.
    """

    possible: Sql
    sure: Sql
    grades: Sequence[int]


class NewestEdit(Struct, frozen=True):
    """The time of the newest edit that a page may have of a wiki, or of all, and a number."""

    wiki_id: str
    facets: int
    is_sure: bool
    time: int


def newest_edits(
    connection: Connection, asked: Asked, numbers: Numbers, since: int
) -> Iterator[NewestEdit]:
    """Yield the newest edit of each number that has one from a time on, in Unix seconds."""
    find = _by_jumping if connection.dialect.name in MARIADB else _by_subquery
    return find(connection, asked, numbers, since)


def grade_of_number(facets: int) -> int:
    """Return the grade of the score in a number of facets."""
    return facets >> places.GRADE.shift & (places.GRADE.mask or 0)


def _by_subquery(
    connection: Connection, asked: Asked, numbers: Numbers, since: int
) -> Iterator[NewestEdit]:
    of_wikis = bool(asked.filters.wikis)
    bounds = ["changes.facets = f.facets"]
    bounds += ["changes.wiki_id = f.wiki_id"] if of_wikis else []
    bounds += [f"timestamp >= {since}"] if since > 0 else []
    bounds += [f"timestamp <= {_latest_of_each(asked, numbers)}"] if asked.filters.before else []
    table = by_time(connection.dialect.name, of_wiki=of_wikis, of_facets=True)
    newest = (
        f"SELECT timestamp FROM {table} WHERE {' AND '.join(bounds)}"  # noqa: S608
        " ORDER BY timestamp DESC LIMIT 1"
    )
    for wiki_id, facets, is_sure, time in _rows(connection, numbers, f", ({newest})"):
        if time is not None:
            yield NewestEdit(wiki_id, facets, bool(is_sure), time)


def _latest_of_each(asked: Asked, numbers: Numbers) -> str:
    """Return the time of the cursor for a row of `change_facets AS f`, as an expression."""
    latest = {grade: asked.latest(asked.shift(grade)) for grade in numbers.grades}
    if len({*latest.values()}) == 1:
        return str(latest[numbers.grades[0]])
    cases = " ".join(f"WHEN {grade} THEN {time}" for grade, time in latest.items())
    return f"CASE {grade_in('f.facets')} {cases} END"


def _by_jumping(
    connection: Connection, asked: Asked, numbers: Numbers, since: int
) -> Iterator[NewestEdit]:
    """Let MariaDB jump in the index from one number to the next.

    It does so in an aggregate of a list of numbers, grouped by all that is before the time in the
    index, not in subqueries that refer to a row.
    """
    is_sure: dict[tuple[str, int], bool] = {}
    lists: defaultdict[tuple[str, int | None], list[int]] = defaultdict(list)
    latest = [asked.latest(asked.shift(grade)) for grade in GRADES]
    for wiki_id, facets, surely in _rows(connection, numbers):
        is_sure[wiki_id, facets] = bool(surely)
        lists[wiki_id, latest[grade_of_number(facets)]].append(facets)
    parts = [
        (wiki_id, _newest_of(wiki_id, some[start : start + _GROUPS_AT_ONCE], since, until))
        for (wiki_id, until), some in lists.items()
        for start in range(0, len(some), _GROUPS_AT_ONCE)
    ]
    if not parts:
        return
    numbered = (
        Sql(f"SELECT {place}, {part.text}", part.values) for place, (_, part) in enumerate(parts)
    )
    for place, facets, time in rows(connection, joined(" UNION ALL ", numbered)):
        wiki_id = parts[place][0]
        yield NewestEdit(wiki_id, facets, is_sure[wiki_id, facets], time)


def _newest_of(wiki_id: str, numbers: Sequence[int], since: int, latest: int | None) -> Sql:
    where = [f"facets IN ({','.join(map(str, numbers))})"]
    where += [f"timestamp >= {since}"] if since > 0 else []
    where += [] if latest is None else [f"timestamp <= {latest}"]
    where += ["wiki_id = ?"] if wiki_id else []
    table = by_time("mariadb", of_wiki=bool(wiki_id), of_facets=True)
    return Sql(
        f"facets, MAX(timestamp) FROM {table} WHERE {' AND '.join(where)}"
        f" GROUP BY {'wiki_id, ' if wiki_id else ''}facets",
        (wiki_id,) if wiki_id else (),
    )


def _rows(connection: Connection, numbers: Numbers, more: str = "") -> Sequence[Any]:
    """Return the numbers asked for: wiki_id, facets, whether sure, and `more` columns."""
    statement = Sql(
        f"SELECT wiki_id, facets, {numbers.sure.text}{more} FROM change_facets AS f"  # noqa: S608
        f" WHERE {numbers.possible.text}",
        numbers.sure.values + numbers.possible.values,
    )
    return rows(connection, statement)
