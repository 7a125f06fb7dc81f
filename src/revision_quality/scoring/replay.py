"""Putting edits through scoring again: failed ones, unreadable ones, those of a span of time.

They are appended to the stream of retries, which every model's group reads. An edit that a model
has scored is left alone by it.
"""

from collections.abc import Callable

import msgspec
from msgspec import Struct, convert, to_builtins
from msgspec.structs import replace

from revision_quality.errors import InvalidEventError
from revision_quality.events import streams as names
from revision_quality.events.error import decode_error
from revision_quality.events.meta import event_id
from revision_quality.events.page_change import SCHEMA, PageChange, decode_page_change
from revision_quality.events.prediction_error import Outcome, decode_prediction_error
from revision_quality.scoring.rules import is_edit
from revision_quality.streams.base import Outgoing, Record, Streams, page_key
from revision_quality.streams.search import offset_before

_READ = 500

REPLAYED = (names.PREDICTION_ERROR, names.DEAD_LETTER, names.PAGE_CHANGE, names.RETRY)
"""The streams that edits can be replayed from."""


class Span(Struct, frozen=True):
    """The events of `stream` appended from `start` on and before `end`, in Unix milliseconds.

    `reason` takes those only that failed with this code, or whose dead letter has it in its text.
    """

    stream: str
    start: int
    end: int
    reason: str | None = None


class Replayed(Struct, frozen=True):
    """How many edits were put through again, and how many events still cannot be read."""

    edits: int = 0
    unreadable: int = 0


async def replay(streams: Streams, span: Span, run: str) -> Replayed:
    """Append the edits of a span to the stream of retries; raises StoreError.

    `run` names this replay: what is replayed under the same name comes once.
    """
    total = Replayed()
    for partition in range(await streams.partitions(span.stream)):
        after = await offset_before(streams, span.stream, span.start, partition)
        end = await streams.end(span.stream, partition)
        while after < end:
            records = await streams.read(span.stream, after, _READ, partition)
            if not records:
                break
            within = [one for one in records if one.offset <= end and one.received < span.end]
            total = await _send(streams, span, run, within, total)
            after = records[-1].offset if len(within) == len(records) else end
    return total


async def _send(
    streams: Streams, span: Span, run: str, records: list[Record], total: Replayed
) -> Replayed:
    changes, unreadable = [], 0
    for record in records:
        try:
            change = _READERS[span.stream](record.value, span.reason)
        except InvalidEventError:
            unreadable += 1
            continue
        if change is not None and is_edit(change):
            changes.append(change)
    await streams.append([retry_of(change, run) for change in changes])
    return Replayed(total.edits + len(changes), total.unreadable + unreadable)


def retry_of(change: PageChange, run: str) -> Outgoing:
    """Write an edit for the stream of retries: once for each `run`."""
    identifier = event_id("retry", run, change.wiki_id, change.revision.rev_id)
    meta = replace(change.meta, stream=names.RETRY, id=identifier)
    value = msgspec.json.encode(replace(change, meta=meta))
    return Outgoing(names.RETRY, identifier, page_key(change.wiki_id, change.page.page_id), value)


def _edit(raw: bytes, reason: str | None) -> PageChange | None:
    return decode_page_change(raw) if reason is None else None


def _failed(raw: bytes, reason: str | None) -> PageChange | None:
    """Return the edit that an error tells of; what no model can score is final."""
    event = decode_prediction_error(raw)
    is_meant = event.error.reason == reason if reason else event.error.state is Outcome.FAILED
    if not is_meant:
        return None
    fields = to_builtins(event) | {"$schema": SCHEMA}
    try:
        return convert(fields, PageChange)
    except msgspec.ValidationError as error:
        raise InvalidEventError(f"not the error of an edit: {error}") from error


def _dead(raw: bytes, reason: str | None) -> PageChange | None:
    try:
        letter = decode_error(raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidEventError(f"not a dead letter: {error}") from error
    told = f"{letter.error_type}: {letter.message}"
    is_edit_stream = letter.errored_stream_name in (names.PAGE_CHANGE, names.RETRY)
    if not is_edit_stream or (reason is not None and reason not in told):
        return None
    return decode_page_change(letter.raw_event.encode())


_READERS: dict[str, Callable[[bytes, str | None], PageChange | None]] = {
    names.PREDICTION_ERROR: _failed,
    names.DEAD_LETTER: _dead,
    names.PAGE_CHANGE: _edit,
    names.RETRY: _edit,
}
