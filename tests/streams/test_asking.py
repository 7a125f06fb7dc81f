"""Brokers are asked again where they, or what a client remembers of them, are not settled."""

import pytest

from revision_quality.errors import StoreError

confluent_kafka = pytest.importorskip("confluent_kafka")

UNSETTLED = ["_UNKNOWN_PARTITION", "_UNKNOWN_TOPIC", "LEADER_NOT_AVAILABLE"]


@pytest.mark.parametrize("code", UNSETTLED)
def test_a_client_that_remembers_a_starting_broker_looks_for_the_leaders_anew(code):
    from revision_quality.streams.kafka.asking import ask  # noqa: PLC0415

    told = ["before"]

    def question() -> str:
        if len(told) < 3:
            raise confluent_kafka.KafkaException(
                confluent_kafka.KafkaError(getattr(confluent_kafka.KafkaError, code))
            )
        return "there"

    assert ask(question, "Kafka", lambda: told.append("refreshed")) == "there"
    assert told == ["before", "refreshed", "refreshed"]


def test_what_is_wrong_for_good_is_told_at_once():
    from revision_quality.streams.kafka.asking import ask  # noqa: PLC0415

    def question() -> str:
        error = confluent_kafka.KafkaError.TOPIC_AUTHORIZATION_FAILED
        raise confluent_kafka.KafkaException(confluent_kafka.KafkaError(error))

    with pytest.raises(StoreError, match="Kafka at k:9092"):
        ask(question, "Kafka at k:9092", lambda: pytest.fail("asked again"))
