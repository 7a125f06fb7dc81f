"""A follower of partitions: trouble with one costs the others nothing."""

from collections.abc import Sequence
from typing import Any, cast

import pytest
from confluent_kafka import Consumer, KafkaError, TopicPartition
from msgspec import Struct

from revision_quality.errors import StoreError
from revision_quality.streams.kafka.follower import Follower
from revision_quality.streams.kafka.place import KafkaPlace

PLACE = KafkaPlace(servers="broker:9092")
EDITS, SCORES = ("edits", 0), ("scores", 3)


class FakeMessage(Struct):
    """An event of a partition, or trouble with it."""

    key: tuple[str, int]
    at: int
    code: int | None = None

    def topic(self) -> str:
        return self.key[0]

    def partition(self) -> int:
        return self.key[1]

    def offset(self) -> int:
        return self.at

    def error(self) -> KafkaError | None:
        return None if self.code is None else KafkaError(self.code)


class FakeOffset(Struct):
    """What a broker answers to the question for a time."""

    offset: int = -1
    error: KafkaError | None = None


class FakeConsumer:
    """Gives what it was told to, some messages at each call, and takes any assignment."""

    def __init__(self, *answers: Sequence[FakeMessage]) -> None:
        self._answers = list(answers)
        self.offset = FakeOffset()

    def consume(self, number: int, seconds: float) -> Sequence[FakeMessage]:
        return self._answers.pop(0) if self._answers else ()

    def incremental_assign(self, places: list[TopicPartition]) -> None: ...

    incremental_unassign = incremental_assign

    def offsets_for_times(self, asked: object, seconds: float) -> list[FakeOffset]:
        return [self.offset]


def follower_of(consumer: FakeConsumer) -> Follower:
    return Follower(PLACE, cast(Consumer, consumer))


def offsets(messages: Sequence[Any]) -> list[int]:
    return [message.offset() for message in messages]


async def test_trouble_with_one_partition_loses_no_event_of_another():
    trouble = FakeMessage(SCORES, 7, KafkaError.TOPIC_AUTHORIZATION_FAILED)
    fetched = [FakeMessage(EDITS, 0), trouble, FakeMessage(EDITS, 1), FakeMessage(EDITS, 2)]
    follower = follower_of(FakeConsumer(fetched))
    follower.seek(SCORES, 7)
    follower.seek(EDITS, 0)

    with pytest.raises(StoreError, match="topic scores"):
        follower.read(EDITS, 0, 10, 0)

    assert offsets(follower.read(EDITS, 0, 10, 0)) == [0, 1, 2]


def test_a_time_that_cannot_be_looked_for_is_not_taken_for_one_behind_the_end():
    consumer = FakeConsumer()
    follower = follower_of(consumer)
    assert follower.offset_at(EDITS, 1000) is None
    consumer.offset.offset = 7
    assert follower.offset_at(EDITS, 1000) == 7

    consumer.offset = FakeOffset(-1001, KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED))
    with pytest.raises(StoreError, match="topic edits, partition 0: "):
        follower.offset_at(EDITS, 1000)
