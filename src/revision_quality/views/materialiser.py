"""Keeps a view in step with the streams."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Protocol, runtime_checkable

import msgspec
import structlog
from msgspec import Struct

from revision_quality.clock import Clock, system_clock
from revision_quality.errors import NewerViewsError, StoreError
from revision_quality.streams.base import START, Record, Streams
from revision_quality.tally import LAG_SECONDS, Tally, Timings
from revision_quality.views.merged_streams import MergedStreams, Place

READ = 5000
"""Events in one transaction where there are as many, and up to twice as many.

So many are read ahead, too, while those before are written.
"""

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


Write = Callable[[], Awaitable[int]]
"""Does what `View.apply` does, with events that are known to it."""


@runtime_checkable
class PreparingView(View, Protocol):
    """A view that makes something of events before it may look at what it holds."""

    def prepare(self, records: Sequence[Record]) -> Write:
        """Return what brings events into the view; it uses no database, in any thread."""
        ...


class _Batch(Struct, frozen=True):
    """Events, the wiki of each, and what brings them into the view."""

    records: Sequence[Record]
    wikis: Sequence[str]
    write: Write


class Materialiser:
    """Brings every event of `names` into `view`, once and in the order of each partition.

    While many are written, as many that follow are read and, by a PreparingView, prepared. `name`
    is what the view is called in metrics.
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
        self._read_to: dict[Place, int] = {}
        self._merged = MergedStreams(streams)
        self._coming: _Batch | None = None
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
        """Keep the view in step until cancelled; goes on trying while a store fails.

        Raises NewerViewsError: another takes over, for whom nothing is to be mended afterwards.
        """
        pause = _IDLE_SECONDS
        while True:
            appended = self._streams.appended()
            try:
                moved = await self.step()
            except NewerViewsError:
                raise
            except StoreError as error:
                self.retries += 1
                _log.error("the view cannot be kept in step, trying again", error=str(error))
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
        try:
            batch = self._coming or self._plain(await self._next())
            self._coming = None
            if len(batch.records) < READ:
                await self._write(batch)
            else:
                await self._write_and_read(batch)
        except BaseException:
            # Whether the last transaction came through, only the view knows.
            self._start_over()
            raise
        return len(batch.records)

    async def _write_and_read(self, batch: _Batch) -> None:
        coming = asyncio.create_task(self._prepared())
        try:
            await self._write(batch)
            self._coming = await coming
        finally:
            coming.cancel()
            await asyncio.gather(coming, return_exceptions=True)

    async def _write(self, batch: _Batch) -> None:
        if not batch.records:
            return
        await batch.write()
        for record in batch.records:
            self._positions[record.stream, record.partition] = record.offset
        self._count(batch)
        await asyncio.sleep(0)

    async def _prepared(self) -> _Batch | None:
        records = await self._next()
        return await asyncio.to_thread(self._prepare, records) if records else None

    def _prepare(self, records: Sequence[Record]) -> _Batch:
        if not isinstance(self._view, PreparingView):
            return self._plain(records)
        return _Batch(records, _wikis(records), self._view.prepare(records))

    def _plain(self, records: Sequence[Record]) -> _Batch:
        return _Batch(records, _wikis(records), partial(self._view.apply, records))

    def _start_over(self) -> None:
        self._positions.clear()
        self._read_to.clear()
        self._merged.forget()
        self._coming = None

    async def behind(self) -> dict[str, int]:
        """Return how far each stream's end is ahead of the view, in offsets. Raises StoreError."""
        found: dict[str, int] = {}
        for stream, partition in await self._places():
            end = await self._streams.end(stream, partition)
            left = max(0, end - await self._position(stream, partition))
            found[stream] = found.get(stream, 0) + left
        return found

    def _count(self, batch: _Batch) -> None:
        for stream, number in Counter(record.stream for record in batch.records).items():
            self.applied.add(stream, number=number)
        now = self._clock.now().timestamp()
        lags: defaultdict[str, list[float]] = defaultdict(list)
        for record, wiki_id in zip(batch.records, batch.wikis, strict=True):
            lags[wiki_id].append(now - record.received / 1000)
        for wiki_id, seconds in lags.items():
            if wiki_id:
                self.lag.observe_all(seconds, wiki_id)

    async def _next(self) -> list[Record]:
        reached = {
            place: self._read_to.get(place) or await self._position(*place)
            for place in await self._places()
        }
        records = await self._merged.next(reached, READ)
        for record in records:
            self._read_to[record.stream, record.partition] = record.offset
        return records

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


def _wikis(records: Sequence[Record]) -> list[str]:
    """Return the wiki of each event, nothing where it names none."""
    return [_wiki_id(record.value) for record in records]


def _wiki_id(value: bytes) -> str:
    try:
        return _head.decode(value).wiki_id
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
