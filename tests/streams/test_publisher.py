"""Appending to Kafka: whoever appends is told what became of it."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, cast
from uuid import UUID

import pytest
from confluent_kafka import KafkaError, KafkaException, Producer

from revision_quality.errors import StoreError
from revision_quality.streams.base import Outgoing
from revision_quality.streams.kafka.place import KafkaPlace
from revision_quality.streams.kafka.publisher import Publisher

PLACE = KafkaPlace(servers="broker:9092")

Told = Callable[[KafkaError | None, Any], None]


class FakeProducer:
    """Tells of one event at each poll."""

    def __init__(self, error: KafkaError | None = None, refusal: KafkaError | None = None) -> None:
        self._error = error
        self._refusal = refusal
        self._left: deque[Told] = deque()

    def produce(self, topic: str, *, on_delivery: Told, **_: Any) -> None:
        if self._refusal is not None:
            raise KafkaException(self._refusal)
        self._left.append(on_delivery)

    def poll(self, seconds: float) -> None:
        if self._left and self._error is not None:
            self._left.popleft()(self._error, None)

    def __len__(self) -> int:
        return len(self._left)

    def __bool__(self) -> bool:
        return True

    def purge(self) -> None: ...

    def flush(self, seconds: float) -> None: ...


def event(number: int) -> Outgoing:
    return Outgoing("edits", str(UUID(int=number)), "", b"")


def publisher_of(*producers: FakeProducer) -> Publisher:
    made = iter(producers)
    return Publisher(PLACE, {}, make=lambda: cast(Producer, next(made)))


async def test_nobody_waits_for_a_producer_that_was_given_up():
    fatal = KafkaError(KafkaError.OUT_OF_ORDER_SEQUENCE_NUMBER, "out of order", True)
    publisher = publisher_of(FakeProducer(fatal), FakeProducer())

    appending = [asyncio.create_task(publisher.append([event(number)])) for number in range(5)]
    async with asyncio.timeout(5):
        told = await asyncio.gather(*appending, return_exceptions=True)

    assert {type(each) for each in told} == {StoreError}
    await publisher.close()


async def test_a_producer_that_takes_nothing_any_more_is_made_anew():
    over = KafkaError(KafkaError._FATAL)
    publisher = publisher_of(FakeProducer(refusal=over), FakeProducer(KafkaError(1)))

    for _ in range(2):
        with pytest.raises(StoreError, match="takes no events: "):
            await publisher.append([event(1)])
    await publisher.close()


async def test_an_event_that_is_refused_at_once_is_told_as_any_other_failure():
    too_large = KafkaError(KafkaError.MSG_SIZE_TOO_LARGE)
    publisher = publisher_of(FakeProducer(refusal=too_large))

    with pytest.raises(StoreError, match="takes no events: "):
        await publisher.append([event(1)])
    await publisher.close()
