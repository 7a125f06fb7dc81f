"""The address of a Kafka cluster, and what is wrong with one."""

import pytest

from revision_quality.errors import SettingsError
from revision_quality.streams.kafka.place import KafkaPlace, parse_kafka_url


def test_an_address_tells_brokers_prefix_and_new_topics():
    url = "kafka://one:9092,two:9092?prefix=eqiad.&partitions=24&replication=3"

    place = parse_kafka_url(url, keep_days=7, options={"security.protocol": "ssl"})

    assert place == KafkaPlace(
        servers="one:9092,two:9092",
        prefix="eqiad.",
        partitions=24,
        replication=3,
        keep_days=7,
        options={"security.protocol": "ssl"},
    )
    assert place.topic("mediawiki.page_change.v1") == "eqiad.mediawiki.page_change.v1"


def test_what_a_client_needs_goes_before_the_options_and_these_before_defaults():
    place = KafkaPlace(servers="one:9092", options={"acks": "1", "linger.ms": 7})

    client = place.client({"acks": "all"}, {"linger.ms": 0, "retries": 1})

    assert client["bootstrap.servers"] == "one:9092"
    assert (client["acks"], client["linger.ms"], client["retries"]) == ("all", 7, 1)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("kafka://", "is not such an address"),
        ("kafka:///topic", "is not such an address"),
        ("kafka://one:9092/topic", "is not such an address"),
        ("kafka://one:9092?partition=3", "does not know partition"),
        ("kafka://one:9092?partitions=0", "partitions"),
        ("kafka://one:9092?partitions=many", "partitions"),
        ("kafka://one:9092?prefix=a/b", "prefix"),
    ],
)
def test_a_wrong_address_is_told_in_one_sentence(url: str, told: str):
    with pytest.raises(SettingsError, match=rf"streams\.url: .*{told}"):
        parse_kafka_url(url, keep_days=31)
