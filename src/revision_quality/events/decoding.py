"""Reading an event's bytes: what is wrong with it is told in one sentence."""

from typing import Generic, Protocol, TypeVar

import msgspec

from revision_quality.errors import InvalidEventError

MAX_OUTCOME_BYTES = 4 * 1024 * 1024
"""EventGate's limit for one event at Wikimedia (Kafka `message.max.bytes`)."""

MAX_EVENT_BYTES = MAX_OUTCOME_BYTES - 64 * 1024
"""Of an event that comes in: what comes of it holds it, and must find room in a log, too."""


class _Event(Protocol):
    @property
    def schema(self) -> str: ...


T = TypeVar("T", bound=_Event)


class EventDecoder(Generic[T]):
    """Reads events of the schema that begins with `prefix`; `name` is what errors call them.

    They have up to `most` bytes.
    """

    def __init__(self, kind: type[T], name: str, prefix: str, most: int = MAX_EVENT_BYTES) -> None:
        self._decoder = msgspec.json.Decoder(kind)
        self._name = name
        self._prefix = prefix
        self._most = most

    def __call__(self, raw: bytes) -> T:
        """Read an event. Raises InvalidEventError naming the field and what was expected."""
        if len(raw) > self._most:
            raise InvalidEventError(
                f"the event has {len(raw)} bytes, more than the limit of {self._most}"
            )
        try:
            event = self._decoder.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise InvalidEventError(f"not a {self._name} event: {error}") from error
        if not event.schema.startswith(self._prefix):
            raise InvalidEventError(f"$schema is {event.schema!r}, expected {self._prefix}x")
        return event
