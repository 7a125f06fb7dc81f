"""A group's position in Kafka: what cannot be told now is an error, not the start."""

from typing import Any

import pytest
from confluent_kafka import KafkaError, TopicPartition

from revision_quality.errors import StoreError
from revision_quality.streams.base import START, Consumed
from revision_quality.streams.kafka import streams as module
from revision_quality.streams.kafka.place import KafkaPlace
from revision_quality.streams.kafka.streams import KafkaStreams
from revision_quality.streams.kafka.topics import Topics

NONE_YET, UNSETTLED = -1001, KafkaError(KafkaError.UNSTABLE_OFFSET_COMMIT)


class FakePartition(TopicPartition):
    """What a group's coordinator answers of a partition."""

    offset = NONE_YET
    error: Any = None


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> FakePartition:
    partition = FakePartition("edits", 0)

    class FakeConsumer:
        def __init__(self, _: object) -> None: ...

        def committed(self, asked: object, timeout: float) -> list[FakePartition]:
            return [partition]

        def commit(self, offsets: object, asynchronous: bool) -> list[FakePartition]:
            return [partition]

        def close(self) -> None: ...

    async def partitions(self: Topics, stream: str) -> int:
        return 1

    monkeypatch.setattr(module, "Consumer", FakeConsumer)
    monkeypatch.setattr(Topics, "partitions", partitions)
    return partition


async def test_a_position_that_is_not_stored_is_told(answer: FakePartition):
    consumed = [Consumed("group", "edits", 7)]
    async with KafkaStreams(KafkaPlace(servers="127.0.0.1:1")) as streams:
        assert await streams.append([], consumed) == []

        answer.error = UNSETTLED
        with pytest.raises(StoreError, match="group group: "):
            await streams.append([], consumed)


async def test_a_position_that_cannot_be_told_is_not_the_start(answer: FakePartition):
    async with KafkaStreams(KafkaPlace(servers="127.0.0.1:1")) as streams:
        assert await streams.position("group", "edits") == START
        answer.offset = 7
        assert await streams.position("group", "edits") == 7

        answer.offset, answer.error = NONE_YET, UNSETTLED
        with pytest.raises(StoreError, match="group group: "):
            await streams.position("group", "edits")
