"""By which clock the age of rows is told, before what is old is dropped for good."""

from msgspec import Struct
from sqlalchemy import Connection, func, select

from revision_quality.streams.base import START
from revision_quality.views import bulk
from revision_quality.views.progress import position_of, take_turn
from revision_quality.views.tables import changes, progress

LEAP_SECONDS = 7 * 86_400
"""A clock further ahead of all that is known may be wrong, as at a boot without a battery."""

_BELIEVED = "believed time"
"""The number of `progress` that says, in Unix seconds, by which time rows were dropped last."""


def newest_time(connection: Connection) -> int | None:
    """Return the latest of the newest edit and the last time believed, None without either."""
    newest = connection.execute(select(func.max(changes.c.timestamp))).scalar()
    believed = position_of(connection, _BELIEVED)
    known = [time for time in (newest, believed if believed > START else None) if time is not None]
    return max(known, default=None)


def believe(connection: Connection, now: int) -> None:
    """Note by which time rows are dropped, be it before the last one."""
    take_turn(connection)
    bulk.write(connection, progress, [(_BELIEVED, now)])


class Leap(Struct):
    """Tells whether a clock has leapt ahead, which may be wrong.

    It is believed where it goes on from the newest time known, so that a store in which nothing
    happens is purged, too; and after LEAP_SECONDS in which no newer edit came: after a long stop.
    """

    _newest: int | None = None
    _begun: float = 0.0

    def is_doubtful(self, now: int, newest: int | None, steady: float) -> bool:
        """Tell it of the time `now`, Unix seconds; `steady` are seconds of a clock nobody sets."""
        if newest is None or now - newest <= LEAP_SECONDS:
            self._newest = None
            return False
        if self._newest != newest:
            self._newest, self._begun = newest, steady
        return steady - self._begun <= LEAP_SECONDS
