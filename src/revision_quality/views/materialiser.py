"""Keeps a view in step with the streams."""

import asyncio
from collections.abc import Sequence
from typing import Protocol

import structlog

from revision_quality.clock import Clock, system_clock
from revision_quality.errors import StoreError
from revision_quality.streams.base import Record, Streams

READ = 500
_IDLE_SECONDS = 1.0
_LONGEST_PAUSE = 60.0

_log = structlog.get_logger()


class View(Protocol):
    """What a view must do to be kept in step."""

    async def position(self, stream: str) -> int:
        """Return the offset up to which `stream` is in the view."""
        ...

    async def apply(self, records: Sequence[Record]) -> int:
        """Bring events of one stream into the view, and its position, in one transaction."""
        ...


class Materialiser:
    """Brings every event of `names` into `view`, once and in the order of each stream."""

    def __init__(
        self, streams: Streams, view: View, names: Sequence[str], clock: Clock = system_clock
    ) -> None:
        self._streams = streams
        self._view = view
        self._names = names
        self._clock = clock
        self._positions: dict[str, int] = {}

    async def run(self) -> None:
        """Keep the view in step until cancelled; goes on trying while a store fails."""
        pause = _IDLE_SECONDS
        while True:
            appended = self._streams.appended()
            try:
                moved = await self.step()
            except StoreError as error:
                _log.error("the view cannot be kept in step, trying again", error=str(error))
                await self._clock.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
                continue
            if pause > _IDLE_SECONDS:
                _log.info("the view is kept in step again")
            pause = _IDLE_SECONDS
            if not moved:
                await self._streams.wait(appended, _IDLE_SECONDS)

    async def step(self) -> int:
        """Bring one batch of every stream into the view; return how many events that were."""
        moved = 0
        for name in self._names:
            if name not in self._positions:
                self._positions[name] = await self._view.position(name)
            records = await self._streams.read(name, self._positions[name], READ)
            if records:
                await self._view.apply(records)
                self._positions[name] = records[-1].offset
                moved += len(records)
                await asyncio.sleep(0)
        return moved
