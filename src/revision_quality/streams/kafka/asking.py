"""Questions to brokers: asked again while a partition's leader is not settled."""

import time
from collections.abc import Callable
from typing import TypeVar

from confluent_kafka import KafkaError, KafkaException

from revision_quality.errors import StoreError

SECONDS = 15.0
"""How long an answer may take, asking again included."""

REFRESH_SECONDS = 2.0
"""How long to look for the leaders before asking again."""

_PAUSE = 0.1
_UNSETTLED = {
    # What librdkafka remembers of a broker that had just started and did not know its topics yet.
    KafkaError._UNKNOWN_PARTITION,
    KafkaError._UNKNOWN_TOPIC,
    KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError.LEADER_NOT_AVAILABLE,
    KafkaError.FENCED_LEADER_EPOCH,
    KafkaError.UNKNOWN_LEADER_EPOCH,
    KafkaError.UNKNOWN_TOPIC_OR_PART,
}

T = TypeVar("T")


def ask(question: Callable[[], T], what: str, refresh: Callable[[], object] = lambda: None) -> T:
    """Return the answer; `refresh` makes the client look for the leaders before it asks again.

    Raises StoreError that begins with `what`.
    """
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            return question()
        except KafkaException as error:
            told = error.args[0]
            if told.code() not in _UNSETTLED or time.monotonic() > deadline:
                raise StoreError(f"{what}: {told.str()}") from error
            refresh()
            time.sleep(_PAUSE)
