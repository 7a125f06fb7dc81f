"""The job's two ends in Kafka, as tables of Flink's SQL: bytes in, bytes out, nothing parsed.

Source: Flink's Apache Kafka SQL connector (metadata columns, raw format), version 5.0.
"""

from collections.abc import Iterable, Mapping

from revision_quality.streams.kafka.place import MAX_MESSAGE_BYTES

EDITS, OUTCOMES = "edits", "outcomes"
"""The tables' names."""

GROUP = "revision_quality.flink"
"""The consumer group whose positions are committed with every checkpoint."""

_EDITS = """CREATE TABLE {name} (
  `topic` STRING METADATA VIRTUAL,
  `partition` INT METADATA VIRTUAL,
  `offset` BIGINT METADATA VIRTUAL,
  `value` BYTES
) WITH ({options})"""

_OUTCOMES = """CREATE TABLE {name} (
  `topic` STRING METADATA,
  `headers` MAP<STRING, BYTES> METADATA,
  `key` BYTES,
  `value` BYTES
) WITH ({options})"""


def edits_table(
    servers: str, topics: Iterable[str], group: str, properties: Mapping[str, str]
) -> str:
    """Return the statement that makes the source of events; `properties` are Kafka's consumer's.

    It begins where the group has committed last, at the oldest event if nowhere.
    """
    consumer = {"auto.offset.reset": "earliest", "isolation.level": "read_committed", **properties}
    options = _kafka(servers, topics, consumer) | {
        "properties.group.id": group,
        "scan.startup.mode": "group-offsets",
        "format": "raw",
    }
    return _EDITS.format(name=EDITS, options=_written(options))


def outcomes_table(servers: str, topics: Iterable[str], properties: Mapping[str, str]) -> str:
    """Return the statement that makes the sink of outcomes; `properties` are Kafka's producer's.

    A row's topic must be one of `topics`.
    """
    producer = {
        "compression.type": "lz4",
        "max.request.size": str(MAX_MESSAGE_BYTES),
        **properties,
    }
    options = _kafka(servers, topics, producer) | {
        "key.format": "raw",
        "key.fields": "key",
        "value.format": "raw",
        "value.fields-include": "EXCEPT_KEY",
        "sink.delivery-guarantee": "at-least-once",
    }
    return _OUTCOMES.format(name=OUTCOMES, options=_written(options))


def _kafka(servers: str, topics: Iterable[str], properties: Mapping[str, str]) -> dict[str, str]:
    return {
        "connector": "kafka",
        "topic": ";".join(dict.fromkeys(topics)),
        "properties.bootstrap.servers": servers,
        **{f"properties.{key}": value for key, value in properties.items()},
    }


def _written(options: Mapping[str, str]) -> str:
    return ", ".join(f"{_text(key)} = {_text(value)}" for key, value in options.items())


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
