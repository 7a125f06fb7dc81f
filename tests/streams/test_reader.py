"""Reading a partition at several places at once: nothing is said to be the end that is not."""

import asyncio
from typing import cast

import pytest
from confluent_kafka import Consumer, KafkaError

from revision_quality.streams.kafka import reader as module
from revision_quality.streams.kafka.follower import Follower
from revision_quality.streams.kafka.reader import Reader
from tests.streams.test_follower import EDITS, PLACE, FakeConsumer, FakeMessage, offsets

END = FakeMessage(EDITS, 0, KafkaError._PARTITION_EOF)
EVENTS = [FakeMessage(EDITS, offset) for offset in range(3)]


async def test_what_one_has_read_is_there_for_another_who_has_not_fetched_it_yet(
    monkeypatch: pytest.MonkeyPatch,
):
    consumers = iter([FakeConsumer([END], EVENTS), FakeConsumer([END], [], EVENTS)])
    monkeypatch.setattr(
        module, "Follower", lambda place: Follower(place, cast(Consumer, next(consumers)))
    )
    reader = Reader(PLACE, {})
    at_the_end = await asyncio.gather(*(reader.read(EDITS, 0, 10) for _ in range(2)))
    assert at_the_end == [[], []]

    for _ in range(2):
        assert offsets(await reader.read(EDITS, 0, 10)) == [0, 1, 2]
