"""error: an event that could not be dealt with, whole, so that it can be looked at and replayed.

Source: the schema `/error/2.1.0`, which EventGate and Wikimedia's stream jobs write.
"""

import msgspec
from msgspec import Struct, field

from revision_quality.events.meta import Meta, event_id
from revision_quality.events.streams import DEAD_LETTER

SCHEMA = "/error/2.1.0"

_MOST_RAW = 512 * 1024
"""Bytes of an event: written as JSON in JSON each may become six, and a message has 4 MiB."""

MOST_MESSAGE = 2000
"""Characters of what is said of an event: a model may say what its whole text is."""


class ErrorEvent(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The event; `raw_event` is the unreadable one as text, bytes that are no UTF-8 replaced.

    Of one that is too large to be kept whole it is the beginning, and `message` says so.
    """

    schema: str = field(name="$schema", default=SCHEMA)
    meta: Meta
    emitter_id: str
    message: str
    raw_event: str
    error_type: str
    errored_stream_name: str


def build_error(
    *, emitter_id: str, stream: str, offset: int, raw: bytes, error: Exception, partition: int = 0
) -> ErrorEvent:
    """Build the dead letter of the event at `offset` of a partition of `stream`."""
    place = (stream, offset, partition) if partition else (stream, offset)
    message = str(error)[:MOST_MESSAGE]
    if len(raw) > _MOST_RAW:
        message += f" (the first {_MOST_RAW} of {len(raw)} bytes are kept)"
    return ErrorEvent(
        meta=Meta(stream=DEAD_LETTER, id=event_id("error", emitter_id, *place)),
        emitter_id=emitter_id,
        message=message,
        raw_event=raw[:_MOST_RAW].decode("utf-8", "replace"),
        error_type=type(error).__name__,
        errored_stream_name=stream,
    )


def decode_error(raw: bytes) -> ErrorEvent:
    """Read an event that this package wrote."""
    return msgspec.json.decode(raw, type=ErrorEvent)
