"""How far back a number of edits reaches, which bounds how many a statement looks at."""

from collections import defaultdict
from collections.abc import Sequence

from msgspec import Struct
from sqlalchemy import Connection

from revision_quality.recent_changes.index import by_grade, by_time, of_grade
from revision_quality.recent_changes.sql import Sql, every, joined, rows
from revision_quality.views.facets import EVERY_WIKI


class Place(Struct, frozen=True):
    """Edits of one wiki or of all (EVERY_WIKI), of one number of facets or of all (None).

    Or those of all wikis of one grade of the score.

    From the time `since` on and (`until`) before another, in Unix seconds. `moved` seconds are
    added to the times that are told of them.
    """

    wiki_id: str = EVERY_WIKI
    facets: int | None = None
    since: int = 0
    until: int | None = None
    moved: int = 0
    grade: int | None = None


_OF_COUNTED = 8
"""One of so many edits is counted where the others are taken to be as dense: in MariaDB it takes as
long to count edits as to look at them."""

_COUNTED = 32
"""So many are counted at least, as fewer tell little."""


def times_behind(connection: Connection, places: Sequence[Place], number: int) -> list[int]:
    """Return, for each place with more than `number` edits, the time behind those, moved.

    Counted from the newest on.
    """
    return [time for _, time in _times(connection, places, [_nth(number)] * len(places))]


def times_behind_likely(
    connection: Connection, places: Sequence[Place], number: int, *, of_counted: int = _OF_COUNTED
) -> list[int]:
    """Return the times behind `number` edits, moved, of each place that likely has so many.

    The newest part of them, one of `of_counted`, is counted, and by the older half of that part, as
    the clocks of the newest may be ahead, it is guessed how far the others reach. Where edits came
    in bulk before them, they are more.
    """
    last = min(number, max(number // of_counted, _COUNTED))
    half = last // 2
    both = [place for place in places for _ in range(2)]
    limits = [_nth(half), _nth(last)] * len(places)
    halves: defaultdict[int, list[int]] = defaultdict(list)
    for index, time in _times(connection, both, limits):
        halves[index // 2].append(time)
    more = (number - last) / max(last - half, 1)
    found = []
    for index, times in halves.items():
        behind = int(min(times) - more * (max(times) - min(times)))
        if times[1:] and behind >= places[index].since + places[index].moved:
            found.append(behind)
    return found


def newest_times(
    connection: Connection, places: Sequence[Place], number: int
) -> list[tuple[int, int]]:
    """Return the newest `number` edits of each place: its index, and their times, moved."""
    return _times(connection, places, [f"{number}"] * len(places))


def _nth(number: int) -> str:
    return f"1 OFFSET {number}"


def _times(
    connection: Connection, places: Sequence[Place], limits: Sequence[str]
) -> list[tuple[int, int]]:
    """Read the times of all places in one statement, of each as many as its LIMIT says.

    Not as subqueries that refer to a row, in which MariaDB does not look up the time.
    """
    if not places:
        return []
    server = connection.dialect.name
    parts = (
        _part(server, place, index, limit)
        for index, (place, limit) in enumerate(zip(places, limits, strict=True))
    )
    return [(index, time) for index, time in rows(connection, joined(" UNION ALL ", parts))]


def _part(server: str, place: Place, index: int, limit: str) -> Sql:
    if place.grade is None:
        table = by_time(server, of_wiki=bool(place.wiki_id), of_facets=place.facets is not None)
    else:
        table = by_grade(server)
    where = every(_conditions(server, place))
    return Sql(
        f"SELECT {index}, timestamp + {place.moved} FROM (SELECT timestamp FROM {table}"  # noqa: S608
        f" WHERE {where.text} ORDER BY timestamp DESC LIMIT {limit}) AS p{index}",
        where.values,
    )


def _conditions(server: str, place: Place) -> list[Sql]:
    conditions = [Sql("wiki_id = ?", (place.wiki_id,))] if place.wiki_id else []
    if place.facets is not None:
        conditions.append(Sql(f"facets = {place.facets}"))
    if place.grade is not None:
        conditions.append(of_grade(place.grade, server))
    if place.since:
        conditions.append(Sql(f"timestamp >= {place.since}"))
    if place.until is not None:
        conditions.append(Sql(f"timestamp < {place.until}"))
    return conditions
