"""How far views are: the table `progress`, and whose turn it is to write."""

import hashlib
from collections.abc import Mapping

from sqlalchemy import Connection, bindparam, select

from revision_quality.streams.base import START
from revision_quality.views import bulk
from revision_quality.views.schema import refuse_newer
from revision_quality.views.tables import progress

_LONGEST_NAME = 128
"""Characters of `progress.name`."""

_VALUE = select(progress.c.value).where(progress.c.name == bindparam("its_name"))
_LOCKED = _VALUE.with_for_update()


def place_of(stream: str, partition: int = 0) -> str:
    """Return the changes view's name of a partition: a stream of one partition has its own."""
    return f"{stream}:{partition}" if partition else stream


def place_in(view: str, stream: str, partition: int = 0) -> str:
    """Return the name of a partition in the positions of another view."""
    name = f"{view}:{stream}:{partition}"
    if len(name) <= _LONGEST_NAME:
        return name
    return f"{name[:60]}:{hashlib.sha256(name.encode()).hexdigest()}"


def take_turn(connection: Connection) -> None:
    """Wait until no other process writes; SQLite has begun so.

    Raises NewerViewsError if a newer revq has changed the tables since this one began.
    """
    found = connection.execute(_LOCKED, {"its_name": "schema"}).scalar()
    refuse_newer(connection, int(found or 0))


def position_of(connection: Connection, name: str) -> int:
    """Return a number of `progress`."""
    value = connection.execute(_VALUE, {"its_name": name}).scalar()
    return START if value is None else int(value)


def set_positions(connection: Connection, values: Mapping[str, int]) -> None:
    """Move numbers forward: a writer that is behind another does not move them back."""
    if not values:
        return
    moved = bulk.upsert(connection, progress, "value", bulk.greatest)
    rows = [{"name": name, "value": value} for name, value in sorted(values.items())]
    connection.execute(moved, rows)
