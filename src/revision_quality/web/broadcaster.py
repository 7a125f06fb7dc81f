"""One reader of the view for everybody who listens."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import structlog

from revision_quality.views.change import Change
from revision_quality.views.change_writes import KEPT
from revision_quality.web.view import View

Batch = Sequence[Change]
"""Changes in the order of writing; an empty one says that some were left out."""

BATCH_SIZE = 500
MAX_BACKLOG = KEPT
"""So many changes behind, a listener is told to start again instead of being sent them all."""

_WAIT_SECONDS = 1.0
"""The view wakes its own process at once; what another process writes is seen after this time."""

_log = structlog.get_logger()


class Subscription:
    """A listener's queue of at most `capacity` batches; who is slower is dropped."""

    def __init__(self, seq: int, capacity: int) -> None:
        self.seq = seq
        self._batches: deque[Batch] = deque()
        self._capacity = capacity
        self._news = asyncio.Event()
        self.over = asyncio.Event()

    def offer(self, batch: Batch) -> None:
        """Append a batch, or end the subscription where there is no room."""
        if len(self._batches) >= self._capacity:
            self.end()
        else:
            self._batches.append(batch)
            self._news.set()

    def end(self) -> None:
        """Take no more and let the listener go."""
        self._batches.clear()
        self.over.set()
        self._news.set()

    async def next(self, seconds: float) -> Batch | None:
        """Return the next batch, or None after `seconds` or at the end."""
        if not self._batches and not self.over.is_set():
            self._news.clear()
            try:
                async with asyncio.timeout(seconds):
                    await self._news.wait()
            except TimeoutError:
                return None
        return self._batches.popleft() if self._batches else None


class Broadcaster:
    """Reads what is written to a view, once, and hands it to all subscriptions.

    It reads while there is a listener. `pause` is the time in seconds between two reads, so that
    a busy view is read in larger batches; `capacity` the number of batches that a listener may
    be behind.
    """

    def __init__(
        self, view: View, *, listeners: int = 1000, capacity: int = 64, pause: float = 0.1
    ) -> None:
        self._view = view
        self._max_listeners = listeners
        self._capacity = capacity
        self._pause = pause
        self._subscriptions: set[Subscription] = set()
        self._lock = asyncio.Lock()
        self._reading: asyncio.Task[None] | None = None
        self._seq = 0
        self._is_closed = False

    @property
    def listeners(self) -> int:
        """Number of subscriptions."""
        return len(self._subscriptions)

    @property
    def is_full(self) -> bool:
        """Whether no more listeners are taken."""
        return self._is_closed or self.listeners >= self._max_listeners

    @asynccontextmanager
    async def subscribe(self) -> AsyncIterator[Subscription]:
        """Begin a subscription: every write after its `seq` is offered to it.

        Raises StoreError if the view cannot be read.
        """
        subscription = await self._add()
        try:
            yield subscription
        finally:
            self._remove(subscription)

    def close(self) -> None:
        """End all subscriptions and take no more."""
        self._is_closed = True
        self._end_all()
        self._stop_reading()

    async def _add(self) -> Subscription:
        async with self._lock:
            if self._reading is None:
                self._seq = await self._view.last_seq()
                self._reading = asyncio.create_task(self._read())
                self._reading.add_done_callback(self._on_reading_done)
            subscription = Subscription(self._seq, self._capacity)
            self._subscriptions.add(subscription)
        if self._is_closed:
            self.close()
        return subscription

    def _remove(self, subscription: Subscription) -> None:
        self._subscriptions.discard(subscription)
        if not self._subscriptions:
            self._stop_reading()

    def _stop_reading(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None

    async def _read(self) -> None:
        while True:
            last_seq = await self._view.wait(self._seq, _WAIT_SECONDS)
            if last_seq != self._seq:
                await self._hand_out(last_seq)
            await asyncio.sleep(self._pause)

    def _on_reading_done(self, task: asyncio.Task[None]) -> None:
        if task.cancelled():
            return
        _log.error("changes_unreadable", error=str(task.exception()))
        self._reading = None
        self._end_all()

    async def _hand_out(self, last_seq: int) -> None:
        if not 0 < last_seq - self._seq <= MAX_BACKLOG:
            self._seq = last_seq
            batch: Batch = ()
        else:
            batch = await self._view.since(self._seq, BATCH_SIZE)
            self._seq = batch[-1].seq if batch else last_seq
            if not batch:
                return
        for subscription in list(self._subscriptions):
            subscription.offer(batch)

    def _end_all(self) -> None:
        for subscription in self._subscriptions:
            subscription.end()
