"""One consumer without a group that follows partitions, each from where it is told to."""

import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from revision_quality.errors import StoreError
from revision_quality.streams.kafka.asking import REFRESH_SECONDS, ask
from revision_quality.streams.kafka.place import KafkaPlace

TopicKey = tuple[str, int]
"""A topic and the number of a partition."""

WAIT_SECONDS = 15.0
"""How long a partition may not answer before that is an error."""

T = TypeVar("T")

_MANY, _FEW = 1000, 250
_AT_ONCE = 250
_POLL_SECONDS = 0.05

_CONSUMER = {
    "group.id": "revision_quality.no_group",
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "enable.partition.eof": True,
    "isolation.level": "read_committed",
    "auto.offset.reset": "earliest",
    "fetch.wait.max.ms": 50,
    # Of each partition at once; a larger event comes alone (KIP-74).
    "fetch.message.max.bytes": 256 * 1024,
    # Of each follower. A scorer far behind has several, and with twice as much took twice the
    # memory in all.
    "queued.max.messages.kbytes": 4096,
}


class _Place:
    """Where a partition is: what was fetched and not read, and whether that is all there is."""

    def __init__(self, offset: int) -> None:
        self.buffer: deque[Message] = deque()
        self.offset = offset
        self.taken = offset
        self.is_at_end = False
        self.end = 0
        self.is_paused = False


class Follower:
    """For one thread. Offsets are Kafka's own; errors are StoreErrors naming topic and cause."""

    def __init__(self, place: KafkaPlace, consumer: Consumer | None = None) -> None:
        self._servers = place.servers
        self._consumer = consumer or Consumer(place.client(_CONSUMER))
        self._places: dict[TopicKey, _Place] = {}

    def seek(self, key: TopicKey, offset: int) -> None:
        """Follow a partition from `offset` on, wherever it was before."""
        self.leave(key)
        where = [TopicPartition(*key, offset)]
        self._tell(lambda: self._consumer.incremental_assign(where), key)
        self._places[key] = _Place(offset)

    def leave(self, key: TopicKey) -> None:
        """Follow a partition no more."""
        place = self._places.pop(key, None)
        if place is None:
            return
        if place.is_paused:
            # librdkafka would keep it paused when it is followed again.
            self._consumer.resume([TopicPartition(*key)])
        self._consumer.incremental_unassign([TopicPartition(*key)])

    def end_of(self, key: TopicKey) -> int:
        """Return the offset up to which everything was taken, or is there to be taken."""
        return self._places[key].end

    def read(self, key: TopicKey, offset: int, limit: int, known_end: int) -> list[Message]:
        """Return what comes from `offset` on, up to `limit`.

        Nothing comes at the end only, which is at `known_end` or later.
        """
        if key not in self._places or self._places[key].taken != offset:
            self.seek(key, offset)
        place = self._places[key]
        self.pump(0)
        deadline = time.monotonic() + WAIT_SECONDS
        while not place.buffer and not (place.is_at_end and place.end >= known_end):
            if time.monotonic() > deadline:
                raise StoreError(
                    f"Kafka at {self._servers} does not answer for topic {key[0]},"
                    f" partition {key[1]}"
                )
            self.pump(_POLL_SECONDS)
        return self.take(key, limit)

    def take(self, key: TopicKey, limit: int) -> list[Message]:
        """Return up to `limit` of what was fetched."""
        place = self._places[key]
        taken = [place.buffer.popleft() for _ in range(min(limit, len(place.buffer)))]
        if taken:
            place.taken = (taken[-1].offset() or 0) + 1
        if place.is_paused and len(place.buffer) < _FEW:
            self._consumer.resume([TopicPartition(*key)])
            place.is_paused = False
        return taken

    def pump(self, seconds: float) -> int:
        """Fetch what there is, waiting up to `seconds` for the first; return how many events."""
        messages = self._consumer.consume(_AT_ONCE, seconds)
        troubles = [trouble for message in messages if (trouble := self._sort(message))]
        if troubles:
            # Only now: what came with it is fetched once.
            raise troubles[0]
        return len(messages)

    def offset_at(self, key: TopicKey, moment: int) -> int | None:
        """Return the first offset at or after `moment` (Unix ms), None where there is none."""
        asked = [TopicPartition(*key, moment)]

        def question() -> int:
            [found] = self._consumer.offsets_for_times(asked, WAIT_SECONDS)
            if found.error is not None:
                raise KafkaException(found.error)
            return found.offset

        offset = self._tell(question, key)
        return offset if offset >= 0 else None

    def end_now(self, key: TopicKey) -> int:
        """Ask for the offset behind the last event that can be read."""
        asked = TopicPartition(*key)
        return self._tell(lambda: self._consumer.get_watermark_offsets(asked, WAIT_SECONDS), key)[1]

    def close(self) -> None:
        """Let go of the connections."""
        self._consumer.close()

    def _tell(self, question: Callable[[], T], key: TopicKey) -> T:
        what = f"Kafka at {self._servers}, topic {key[0]}, partition {key[1]}"
        return ask(question, what, lambda: self._refresh(key[0]))

    def _refresh(self, topic: str) -> None:
        with suppress(KafkaException):
            self._consumer.list_topics(topic, REFRESH_SECONDS)

    def _sort(self, message: Message) -> StoreError | None:
        """Put a message where it belongs; return what is wrong with its partition."""
        key = (str(message.topic()), int(message.partition() or 0))
        place = self._places.get(key)
        error = message.error()
        offset = message.offset()
        if place is None or offset is None:
            return None
        if error is None:
            self._keep(key, place, message, offset)
        elif error.code() == KafkaError._PARTITION_EOF:
            place.is_at_end = True
            place.end = max(place.end, offset)
        elif not error.retriable():
            return StoreError(f"Kafka at {self._servers}, topic {key[0]}: {error.str()}")
        return None

    def _keep(self, key: TopicKey, place: _Place, message: Message, offset: int) -> None:
        if offset < place.offset:
            return
        place.buffer.append(message)
        place.offset = offset + 1
        place.is_at_end = False
        place.end = max(place.end, offset + 1)
        if len(place.buffer) > _MANY and not place.is_paused:
            self._consumer.pause([TopicPartition(*key)])
            place.is_paused = True
