"""Which Kafka, and how this package's topics are kept there."""

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import parse_qsl, urlsplit

import msgspec
from msgspec import Meta, Struct

from revision_quality.errors import SettingsError

SCHEME = "kafka://"
GROUP_PREFIX = "revision_quality."

MAX_MESSAGE_BYTES = 4 * 1024 * 1024
"""As at Wikimedia (`message.max.bytes`), and EventGate's limit for one event."""

_CRITICAL = 2
"""Syslog's level: what does not answer is told by the calls that fail."""

_EXAMPLE = "kafka://broker1:9092,broker2:9092?prefix=eqiad."


class KafkaPlace(Struct, frozen=True, kw_only=True):
    """A cluster: `servers` are some of its brokers, `host:port` with commas.

    `prefix` stands before every topic's name, as `eqiad.` does at Wikimedia. Topics that are
    missing are made with `partitions`, `replication` copies (-1: the cluster's default) and a
    retention of `keep_days`; those that are there stay as they are. `options` are librdkafka's,
    such as `security.protocol` (its CONFIGURATION.md).
    """

    servers: str
    prefix: Annotated[str, Meta(pattern=r"^[A-Za-z0-9._-]{0,100}$")] = ""
    partitions: Annotated[int, Meta(ge=1, le=10_000)] = 12
    replication: Annotated[int, Meta(ge=-1, le=100)] = -1
    keep_days: Annotated[int, Meta(ge=1, le=36_500)] = 31
    options: Mapping[str, str | int | float | bool] = {}

    def topic(self, stream: str) -> str:
        """Return the name of a stream's topic."""
        return self.prefix + stream

    def client(self, own: Mapping[str, Any], defaults: Mapping[str, Any] = {}) -> dict[str, Any]:
        """Return a client's configuration: `own` before the options, these before `defaults`."""
        first = {"bootstrap.servers": self.servers, "log_level": _CRITICAL}
        return first | dict(defaults) | dict(self.options) | dict(own)


def parse_kafka_url(url: str, *, keep_days: int, options: Mapping[str, Any] = {}) -> KafkaPlace:
    """Read `kafka://host:port,host:port?prefix=…&partitions=…&replication=…`.

    Raises SettingsError saying what is wrong with it.
    """
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    wrong = set(query) - {"prefix", "partitions", "replication"}
    if not url.startswith(SCHEME) or not parts.netloc or parts.path not in ("", "/") or wrong:
        told = f"does not know {', '.join(sorted(wrong))}" if wrong else "is not such an address"
        raise SettingsError(f"streams.url: {url!r} {told}; expected, for example, {_EXAMPLE}")
    values = {"servers": parts.netloc, "keep_days": keep_days, "options": options} | query
    try:
        return msgspec.convert(values, KafkaPlace, strict=False)
    except msgspec.ValidationError as error:
        raise SettingsError(f"streams.url: {url!r}: {error}") from error
