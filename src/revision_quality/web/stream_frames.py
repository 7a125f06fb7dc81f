"""Events as EventStreams sends them: server-sent events, or one JSON object a line."""

from collections.abc import Sequence

import msgspec
import structlog

from revision_quality.streams.base import Partition, Record
from revision_quality.web.stream_positions import Positions, event_id

SSE_START, LINES_START = b":ok\n\n", b"\n"
SSE_KEEP_ALIVE, LINES_KEEP_ALIVE = b":keep-alive\n\n", b"\n"

_decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])

_log = structlog.get_logger()


def sse_frames(
    records: Sequence[Record], partitions: Sequence[Partition], before: Positions
) -> bytes:
    """Write records; the id of each is where a client of `partitions` is that was at `before`."""
    positions = dict(before)
    frames = []
    for record in records:
        positions[Partition(record.stream, record.partition)] = record.offset
        if event := _located(record):
            here = event_id(partitions, positions)
            frames.append(b"event: message\nid: %s\ndata: %s\n\n" % (here, event))
    return b"".join(frames)


def line_frames(records: Sequence[Record]) -> bytes:
    """Write records, one a line."""
    return b"".join(event + b"\n" for record in records if (event := _located(record)))


def _located(record: Record) -> bytes | None:
    """Return the event with its topic, partition and offset in `meta`, on one line."""
    try:
        event = _decoder.decode(record.value)
        meta = _decoder.decode(event["meta"])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, KeyError) as error:
        _log.warning(
            "unreadable event not sent",
            stream=record.stream,
            offset=record.offset,
            error=str(error),
        )
        return None
    place = {"topic": record.stream, "partition": record.partition, "offset": record.offset}
    value = msgspec.json.encode({**event, "meta": {**meta, **place}})
    return msgspec.json.format(value, indent=-1) if b"\n" in value or b"\r" in value else value
