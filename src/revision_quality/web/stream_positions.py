"""Where a client of EventStreams is: `Last-Event-ID`, `?since=` and the id of each event.

Source: github.com/wikimedia/KafkaSSE. The topic of a stream is its name; an id names every
partition of the streams asked for. Its `offset` is that of the next event, one more than that of
the last one seen, and -1 stands for the partition's end.

Clients of Wikimedia's EventStreams that come here bring ids of its topics, a datacenter before the
name of the stream. Their offsets are those of another log and tell nothing here, their times do.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from revision_quality.streams.base import Partition, Streams
from revision_quality.streams.search import offset_before

_LARGEST = 2**53
"""Numbers above this are not exact in JavaScript."""

_MOST_POSITIONS = 1000

_DATACENTERS = ("eqiad.", "codfw.")
"""What Wikimedia's topics begin with (wikitech.wikimedia.org, Kafka, topic prefixes)."""

_JAVASCRIPT_ZONE = re.compile(r" GMT([+ -])(?=\d{4}\b)")

Positions = Mapping[Partition, int]
"""By partition the offset of the last event that a client has; one not in it is at its end."""


class _Next(Struct, frozen=True):
    topic: str
    partition: int
    offset: int


class _Place(Struct, frozen=True):
    topic: str
    partition: Annotated[int, Meta(ge=0)] = 0
    offset: Annotated[int, Meta(ge=-1, le=_LARGEST)] | None = None
    timestamp: Annotated[int, Meta(ge=0, le=_LARGEST)] | None = None


_Places = Annotated[list[_Place], Meta(min_length=1, max_length=_MOST_POSITIONS)]

_decoder = msgspec.json.Decoder(_Places)


class InvalidPositionError(Exception):
    """A position that a client has made up; the text says what is wrong with it."""


async def partitions_of(streams: Streams, names: Sequence[str]) -> tuple[Partition, ...]:
    """Return all partitions of some streams, stream by stream. Raises StoreError."""
    counts = {name: await streams.partitions(name) for name in names}
    return tuple(
        Partition(name, number) for name, count in counts.items() for number in range(count)
    )


async def resume(
    streams: Streams,
    partitions: Sequence[Partition],
    last_event_id: str | None,
    since: str | None,
) -> Positions:
    """Return where a client goes on. Raises InvalidPositionError, StoreError.

    What `last_event_id` tells goes before `since`.
    """
    places = _parse_places(last_event_id) if last_event_id else []
    elsewhere = _elsewhere(partitions)
    ours = [place for place in places if place.topic not in elsewhere]
    times = _times(places, elsewhere)
    if ours or times:
        return await _resume_at(streams, partitions, ours, times)
    if since:
        moment = parse_moment(since)
        return {one: await _offset_before(streams, one, moment) for one in partitions}
    return {}


def event_id(partitions: Sequence[Partition], positions: Positions) -> bytes:
    """Return the id of an event after which a client is at `positions`."""
    return msgspec.json.encode(
        [_Next(one.stream, one.number, positions.get(one, -2) + 1) for one in partitions]
    )


def parse_moment(text: str) -> int:
    """Read Unix milliseconds, an ISO 8601 time, the date of a mail or what JavaScript writes.

    That is "Mon Nov 23 2026 08:00:00 GMT+0100 (CET)"; its plus is a space where it came unencoded
    in a query. UTC if there is no zone.

    Returns Unix milliseconds. Raises InvalidPositionError.
    """
    text = text.strip()
    if re.fullmatch(r"\d{1,15}", text):
        return int(text)
    written = _JAVASCRIPT_ZONE.sub(lambda zone: " -" if zone[1] == "-" else " +", text)
    for parse in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            moment = parse(written)
            aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            return max(0, int(aware.timestamp() * 1000))
        except (ValueError, OverflowError):
            continue
    raise InvalidPositionError(
        f"since is no time: {text[:100]!r}; give 2026-11-23T08:00:00Z or Unix milliseconds"
    )


def _parse_places(text: str) -> list[_Place]:
    try:
        return _decoder.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise InvalidPositionError(f"Last-Event-ID is no array of positions: {error}") from error


def _elsewhere(partitions: Sequence[Partition]) -> dict[str, str]:
    """Return the streams asked for, by what Wikimedia's topics of them are called."""
    asked = {one.stream for one in partitions}
    topics = {f"{datacenter}{stream}": stream for stream in asked for datacenter in _DATACENTERS}
    return {topic: stream for topic, stream in topics.items() if topic not in asked}


def _times(places: Sequence[_Place], elsewhere: Mapping[str, str]) -> dict[str, int]:
    """Return by stream the earliest time at which a client was elsewhere, Unix milliseconds."""
    times: dict[str, int] = {}
    for place in places:
        stream = elsewhere.get(place.topic)
        if stream is not None and place.timestamp is not None:
            times[stream] = min(place.timestamp, times.get(stream, place.timestamp))
    return times


async def _resume_at(
    streams: Streams,
    partitions: Sequence[Partition],
    places: Sequence[_Place],
    times: Mapping[str, int],
) -> dict[Partition, int]:
    positions = {
        one: await _offset_before(streams, one, times[one.stream])
        for one in partitions
        if one.stream in times
    }
    for place in places:
        one = _asked_for(partitions, place)
        if place.offset is not None and place.offset >= 0:
            positions[one] = max(0, place.offset - 1)
        elif place.offset is None and place.timestamp is not None:
            positions[one] = await _offset_before(streams, one, place.timestamp)
    return positions


def _asked_for(partitions: Sequence[Partition], place: _Place) -> Partition:
    one = Partition(place.topic, place.partition)
    if one in partitions:
        return one
    count = sum(other.stream == place.topic for other in partitions)
    problem = f"which has {count} partitions, counted from 0" if count else "which is not asked for"
    where = f"partition {place.partition} of " if count else ""
    raise InvalidPositionError(f"Last-Event-ID is at {where}{place.topic[:255]!r}, {problem}")


async def _offset_before(streams: Streams, one: Partition, moment: int) -> int:
    return await offset_before(streams, one.stream, moment, one.number)
