"""The durable log in Kafka.

Offsets here are Kafka's plus one, since START is 0: a position is then the very number that Kafka
keeps as a group's committed offset.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import AsyncExitStack
from typing import Self

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from revision_quality.bell import Bell
from revision_quality.clock import Clock, system_clock
from revision_quality.errors import StoreError
from revision_quality.streams.base import START, Consumed, Outgoing, Record
from revision_quality.streams.kafka.follower import TopicKey
from revision_quality.streams.kafka.member import KafkaMember
from revision_quality.streams.kafka.place import GROUP_PREFIX, KafkaPlace
from revision_quality.streams.kafka.publisher import Publisher
from revision_quality.streams.kafka.reader import Reader
from revision_quality.streams.kafka.topics import ANSWER_SECONDS, Topics

_POLL_SECONDS = 0.1
"""How soon what others append is looked for."""


class KafkaStreams:
    """A stream is a topic, parted by page; there is no index by id (see base.Index).

    Connections are made when they are needed; use it within one event loop.
    """

    def __init__(self, place: KafkaPlace, clock: Clock = system_clock) -> None:
        self._place = place
        self._clock = clock
        self._bell = Bell()
        self._ends: dict[TopicKey, int] = {}
        self._topics = Topics(place)
        self._publisher = Publisher(place, self._ends)
        self._reader = Reader(place, self._ends)
        self._members: list[KafkaMember] = []
        self._groups: dict[str, Consumer] = {}
        self._committing = asyncio.Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def append(
        self, events: Iterable[Outgoing], consumed: Sequence[Consumed] = ()
    ) -> list[Outgoing]:
        """Append to every replica, then commit the positions; leave out what is remembered.

        A member of a group commits by its own `publish`.
        """
        batch = list(events)
        for stream in {event.stream for event in batch}:
            await self._topics.partitions(stream)
        written = await self._publisher.append(batch)
        if written:
            self._bell.ring()
        for position in consumed:
            await self._commit(position)
        return written

    async def partitions(self, stream: str) -> int:
        """Return how many partitions the stream's topic has; it is made if it is missing."""
        return await self._topics.partitions(stream)

    async def read(self, stream: str, after: int, limit: int, partition: int = 0) -> list[Record]:
        """Read up to `limit` events behind offset `after`, in order; none at the end only."""
        if partition >= await self._topics.partitions(stream):
            return []
        key = (self._place.topic(stream), partition)
        messages = await self._reader.read(key, after, limit)
        return [_record(stream, message) for message in messages]

    async def position(self, group: str, stream: str, partition: int = 0) -> int:
        """Return the offset that `group` committed last, START if none."""
        if partition >= await self._topics.partitions(stream):
            return START
        asked = TopicPartition(self._place.topic(stream), partition)
        async with self._committing:
            consumer = self._group(group)
            found = await self._ask(group, lambda: consumer.committed([asked], ANSWER_SECONDS))
        return max(found.offset, START)

    async def end(self, stream: str, partition: int = 0) -> int:
        """Return the offset behind which nothing lies; marks of transactions count too."""
        if partition >= await self._topics.partitions(stream):
            return START
        return await self._reader.end((self._place.topic(stream), partition))

    async def offset_at(self, stream: str, moment: int, partition: int = 0) -> int:
        """Return the offset behind which events from `moment` (Unix ms) on lie."""
        if partition >= await self._topics.partitions(stream):
            return START
        return await self._reader.offset_at((self._place.topic(stream), partition), moment)

    async def join(
        self, group: str, streams: Sequence[str], outcomes: Sequence[str] = ()
    ) -> KafkaMember:
        """Become a member of `group`; its claims come as soon as the group has parted them."""
        for stream in streams:
            await self._topics.partitions(stream)
        counts = {stream: await self._topics.partitions(stream) for stream in outcomes}
        member = KafkaMember(self._place, group, streams, counts, read=self.read, clock=self._clock)
        self._members.append(member)
        return member

    def appended(self) -> int:
        """Return a number that grows with every append of this process."""
        return self._bell.rings

    async def wait(self, appended: int, seconds: float) -> None:
        """Return as soon as something was appended since `appended`, or may have been elsewhere."""
        await self._bell.wait(appended, min(seconds, _POLL_SECONDS))

    async def close(self) -> None:
        """Leave all groups and let go of the connections."""
        async with AsyncExitStack() as closing:
            for consumer in self._groups.values():
                closing.push_async_callback(asyncio.to_thread, consumer.close)
            closing.push_async_callback(self._reader.close)
            closing.push_async_callback(self._publisher.close)
            for member in self._members:
                closing.push_async_callback(member.close)
        self._groups.clear()
        self._members.clear()

    async def _commit(self, position: Consumed) -> None:
        await self._topics.partitions(position.stream)
        topic = self._place.topic(position.stream)
        offsets = [TopicPartition(topic, position.partition, position.offset)]
        async with self._committing:
            consumer = self._group(position.group)
            await self._ask(
                position.group, lambda: consumer.commit(offsets=offsets, asynchronous=False)
            )

    def _group(self, group: str) -> Consumer:
        if group not in self._groups:
            own = {"group.id": GROUP_PREFIX + group, "enable.auto.commit": False}
            self._groups[group] = Consumer(self._place.client(own))
        return self._groups[group]

    async def _ask(self, group: str, call: Callable[[], list[TopicPartition]]) -> TopicPartition:
        """Return what is answered of the one partition that is asked about."""
        try:
            [found] = await asyncio.to_thread(call)
        except KafkaException as error:
            raise self._trouble(group, error.args[0]) from error
        if found.error is not None:
            raise self._trouble(group, found.error)
        return found

    def _trouble(self, group: str, error: KafkaError) -> StoreError:
        return StoreError(f"Kafka at {self._place.servers}, group {group}: {error.str()}")


def _record(stream: str, message: Message) -> Record:
    offset, partition = message.offset() or 0, message.partition() or 0
    return Record(stream, offset + 1, message.timestamp()[1], message.value() or b"", partition)
