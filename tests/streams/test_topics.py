"""How many partitions a stream has: as many as its topic, whatever a client knows of it yet."""

from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any, cast

import pytest
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from revision_quality.errors import StoreError
from revision_quality.streams.kafka import topics
from revision_quality.streams.kafka.place import KafkaPlace
from revision_quality.streams.kafka.topics import Topics

PLACE = KafkaPlace(servers="broker:9092", partitions=12)


class FakeAdmin:
    """Knows a topic's partitions from the call number `late` on; it is there already."""

    def __init__(self, partitions: int, late: int) -> None:
        self._partitions = partitions
        self._late = late

    def list_topics(self, timeout: float) -> Any:
        self._late -= 1
        known = {} if self._late > 0 else {"edits": self._partitions}
        return SimpleNamespace(
            topics={
                name: SimpleNamespace(partitions=dict.fromkeys(range(number)))
                for name, number in known.items()
            }
        )

    def create_topics(self, new: Any, operation_timeout: float) -> dict[str, Future[None]]:
        made: Future[None] = Future()
        made.set_exception(KafkaException(KafkaError(KafkaError.TOPIC_ALREADY_EXISTS)))
        return {"edits": made}


def topics_of(admin: FakeAdmin) -> Topics:
    return Topics(PLACE, cast(AdminClient, admin))


@pytest.mark.parametrize("late", [1, 2, 5])
async def test_a_topic_that_a_client_learns_of_late_has_its_own_number(late: int):
    assert await topics_of(FakeAdmin(24, late)).partitions("edits") == 24


async def test_a_number_is_not_guessed(monkeypatch):
    monkeypatch.setattr(topics, "ANSWER_SECONDS", 0.3)
    with pytest.raises(StoreError, match="topic edits"):
        await topics_of(FakeAdmin(24, late=1000)).partitions("edits")
