"""One reader of some streams' ends for everybody who waits there."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Self

import structlog
from msgspec import Struct

from revision_quality.errors import StoreError
from revision_quality.streams.base import Partition, Record, Streams
from revision_quality.web import stream_frames as frames
from revision_quality.web.stream_positions import Positions

KEEP_ALIVE_SECONDS = 15.0

CAPACITY = 1024 * 1024
"""Bytes that a listener may be behind. What many are behind is in memory once."""

_READ = 200
_SLICE = 100
"""Listeners that are sent to without a break, some 4 ms, so that others do not wait."""

_WAIT_SECONDS = 1.0
_PAUSE_SECONDS = 0.05
"""Time between two reads, so that a busy stream goes out in larger pieces."""

_STORE_PAUSE = 1.0

_log = structlog.get_logger()


class Format(Struct, frozen=True):
    """How a listener is written to: server-sent events, or lines of JSON."""

    is_lines: bool = False

    @property
    def start(self) -> bytes:
        """The first bytes."""
        return frames.LINES_START if self.is_lines else frames.SSE_START

    @property
    def keep_alive(self) -> bytes:
        """What is sent while there is nothing to say."""
        return frames.LINES_KEEP_ALIVE if self.is_lines else frames.SSE_KEEP_ALIVE

    def frame(
        self, records: Sequence[Record], partitions: Sequence[Partition], before: Positions
    ) -> bytes:
        """Write records."""
        if self.is_lines:
            return frames.line_frames(records)
        return frames.sse_frames(records, partitions, before)


SSE, LINES = Format(), Format(is_lines=True)


class Listener:
    """What a client has still to be sent, at most `capacity` bytes; who is slower is dropped.

    `positions` is where its first bytes begin; `on_end` is called when it is dropped.
    """

    def __init__(
        self, form: Format, positions: Positions, capacity: int, on_end: Callable[[], None]
    ) -> None:
        self.form = form
        self.positions = positions
        self._capacity = capacity
        self._on_end = on_end
        self._chunks: deque[bytes] = deque()
        self._size = 0
        self._is_over = False
        self._waiting: asyncio.Future[None] | None = None

    def offer(self, chunk: bytes) -> None:
        """Append bytes to send, or drop the listener where there is no room."""
        if self._is_over:
            return
        if self._size and self._size + len(chunk) > self._capacity:
            self.end()
            return
        self._chunks.append(chunk)
        self._size += len(chunk)
        self._wake()

    def keep_alive(self) -> None:
        """Send a sign of life to a listener that has nothing else to read."""
        if not self._size:
            self.offer(self.form.keep_alive)

    def end(self) -> None:
        """Take no more and let the listener go."""
        if self._is_over:
            return
        self._is_over = True
        self._chunks.clear()
        self._wake()
        self._on_end()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        """Return what there is to send as soon as there is something."""
        if not self._chunks and not self._is_over:
            self._waiting = asyncio.get_running_loop().create_future()
            await self._waiting
        if not self._chunks:
            raise StopAsyncIteration
        self._size -= len(self._chunks[0])
        return self._chunks.popleft()

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)
        self._waiting = None


class Channel:
    """Reads `partitions` from their ends on while somebody listens, and hands it to all."""

    def __init__(
        self,
        streams: Streams,
        partitions: Sequence[Partition],
        *,
        capacity: int = CAPACITY,
        pause: float = _PAUSE_SECONDS,
        keep_alive: float = KEEP_ALIVE_SECONDS,
    ) -> None:
        self._streams = streams
        self._partitions = partitions
        self._capacity = capacity
        self._pause = pause
        self._keep_alive = keep_alive
        self._positions: dict[Partition, int] = {}
        self._listeners: set[Listener] = set()
        self._beginning = asyncio.Lock()
        self._reading: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def listen(self, form: Format, on_end: Callable[[], None]) -> AsyncIterator[Listener]:
        """Begin to listen: what is behind the listener's `positions` is offered to it.

        Raises StoreError if the streams cannot be read.
        """
        async with self._beginning:
            if self._reading is None:
                self._positions = {
                    one: await self._streams.end(one.stream, one.number) for one in self._partitions
                }
                self._reading = asyncio.create_task(self._read_on())
            listener = Listener(form, dict(self._positions), self._capacity, on_end)
            self._listeners.add(listener)
        try:
            yield listener
        finally:
            self._listeners.discard(listener)
            if not self._listeners:
                self._stop()

    def close(self) -> None:
        """End all listeners."""
        self._stop()
        for listener in list(self._listeners):
            listener.end()

    def _stop(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None

    async def _read_on(self) -> None:
        loop = asyncio.get_running_loop()
        spoken = loop.time()
        while True:
            appended = self._streams.appended()
            if await self._read():
                spoken = loop.time()
                await asyncio.sleep(self._pause)
                continue
            if loop.time() - spoken >= self._keep_alive:
                spoken = loop.time()
                for listener in list(self._listeners):
                    listener.keep_alive()
            await self._streams.wait(appended, min(_WAIT_SECONDS, self._keep_alive))

    async def _read(self) -> bool:
        """Hand out what is new, at most `_READ` events of each partition."""
        try:
            batches = [
                await self._streams.read(one.stream, self._positions[one], _READ, one.number)
                for one in self._partitions
            ]
        except StoreError as error:
            _log.error("streams cannot be read, trying again", error=str(error))
            await asyncio.sleep(_STORE_PAUSE)
            return False
        records = [record for batch in batches for record in batch]
        if records:
            await self._hand_out(records)
        return bool(records)

    async def _hand_out(self, records: Sequence[Record]) -> None:
        """Offer events to who listens now; who begins meanwhile begins behind them."""
        before = dict(self._positions)
        self._positions |= {
            Partition(record.stream, record.partition): record.offset for record in records
        }
        chunks: dict[Format, bytes] = {}
        for number, listener in enumerate(list(self._listeners), start=1):
            form = listener.form
            if form not in chunks:
                chunks[form] = form.frame(records, self._partitions, before)
            listener.offer(chunks[form])
            if number % _SLICE == 0:
                await asyncio.sleep(0)
