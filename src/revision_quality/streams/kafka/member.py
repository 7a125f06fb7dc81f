"""A member of a consumer group: its claims, and what it publishes, several at once."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from time import monotonic
from typing import TypeVar

import structlog

from revision_quality.bell import Bell
from revision_quality.clock import Clock
from revision_quality.errors import StoreError
from revision_quality.streams.base import Claim, Partition, Record, Work
from revision_quality.streams.kafka.place import KafkaPlace
from revision_quality.streams.kafka.session import Session

MARGIN_MS = 3_600_000
"""How much older than the first event to deal with the remembered outcomes may be: sources that
overlap bring an edit twice within minutes, and brokers' clocks differ."""

OPEN_SECONDS = 60.0
"""How long outcomes may not be readable before that is told: a killed worker's transaction ends in
a third of it."""

EVERY_SECONDS = 0.2
"""From one transaction's begin to the next one's. Each takes a broker 8 ms of a processor, however
few events are in it: `benchmarks/pipeline.py`, 500 transactions against 100 for as many edits."""

_TEND_SECONDS = 0.05
_PAUSE = 1.0
_GROUP = "group"
_FORGET_EVERY = 1200
"""Of the tendings: once a minute."""

T = TypeVar("T")
ReadOne = Callable[[str, int, int, int], Awaitable[list[Record]]]

_log = structlog.get_logger()


class KafkaMember:
    """Tends its session in the background; what is published at the same time is one transaction.

    `read` is the log's.
    """

    def __init__(
        self,
        place: KafkaPlace,
        group: str,
        streams: Sequence[str],
        counts: Mapping[str, int],
        *,
        read: ReadOne,
        clock: Clock,
        every: float = EVERY_SECONDS,
    ) -> None:
        self._session = Session(place, group, streams, counts, clock)
        self._read = read
        self._clock = clock
        self._bell = Bell()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"kafka-{group}")
        self._seen: tuple[Claim, ...] = ()
        self._arriving: dict[tuple[Partition, int], asyncio.Task[None]] = {}
        self._waiting: list[tuple[Work, asyncio.Future[bool]]] = []
        self._publishing: asyncio.Task[None] | None = None
        self._every = every
        self._next_at = monotonic()
        self._tending = asyncio.create_task(self._tend())
        self._is_closed = False
        self._failures: dict[str, str] = {}

    @property
    def failure(self) -> str | None:
        """Why the member cannot take part now, or cannot deal with all that is its to deal with."""
        return next(iter(self._failures.values()), None)

    @property
    def claims(self) -> tuple[Claim, ...]:
        """The partitions to deal with now."""
        return tuple(self._session.claims.values())

    def changes(self) -> int:
        """Return a number that grows when the claims change."""
        return self._bell.rings

    async def wait(self, changes: int, seconds: float) -> None:
        """Return as soon as the claims changed since `changes`, or after `seconds`."""
        await self._bell.wait(changes, seconds)
        if self._tending.done():
            # Without it no claim comes or goes: who waits must not do so for ever.
            self._tending.result()

    async def publish(self, work: Work) -> bool:
        """Append the events and commit the position in one transaction; False if lost."""
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((work, done))
        if self._publishing is None or self._publishing.done():
            self._publishing = asyncio.create_task(self._publish_all())
        return await done

    async def known(self, stream: str, ids: Iterable[str]) -> set[str]:
        """Return those of `ids` that are in an outcome stream already, as far as remembered."""
        asked = list(ids)
        return await self._run(lambda: self._session.outcomes.known(stream, asked))

    async def close(self) -> None:
        """Leave the group; the others take over at once. Doing so again does nothing."""
        if self._is_closed:
            return
        self._is_closed = True
        tasks = [self._tending, *self._arriving.values()]
        tasks += [self._publishing] if self._publishing else []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for _, done in self._waiting:
            done.cancel()
        await self._run(self._session.close)
        self._thread.shutdown(wait=True)

    async def _publish_all(self) -> None:
        while self._waiting:
            await asyncio.sleep(self._next_at - monotonic())
            self._next_at = monotonic() + self._every
            batch, self._waiting = self._waiting, []
            try:
                told = await self._run(partial(self._session.transact, [work for work, _ in batch]))
            except Exception as error:
                # Who waits must not wait for ever, whatever it was.
                for _, done in batch:
                    if not done.done():
                        done.set_exception(error)
            else:
                for (_, done), is_done in zip(batch, told, strict=True):
                    if not done.done():
                        done.set_result(is_done)
            finally:
                for _, done in batch:
                    done.cancel()

    async def _tend(self) -> None:
        count = 0
        while True:
            try:
                await self._run(self._session.poll)
            except StoreError as error:
                self._failed(_GROUP, error)
            else:
                self._failures.pop(_GROUP, None)
            self._note_changes()
            count += 1
            if count % _FORGET_EVERY == 0:
                await self._forget()
            await asyncio.sleep(_TEND_SECONDS)

    def _note_changes(self) -> None:
        if self.claims != self._seen:
            self._seen = self.claims
            self._bell.ring()
        for key in list(self._session.assigned.items()):
            is_claimed = key[0] in self._session.claims
            if not is_claimed and key not in self._arriving:
                task = self._arriving[key] = asyncio.create_task(self._arrive(*key))
                task.add_done_callback(partial(self._arrived, key))

    def _arrived(self, key: tuple[Partition, int], task: asyncio.Task[None]) -> None:
        self._arriving.pop(key, None)
        self._failures.pop(_name(key[0]), None)

    async def _arrive(self, partition: Partition, term: int) -> None:
        """Make an assigned partition a claim once everything is known that came of it."""
        while self._session.assigned.get(partition) == term:
            try:
                position = await self._learn(partition, term)
            except StoreError as error:
                self._failed(_name(partition), error)
                await asyncio.sleep(_PAUSE)
            else:
                await self._run(partial(self._session.claim, partition, term, position))
                self._note_changes()
                return

    async def _learn(self, partition: Partition, term: int) -> int:
        session = self._session
        position = await self._run(lambda: session.position(partition))
        first = await self._read(partition.stream, position, 1, partition.number)
        since = (first[0].received if first else self._now()) - MARGIN_MS
        await self._run(lambda: session.outcomes.begin(partition, since))
        deadline = monotonic() + OPEN_SECONDS
        while session.assigned.get(partition) == term:
            if await self._run(lambda: session.outcomes.knows_all(partition)):
                break
            if monotonic() > deadline:
                raise StoreError(
                    f"what came of {partition.stream}, partition {partition.number}, cannot be"
                    " read: a transaction has been open for too long; abort it with Kafka's"
                    " kafka-transactions.sh, then run 'revq replay' for that time"
                )
            await asyncio.sleep(_TEND_SECONDS)
        return position

    async def _forget(self) -> None:
        """Forget outcomes that are older than what may come again."""
        session = self._session
        oldest = self._now()
        try:
            # Also of those that are still learnt about: their outcomes are read already.
            for partition in list(session.assigned):
                position = await self._run(partial(session.position, partition))
                first = await self._read(partition.stream, position, 1, partition.number)
                oldest = min(oldest, first[0].received if first else oldest)
        except StoreError as error:
            self._failed(_GROUP, error)
            return
        await self._run(lambda: session.outcomes.forget(oldest - MARGIN_MS))

    def _failed(self, what: str, error: StoreError) -> None:
        if what not in self._failures:
            _log.warning("Kafka's group has trouble, trying again", error=str(error))
        self._failures[what] = str(error)

    def _now(self) -> int:
        return int(self._clock.now().timestamp() * 1000)

    async def _run(self, function: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, function)


def _name(partition: Partition) -> str:
    return f"{partition.stream}, partition {partition.number}"
