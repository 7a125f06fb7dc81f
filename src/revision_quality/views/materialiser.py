"""Keeps a view in step with the streams."""

import asyncio
from collections.abc import Sequence
from typing import Protocol

import msgspec
import structlog
from msgspec import Struct

from revision_quality.clock import Clock, system_clock
from revision_quality.errors import StoreError
from revision_quality.streams.base import START, Record, Streams
from revision_quality.tally import LAG_SECONDS, Tally, Timings
from revision_quality.views.merged_streams import MergedStreams, Place

READ = 5000
"""Events in one transaction where there are as many, and up to twice as many."""

_IDLE_SECONDS = 1.0
_LONGEST_PAUSE = 10.0

_log = structlog.get_logger()


class View(Protocol):
    """What a view must do to be kept in step."""

    async def position(self, stream: str, partition: int = 0) -> int:
        """Return the offset up to which a partition of `stream` is in the view."""
        ...

    async def apply(self, records: Sequence[Record]) -> int:
        """Bring events into the view, and their streams' positions, in one transaction."""
        ...


class Materialiser:
    """Brings every event of `names` into `view`, once and in the order of each partition.

    `name` is what the view is called in metrics.
    """

    def __init__(
        self,
        streams: Streams,
        view: View,
        names: Sequence[str],
        clock: Clock = system_clock,
        *,
        name: str = "changes",
        is_awaited: bool = True,
    ) -> None:
        self._streams = streams
        self._view = view
        self._names = names
        self._clock = clock
        self._positions: dict[Place, int] = {}
        self._merged = MergedStreams(streams)
        self.name = name
        self.applied = Tally()
        """Events brought into the view, by stream."""
        self.retries = 0
        self.lag = Timings(LAG_SECONDS)
        """Seconds from the append of an event of a wiki to its place in the view, by wiki_id."""
        self.is_awaited = is_awaited
        """Whether a process is ready only when the view has caught up."""
        self.has_caught_up = False
        """Whether the view has once held all that was in the streams."""

    async def run(self) -> None:
        """Keep the view in step until cancelled; goes on trying while a store fails."""
        pause = _IDLE_SECONDS
        while True:
            appended = self._streams.appended()
            try:
                moved = await self.step()
            except StoreError as error:
                self.retries += 1
                _log.error("the view cannot be kept in step, trying again", error=str(error))
                # Whether the last transaction came through, only the view knows.
                self._positions.clear()
                self._merged.forget()
                await self._clock.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
                continue
            if pause > _IDLE_SECONDS:
                _log.info("the view is kept in step again")
            pause = _IDLE_SECONDS
            if not moved:
                self.has_caught_up = True
                await self._streams.wait(appended, _IDLE_SECONDS)

    async def step(self) -> int:
        """Bring the next events of all streams into the view; return how many that were."""
        records = await self._next()
        if records:
            await self._view.apply(records)
            for record in records:
                self._positions[record.stream, record.partition] = record.offset
            self._count(records)
            await asyncio.sleep(0)
        return len(records)

    async def behind(self) -> dict[str, int]:
        """Return how far each stream's end is ahead of the view, in offsets. Raises StoreError."""
        found: dict[str, int] = {}
        for stream, partition in await self._places():
            end = await self._streams.end(stream, partition)
            left = max(0, end - await self._position(stream, partition))
            found[stream] = found.get(stream, 0) + left
        return found

    def _count(self, records: Sequence[Record]) -> None:
        now = self._clock.now().timestamp()
        for record in records:
            self.applied.add(record.stream)
            wiki_id = _wiki_id(record.value)
            if wiki_id:
                self.lag.observe(now - record.received / 1000, wiki_id)

    async def _next(self) -> list[Record]:
        positions = {place: await self._position(*place) for place in await self._places()}
        return await self._merged.next(positions, READ)

    async def _places(self) -> list[Place]:
        return [
            (name, partition)
            for name in self._names
            for partition in range(await self._streams.partitions(name))
        ]

    async def _position(self, stream: str, partition: int) -> int:
        if (stream, partition) not in self._positions:
            found = await self._view.position(stream, partition)
            if found > START and found > await self._streams.end(stream, partition):
                # Of another log, such as a file that was moved away: no event may be left out, and
                # one that comes again changes nothing.
                found = START
            self._positions[stream, partition] = found
        return self._positions[stream, partition]


class _Head(Struct, frozen=True):
    wiki_id: str = ""


_head = msgspec.json.Decoder(_Head)


def _wiki_id(value: bytes) -> str:
    """Return the wiki of an event, nothing where it names none."""
    try:
        return _head.decode(value).wiki_id
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
