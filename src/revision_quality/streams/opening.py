"""Opening the log that a URL names."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from revision_quality.clock import Clock, system_clock
from revision_quality.errors import SettingsError
from revision_quality.streams.base import Streams
from revision_quality.streams.sqlite import SqliteStreams

_KAFKA = "kafka://"


def is_kafka(url: str | None) -> bool:
    """Tell whether a URL names a Kafka cluster."""
    return url is not None and url.startswith(_KAFKA)


def open_streams(
    url: str | None,
    file: Path,
    *,
    keep_days: int,
    options: Mapping[str, Any] = {},
    clock: Clock = system_clock,
) -> Streams:
    """Open `kafka://host:port,…`, or the SQLite `file` where the URL is no Kafka's.

    `options` are librdkafka's. Raises SettingsError for a URL that is none, and where the extra
    `kafka` is not installed; StoreError if the file cannot be opened.
    """
    if url is None or not is_kafka(url):
        return SqliteStreams(file, clock)
    try:
        from revision_quality.streams.kafka.place import parse_kafka_url  # noqa: PLC0415
        from revision_quality.streams.kafka.streams import KafkaStreams  # noqa: PLC0415
    except ImportError as error:
        raise SettingsError(
            f"streams.url: {url!r} needs confluent-kafka: run 'pip install revision-quality[kafka]'"
        ) from error
    return KafkaStreams(parse_kafka_url(url, keep_days=keep_days, options=options), clock)
