"""Reading an event's bytes: what is wrong with it is told in one sentence."""

from typing import Generic, Protocol, TypeVar

import msgspec

from revision_quality.errors import InvalidEventError

MAX_EVENT_BYTES = 4 * 1024 * 1024
"""EventGate's limit for one event at Wikimedia (Kafka `message.max.bytes`)."""


class _Event(Protocol):
    @property
    def schema(self) -> str: ...


T = TypeVar("T", bound=_Event)


class EventDecoder(Generic[T]):
    """Reads events of the schema that begins with `prefix`; `name` is what errors call them."""

    def __init__(self, kind: type[T], name: str, prefix: str) -> None:
        self._decoder = msgspec.json.Decoder(kind)
        self._name = name
        self._prefix = prefix

    def __call__(self, raw: bytes) -> T:
        """Read an event. Raises InvalidEventError naming the field and what was expected."""
        if len(raw) > MAX_EVENT_BYTES:
            raise InvalidEventError(
                f"the event has {len(raw)} bytes, more than the limit of {MAX_EVENT_BYTES}"
            )
        try:
            event = self._decoder.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise InvalidEventError(f"not a {self._name} event: {error}") from error
        if not event.schema.startswith(self._prefix):
            raise InvalidEventError(f"$schema is {event.schema!r}, expected {self._prefix}x")
        return event
