"""How far back a number of edits reaches, which bounds how many a statement looks at."""

from collections.abc import Sequence

from msgspec import Struct
from sqlalchemy import Connection

from revision_quality.recent_changes.index import forced
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


def times_behind(connection: Connection, places: Sequence[Place], number: int) -> list[int]:
    """Return, for each place with more than `number` edits, the time behind those, moved.

    Counted from the newest on.
    """
    return _times(connection, places, f"1 OFFSET {number}")


def newest_times(connection: Connection, places: Sequence[Place], number: int) -> list[int]:
    """Return the times of the newest `number` edits of each place, moved, in no order."""
    return _times(connection, places, f"{number}")


def _times(connection: Connection, places: Sequence[Place], limit: str) -> list[int]:
    """Read the times of all places in one statement by hand.

    SQLAlchemy takes longer for many parts than the server, and of subqueries that refer to a row
    MariaDB does not look up the time.
    """
    if not places:
        return []
    mark = "?" if connection.dialect.paramstyle == "qmark" else "%s"
    parts = []
    for number, place in enumerate(places):
        where = [f"wiki_id = {mark}"] if place.wiki_id else []
        where += [] if place.facets is None else [f"facets = {place.facets}"]
        where += [f"timestamp >= {place.since}"] if place.since else []
        where += [] if place.until is None else [f"timestamp < {place.until}"]
        hint = forced(connection.dialect.name, bool(place.wiki_id), place.facets is not None)
        found = f"SELECT timestamp FROM changes {hint} WHERE {' AND '.join(where) or '1 = 1'}"  # noqa: S608
        found += f" ORDER BY timestamp DESC LIMIT {limit}"
        parts.append(f"SELECT timestamp + {place.moved} FROM ({found}) AS p{number}")  # noqa: S608, numbers and marks
    values = tuple(place.wiki_id for place in places if place.wiki_id)
    return list(connection.exec_driver_sql(" UNION ALL ".join(parts), values).scalars())
