"""Alarms in the views' database: raised by one process, read by all that serve."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, Select, delete, select, update

from revision_quality.alarms.alarm import Alarm, Kind, Subject
from revision_quality.alarms.drift import SeriesState
from revision_quality.events.meta import event_id
from revision_quality.views import bulk
from revision_quality.views.tables import alarm_series, alarms

RAISED, ENDED = "raised", "ended"
"""What the webhook has been told of an alarm; empty for nothing yet."""

SeriesKey = tuple[str, str, str]
"""wiki_id ("" for all), model name, model version."""

T = TypeVar("T")


class Stored(Struct, frozen=True):
    """An alarm, its key, and what the webhook has been told of it."""

    id: str
    alarm: Alarm
    told: str


class _Views(Protocol):
    async def read(self, function: Callable[[Connection], T]) -> T: ...


class Alarms:
    """The alarms of the views' database, for those who show them. Raises StoreError."""

    def __init__(self, view: _Views) -> None:
        self._view = view

    async def active(self) -> list[Alarm]:
        """Return the alarms that are on, the oldest first."""
        return await self._view.read(active)

    async def ended_since(self, moment: int) -> list[Alarm]:
        """Return the alarms that have ended since `moment`, Unix milliseconds, the latest first."""
        return await self._view.read(lambda connection: ended_since(connection, moment))


def active(connection: Connection) -> list[Alarm]:
    """Read the alarms that are on, the oldest first."""
    statement = select(alarms).where(alarms.c.ended_dt == 0).order_by(alarms.c.since_dt)
    return [each.alarm for each in _read(connection, statement)]


def ended_since(connection: Connection, moment: int) -> list[Alarm]:
    """Read the alarms that have ended since `moment`, Unix milliseconds, the latest first."""
    statement = (
        select(alarms).where(alarms.c.ended_dt >= max(1, moment)).order_by(alarms.c.ended_dt.desc())
    )
    return [each.alarm for each in _read(connection, statement)]


def untold(connection: Connection) -> list[Stored]:
    """Read the alarms that the webhook does not know as they are, the oldest first."""
    is_raise = (alarms.c.ended_dt == 0) & (alarms.c.told == "")
    is_end = (alarms.c.ended_dt > 0) & (alarms.c.told != ENDED)
    return _read(connection, select(alarms).where(is_raise | is_end).order_by(alarms.c.since_dt))


def save(connection: Connection, moved: Sequence[Alarm]) -> None:
    """Write alarms that were raised or ended; what the webhook was told of them stays."""
    for alarm in moved:
        identifier = _id(alarm)
        is_there = alarms.c.id == identifier
        if connection.execute(select(alarms.c.id).where(is_there)).first():
            connection.execute(update(alarms).where(is_there).values(ended_dt=alarm.ended))
        else:
            bulk.write(connection, alarms, [(identifier, *_columns(alarm), "")])


def told(connection: Connection, identifier: str, what: str) -> None:
    """Note what the webhook has been told."""
    connection.execute(update(alarms).where(alarms.c.id == identifier).values(told=what))


def purge(connection: Connection, before: int) -> None:
    """Delete alarms that ended before, Unix milliseconds."""
    is_old = (alarms.c.ended_dt > 0) & (alarms.c.ended_dt < before)
    connection.execute(delete(alarms).where(is_old))


def series(connection: Connection) -> dict[SeriesKey, SeriesState]:
    """Read what is usual, of each wiki and model version."""
    columns = alarm_series.c
    rows = connection.execute(
        select(columns.wiki_id, columns.model_name, columns.model_version, columns.state)
    )
    return {(row[0], row[1], row[2]): msgspec.json.decode(row[3], type=SeriesState) for row in rows}


def save_series(connection: Connection, states: dict[SeriesKey, SeriesState]) -> None:
    """Write what is usual."""
    rows = [
        (event_id("alarm series", *key), *key, msgspec.json.encode(state).decode())
        for key, state in states.items()
    ]
    bulk.write(connection, alarm_series, rows)


def _read(connection: Connection, statement: Select[Any]) -> list[Stored]:
    return [
        Stored(
            id=row.id,
            alarm=Alarm(
                subject=Subject(
                    kind=Kind(row.kind),
                    wiki_id=row.wiki_id,
                    model_name=row.model_name,
                    model_version=row.model_version,
                    level=row.level,
                ),
                since=row.since_dt,
                message=row.message,
                ended=row.ended_dt,
            ),
            told=row.told,
        )
        for row in connection.execute(statement)
    ]


def _columns(alarm: Alarm) -> tuple[str | int, ...]:
    about = alarm.subject
    return (
        about.kind.value,
        about.wiki_id,
        about.model_name,
        about.model_version,
        about.level,
        alarm.message,
        alarm.since,
        alarm.ended,
    )


def _id(alarm: Alarm) -> str:
    about = alarm.subject
    parts = (about.kind, about.wiki_id, about.model_name, about.model_version, about.level)
    return event_id("alarm", *parts, alarm.since)
