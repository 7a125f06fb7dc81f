"""Edits in from an EventStreams service, Wikimedia's or another instance of this one.

The service's edge cuts a connection after some minutes, and repeats events at a resume by time:
both are normal. The position is stored when the events before it are durable.

Source: wikitech.wikimedia.org, Event Platform/EventStreams HTTP Service.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import aclosing
from typing import Any, Protocol

import httpx
import msgspec
import structlog
from httpx_sse import EventSource, ServerSentEvent, SSEError
from msgspec import Struct
from msgspec.structs import replace

from revision_quality.clock import Clock, system_clock
from revision_quality.errors import InvalidEventError, StoreError
from revision_quality.events import streams as names
from revision_quality.events.identity import uuid_of
from revision_quality.events.page_change import PageChange, decode_page_change
from revision_quality.events.revision_change import decode_tags_change, decode_visibility_change
from revision_quality.retry_after import retry_after
from revision_quality.sources.base import Emit, SourceEvent
from revision_quality.sources.rc_feed import Wake, changed_wiki

RECENT_CHANGE = "mediawiki.recentchange"

IDLE_SECONDS = 120.0
"""A connection on which nothing came for so long, not even a sign of life, is given up."""

_MOST_AT_ONCE = 200
_QUEUED = 1000
_SAVE_SECONDS = 1.0
"""What is repeated after a crash because of this, the log has already."""

_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0
_OK = 200

_log = structlog.get_logger()


class EventStreamsState(Struct, frozen=True):
    """`last_event_id` is that of the last event dealt with; `since` where all began, Unix ms."""

    last_event_id: str | None = None
    since: int | None = None


class EventStreamsStateStore(Protocol):
    """Keeps the state over a restart."""

    def load(self) -> EventStreamsState | None: ...  # noqa: D102
    def save(self, state: EventStreamsState) -> None: ...  # noqa: D102


class _CutError(Exception):
    """The connection cannot be had, or has ended; `pause` is what the service asks for."""

    def __init__(self, message: str, pause: float | None = None) -> None:
        super().__init__(message)
        self.pause = pause


class EventStreamsSource:
    """Follows `url`, such as `https://stream.example/v2/stream/mediawiki.page_change.v1`.

    Of page_change, tags-change and visibility-change it emits the events of `wiki_ids`, which may
    grow meanwhile, and of domains whose wikis have not said yet what their ids are (`is_awaited`).
    An event of recentchange has no page id and no tags; it wakes the polling of its wiki, if `wake`
    has it.
    `client` should follow redirects and send a User-Agent that names its operator.
    """

    name = "event_streams"

    def __init__(
        self,
        client: httpx.AsyncClient,
        url: str,
        store: EventStreamsStateStore,
        *,
        wiki_ids: Collection[str],
        is_awaited: Callable[[str | None], bool] = lambda _: False,
        wake: Mapping[str, Wake] | None = None,
        clock: Clock = system_clock,
    ) -> None:
        self._client = client
        self._url = url
        self._store = store
        self._wiki_ids = wiki_ids
        self._is_awaited = is_awaited
        self._wake = {} if wake is None else wake
        self._clock = clock
        self._state = store.load() or EventStreamsState()
        self._saved_at = clock.now()
        self._pause = _FIRST_PAUSE
        self.failure: str | None = None

    async def run(self, emit: Emit) -> None:
        """Follow the streams until cancelled."""
        while True:
            try:
                await self._follow(emit)
            except (_CutError, httpx.HTTPError, SSEError, StoreError) as error:
                await self._clock.sleep(self._pause_after(error))

    async def _follow(self, emit: Emit) -> None:
        """Read one connection to its end. Raises _CutError, httpx.HTTPError, SSEError."""
        if self._state == EventStreamsState():
            self._save(EventStreamsState(since=int(self._clock.now().timestamp() * 1000)))
        arrived: asyncio.Queue[ServerSentEvent | None] = asyncio.Queue(_QUEUED)
        async with self._connect() as response:
            await self._check(response)
            begun = self._clock.now()
            reading = asyncio.create_task(_read(response, arrived))
            try:
                while batch := await _take(arrived):
                    await self._deal(batch, emit)
                await reading
            finally:
                reading.cancel()
                await asyncio.gather(reading, return_exceptions=True)
                self._save_if_possible()
                if (self._clock.now() - begun).total_seconds() >= _LONGEST_PAUSE:
                    self._recovered()
        raise _CutError("the connection has ended")

    async def _check(self, response: httpx.Response) -> None:
        if response.status_code != _OK:
            text = (await response.aread()).decode("utf-8", "replace")[:200]
            pause = retry_after(response.headers, self._clock.now())
            raise _CutError(f"{response.url} answers {response.status_code}: {text}", pause)

    def _connect(self) -> Any:
        headers = {"Accept": "text/event-stream", "Cache-Control": "no-store"}
        parameters = {}
        if self._state.last_event_id:
            headers["Last-Event-ID"] = self._state.last_event_id
        elif self._state.since is not None:
            parameters["since"] = str(self._state.since)
        timeout = httpx.Timeout(30.0, read=IDLE_SECONDS)
        url = httpx.URL(self._url).copy_merge_params(parameters)
        return self._client.stream("GET", url, headers=headers, timeout=timeout)

    async def _deal(self, batch: Sequence[ServerSentEvent], emit: Emit) -> None:
        events = [event for message in batch if (event := self._event(message))]
        if events:
            await emit(events)
        self._recovered()
        if batch[-1].id:
            self._state = EventStreamsState(last_event_id=batch[-1].id)
        if (self._clock.now() - self._saved_at).total_seconds() >= _SAVE_SECONDS:
            self._save(self._state)

    def _event(self, message: ServerSentEvent) -> SourceEvent | None:
        """Return what to emit, None for what is of no use or cannot be read."""
        if message.event != "message" or not message.data:
            return None
        try:
            meta = _decode_meta(message.data)
            if meta.stream == RECENT_CHANGE:
                self._wake_up(changed_wiki(message.data))
                return None
            decode = _DECODERS.get(meta.stream)
            if decode is None or meta.domain == "canary":
                return None
            event = decode(message.data.encode(), meta)
        except (InvalidEventError, msgspec.DecodeError) as error:
            _log.warning("unreadable event left out", url=self._url, error=str(error))
            return None
        is_wanted = _wiki_id(event) in self._wiki_ids or self._is_awaited(meta.domain)
        return event if is_wanted else None

    def _wake_up(self, wiki_id: str | None) -> None:
        if wiki_id and wiki_id in self._wake:
            self._wake[wiki_id]()

    def _save_if_possible(self) -> None:
        try:
            self._save(self._state)
        except StoreError as error:
            _log.error("the position is not stored, events may come twice", error=str(error))

    def _save(self, state: EventStreamsState) -> None:
        self._store.save(state)
        self._state = state
        self._saved_at = self._clock.now()

    def _pause_after(self, error: Exception) -> float:
        text = str(error) or type(error).__name__
        if self._pause > _FIRST_PAUSE and self.failure is None:
            _log.warning("events cannot be followed, trying again", url=self._url, error=text)
            self.failure = text
        asked = error.pause if isinstance(error, _CutError) else None
        pause = max(self._pause, asked or 0.0)
        self._pause = min(self._pause * 2, _LONGEST_PAUSE)
        return pause

    def _recovered(self) -> None:
        if self.failure is not None:
            _log.info("events are followed again", url=self._url)
        self.failure = None
        self._pause = _FIRST_PAUSE


class _EventMeta(Struct, frozen=True):
    stream: str = ""
    id: str | None = None
    domain: str | None = None
    dt: str | None = None


class _Event(Struct, frozen=True):
    meta: _EventMeta


def _decode_meta(data: str) -> _EventMeta:
    return msgspec.json.decode(data, type=_Event).meta


def _page_change(raw: bytes, meta: _EventMeta) -> SourceEvent:
    return _identified(decode_page_change(raw))


def _revision_change(
    decode: Callable[[bytes], SourceEvent],
) -> Callable[[bytes, _EventMeta], SourceEvent]:
    def read(raw: bytes, meta: _EventMeta) -> SourceEvent:
        event = msgspec.json.decode(raw)
        event.setdefault("dt", meta.dt)
        return _identified(decode(msgspec.json.encode(event)))

    return read


def _identified(event: SourceEvent) -> SourceEvent:
    if event.meta.id is None:
        raise InvalidEventError(f"an event of {event.meta.stream} has no meta.id")
    return replace(event, meta=replace(event.meta, id=uuid_of(event.meta)))


_DECODERS: Mapping[str, Callable[[bytes, _EventMeta], SourceEvent]] = {
    names.PAGE_CHANGE: _page_change,
    names.TAGS_CHANGE: _revision_change(decode_tags_change),
    names.VISIBILITY_CHANGE: _revision_change(decode_visibility_change),
}


def _wiki_id(event: SourceEvent) -> str:
    return event.wiki_id if isinstance(event, PageChange) else event.database


async def _read(response: httpx.Response, arrived: asyncio.Queue[ServerSentEvent | None]) -> None:
    """Queue the events of a connection, then None; a full queue holds the sender back."""
    try:
        async with aclosing(EventSource(response).aiter_sse()) as messages:
            async for message in messages:
                await arrived.put(message)
    except (httpx.HTTPError, SSEError):
        await arrived.put(None)
        raise
    await arrived.put(None)


async def _take(arrived: asyncio.Queue[ServerSentEvent | None]) -> list[ServerSentEvent]:
    """Return what has arrived, nothing at the end of the connection."""
    batch = []
    message = await arrived.get()
    while message is not None:
        batch.append(message)
        if arrived.empty() or len(batch) == _MOST_AT_ONCE:
            return batch
        message = arrived.get_nowait()
    if batch:
        arrived.put_nowait(None)
    return batch
