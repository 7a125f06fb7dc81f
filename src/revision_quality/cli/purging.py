"""Drops old events and rows."""

import asyncio
import time
from collections.abc import Callable
from datetime import timedelta

import structlog

from revision_quality.cli.stores import Stores
from revision_quality.clock import Clock, iso, system_clock
from revision_quality.errors import StoreError
from revision_quality.settings import Settings
from revision_quality.streams.sqlite import SqliteStreams
from revision_quality.views.age import Leap, believe, newest_time
from revision_quality.views.changes import ChangesView

_EVERY_SECONDS, _SHORT_PAUSE = 60.0, 0.1
_NOTED_SECONDS = 3600
_DAY = 86_400

_log = structlog.get_logger()


class Purging:
    """Drops what is older than the settings say, a little at a time; Kafka does so by itself.

    `steady` is a clock that nobody sets, in seconds.
    """

    def __init__(
        self,
        settings: Settings,
        stores: Stores,
        clock: Clock = system_clock,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._stores = stores
        self._clock = clock
        self._steady = steady
        self._leap = Leap()
        self.problem: str | None = None
        """Why nothing is dropped, None where it is."""

    async def run(self) -> None:
        """Go on until cancelled."""
        while True:
            try:
                purged = await self.step()
            except StoreError as error:
                _log.error("old events and rows cannot be dropped, trying again", error=str(error))
                purged = 0
            await asyncio.sleep(_SHORT_PAUSE if purged else _EVERY_SECONDS)

    async def step(self) -> int:
        """Drop some of what is old; return how much. Raises StoreError."""
        streams, view, labels = self._stores.streams, self._stores.view, self._stores.labels
        now = self._clock.now()
        if view is not None and await self._is_doubtful(view, int(now.timestamp())):
            return 0
        events_before = now - timedelta(days=self._settings.streams.keep_days)
        rows_before = now - timedelta(days=self._settings.changes_view.keep_days)
        purged = 0
        if isinstance(streams, SqliteStreams):
            purged += await streams.purge(int(events_before.timestamp() * 1000))
        if view is not None and labels is not None:
            purged += await view.purge(int(rows_before.timestamp()))
            purged += await labels.purge(int(rows_before.timestamp()))
        return purged

    async def _is_doubtful(self, view: ChangesView, now: int) -> bool:
        newest = await view.read(newest_time)
        if newest is None or not self._leap.is_doubtful(now, newest, self._steady()):
            self.problem = None
            if newest is None or abs(now - newest) > _NOTED_SECONDS:
                await view.write(lambda connection: believe(connection, now))
            return False
        is_new = self.problem is None
        self.problem = (
            f"nothing is dropped by age: this machine's clock says {iso(now)},"
            f" {(now - newest) // _DAY:,} days after the newest edit and the last drop;"
            " set it if it is wrong, or else wait for the next edit"
        )
        if is_new:
            _log.warning(self.problem)
        return True
