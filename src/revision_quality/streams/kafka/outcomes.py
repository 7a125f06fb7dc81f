"""What a member remembers of outcome streams, so that no event has its outcome twice.

An outcome is in the partition of the same number as the event that it came of. Of the partitions
that go with its claims a member reads the ids of outcomes, from the time of the first event that is
not dealt with, and follows them from there: also what others publish, on request, becomes known.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

import msgspec
from confluent_kafka import IsolationLevel, KafkaException, Message, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._listoffsets import OffsetSpec
from msgspec import Struct

from revision_quality.streams.base import Partition
from revision_quality.streams.kafka.asking import REFRESH_SECONDS, ask
from revision_quality.streams.kafka.follower import WAIT_SECONDS, Follower, TopicKey
from revision_quality.streams.kafka.place import KafkaPlace
from revision_quality.streams.kafka.publisher import ID_HEADER
from revision_quality.streams.kafka.remembered import Remembered, number_of

_AT_ONCE = 10_000
_LATEST: Any = OffsetSpec.latest()  # type: ignore[no-untyped-call]


class _Meta(Struct, frozen=True):
    id: str = ""


class _Event(Struct, frozen=True):
    meta: _Meta = _Meta()


class _Tail(Struct):
    since: int
    users: set[Partition]
    ids: Remembered
    target: int = 0


class Outcomes:
    """For one thread; `counts` are the partitions of each outcome stream."""

    def __init__(self, place: KafkaPlace, counts: Mapping[str, int]) -> None:
        self._place = place
        self._counts = counts
        self._admin = AdminClient(place.client({}))
        self._follower = Follower(place)
        self._tails: dict[TopicKey, _Tail] = {}

    def number_in(self, stream: str, partition: Partition) -> int:
        """Return the partition of an outcome stream that goes with a claimed one."""
        return partition.number % self._counts[stream]

    def begin(self, partition: Partition, since: int) -> None:
        """Read what came of a partition's events since `since`, in Unix ms. Raises StoreError."""
        for key in self._keys(partition):
            tail = self._tails.get(key)
            if tail is None or since < tail.since:
                # Asking may fail: only a tail that is followed is kept.
                offset = self._follower.offset_at(key, since)
                self._follower.seek(key, self._end(key) if offset is None else offset)
                # What is known stays known to others meanwhile.
                users, ids = (tail.users, tail.ids) if tail else (set(), Remembered())
                tail = self._tails[key] = _Tail(since, users, ids)
            tail.users.add(partition)
        self.aim(partition)

    def aim(self, partition: Partition) -> None:
        """Ask anew how far there is to read before all is known. Raises StoreError."""
        for key in self._keys(partition):
            target = self._end(key)
            self._tails[key].target = target

    def leave(self, partition: Partition) -> None:
        """Forget what only this partition needed."""
        for key in self._keys(partition):
            tail = self._tails.get(key)
            if tail is not None:
                tail.users.discard(partition)
                if not tail.users:
                    del self._tails[key]
                    self._follower.leave(key)

    def knows_all(self, partition: Partition) -> bool:
        """Read on; tell whether everything is known that was there when it was asked last."""
        self.read_on()
        return all(
            key in self._tails and self._follower.end_of(key) >= self._tails[key].target
            for key in self._keys(partition)
        )

    def read_on(self) -> None:
        """Take what there is without waiting. Raises StoreError."""
        while self._follower.pump(0):
            self._take()
        self._take()

    def known(self, stream: str, ids: Iterable[str]) -> set[str]:
        """Return those of `ids` that are known."""
        numbers = {number_of(identifier): identifier for identifier in ids}
        topic = self._place.topic(stream)
        found: set[int] = set()
        for key, tail in list(self._tails.items()):
            if key[0] == topic:
                found |= tail.ids.known(numbers)
        return {numbers[number] for number in found}

    def add(self, stream: str, partition: Partition, identifier: str, now: int) -> None:
        """Remember what was just published."""
        tail = self._tails.get((self._place.topic(stream), self.number_in(stream, partition)))
        if tail is not None:
            tail.ids.add(number_of(identifier), now)

    def forget(self, before: int) -> None:
        """Let go of ids of outcomes older than `before`, in Unix ms."""
        for tail in self._tails.values():
            tail.ids.forget(before)
            tail.since = max(tail.since, before)

    def close(self) -> None:
        """Let go of the connections."""
        self._follower.close()

    def _keys(self, partition: Partition) -> list[TopicKey]:
        return [
            (self._place.topic(stream), self.number_in(stream, partition))
            for stream in self._counts
        ]

    def _refresh(self) -> None:
        with suppress(KafkaException):
            self._admin.list_topics(timeout=REFRESH_SECONDS)

    def _take(self) -> None:
        for key, tail in self._tails.items():
            for message in self._follower.take(key, _AT_ONCE):
                tail.ids.add(_number_in(message), message.timestamp()[1])

    def _end(self, key: TopicKey) -> int:
        """Return the end with the transactions that are still open: they may yet be committed."""
        asked: Any = TopicPartition(*key)

        def question() -> int:
            futures = self._admin.list_offsets(
                {asked: _LATEST}, isolation_level=IsolationLevel.READ_UNCOMMITTED
            )
            return int(futures[asked].result(WAIT_SECONDS).offset)

        what = f"Kafka at {self._place.servers}, topic {key[0]}"
        return ask(question, what, self._refresh)


def _number_in(message: Message) -> int:
    headers: Any = message.headers() or ()
    for name, value in headers:
        if name == ID_HEADER and isinstance(value, bytes):
            return _number(value.decode("ascii", "replace"))
    try:
        return _number(msgspec.json.decode(message.value() or b"{}", type=_Event).meta.id)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return 0


def _number(identifier: str) -> int:
    try:
        return number_of(identifier)
    except ValueError:
        return 0
