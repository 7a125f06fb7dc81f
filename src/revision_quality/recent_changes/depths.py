"""How far back a number of edits reaches, which bounds how many a statement looks at."""

from collections.abc import Sequence

from msgspec import Struct
from sqlalchemy import Connection

from revision_quality.recent_changes.index import by_time
from revision_quality.recent_changes.sql import Sql, every, joined, rows
from revision_quality.views.facets import EVERY_WIKI


class Place(Struct, frozen=True):
    """Edits of one wiki or of all (EVERY_WIKI), of one number of facets or of all (None).

    From the time `since` on and (`until`) before another, in Unix seconds. `moved` seconds are
    added to the times that are told of them.
    """

    wiki_id: str = EVERY_WIKI
    facets: int | None = None
    since: int = 0
    until: int | None = None
    moved: int = 0


_LOOKED_AT = 4
"""One of so many edits is counted where the others are taken to be as dense."""


def times_behind(connection: Connection, places: Sequence[Place], number: int) -> list[int]:
    """Return, for each place with more than `number` edits, the time behind those, moved.

    Counted from the newest on.
    """
    return [time for _, time in _times(connection, places, [_nth(number)] * len(places))]


def time_behind_likely(connection: Connection, number: int, *, until: int | None = None) -> int:
    """Return the time behind likely `number` edits of all wikis, 0 where there are few.

    Counted from the newest on, or from those before `until`.
    A part of them is counted: in MariaDB that takes as long as to look at them. Edits that come in
    bulk before those are more than that.
    """
    ends = _times(connection, [Place(until=until)] * 2, [_nth(0), _nth(number // _LOOKED_AT)])
    times = [time for _, time in ends]
    return max(times) - _LOOKED_AT * (max(times) - min(times)) if times[1:] else 0


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
    table = by_time(server, of_wiki=bool(place.wiki_id), of_facets=place.facets is not None)
    where = every(_conditions(place))
    return Sql(
        f"SELECT {index}, timestamp + {place.moved} FROM (SELECT timestamp FROM {table}"  # noqa: S608
        f" WHERE {where.text} ORDER BY timestamp DESC LIMIT {limit}) AS p{index}",
        where.values,
    )


def _conditions(place: Place) -> list[Sql]:
    conditions = [Sql("wiki_id = ?", (place.wiki_id,))] if place.wiki_id else []
    if place.facets is not None:
        conditions.append(Sql(f"facets = {place.facets}"))
    if place.since:
        conditions.append(Sql(f"timestamp >= {place.since}"))
    if place.until is not None:
        conditions.append(Sql(f"timestamp < {place.until}"))
    return conditions
