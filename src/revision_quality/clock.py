"""The clock, so that a test or a replay can bring its own, and how a time is written."""

import asyncio
from datetime import UTC, datetime
from typing import Protocol

_FIRST = int(datetime(1, 1, 2, tzinfo=UTC).timestamp())
_LAST = int(datetime(9999, 12, 30, tzinfo=UTC).timestamp())
"""A day from the first and the last time that Python can show: no time zone leads beyond."""


class Clock(Protocol):
    """Tells the time and waits."""

    def now(self) -> datetime:
        """Return the time, aware, in UTC."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the time, aware, in UTC."""
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


system_clock = SystemClock()


def iso(seconds: float, timespec: str = "seconds") -> str:
    """Return Unix seconds as ISO 8601 in UTC with a Z; `timespec` is datetime's isoformat's."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec=timespec).replace("+00:00", "Z")


def unix_seconds(moment: datetime) -> int:
    """Return a time of an event as Unix seconds that can be shown in every time zone.

    Events may tell any time, such as 9999-12-31T23:59:59-10:00, which is in the year 10000.
    """
    seconds = int(moment.timestamp())
    if _FIRST <= seconds <= _LAST:
        return seconds
    return _FIRST if seconds < _FIRST else _LAST
