"""EventStreams' protocol: events out, as server-sent events or lines of JSON.

Source: wikitech.wikimedia.org, Event Platform/EventStreams HTTP Service. All who are at the end of
the same streams share one reader; who is behind reads for itself, in small pieces, until it is
there. Events of deleted and hidden revisions stay in the streams until they are dropped by age.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from functools import partial
from typing import Any

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from revision_quality.errors import StoreError
from revision_quality.events.stream_config import StreamConfigs
from revision_quality.streams.base import Partition, Record, Streams
from revision_quality.web.json_answers import problem_answer
from revision_quality.web.stream_channel import CAPACITY, LINES, SSE, Channel, Format, Listener
from revision_quality.web.stream_positions import (
    InvalidPositionError,
    Positions,
    partitions_of,
    resume,
)

MAX_CLIENTS = 10_000

_CATCH_UP = 100
"""Events read at once for a client that is behind."""

_READERS = 4
"""Clients that read for themselves at the same moment: the scorer reads through the same door."""

_GRACE_SECONDS = 0.5
_SEND_SECONDS = 60.0
"""A client that takes nothing for so long is dropped, also while it catches up."""

_RETRY_AFTER = {"Retry-After": "30"}
_HEADERS = {
    "Cache-Control": "no-cache, no-store",
    "X-Accel-Buffering": "no",
    "Access-Control-Allow-Origin": "*",
}
_PREFLIGHT = {
    **_HEADERS,
    "Allow": "GET, OPTIONS",
    "Access-Control-Allow-Methods": "GET",
    "Access-Control-Allow-Headers": "Last-Event-ID, Cache-Control",
    "Access-Control-Max-Age": "86400",
}

_log = structlog.get_logger()


class EventStreams:
    """Serves the public streams to at most `max_clients` clients.

    `channel` holds options of `stream_channel.Channel`.
    """

    def __init__(
        self,
        streams: Streams,
        configs: StreamConfigs,
        *,
        max_clients: int = MAX_CLIENTS,
        **channel: Any,
    ) -> None:
        self._streams = streams
        self._public = {name for name, config in configs.items() if config.public}
        self._max_clients = max_clients
        self._options = {"capacity": CAPACITY} | channel
        self._channels: dict[tuple[Partition, ...], Channel] = {}
        self._reading = asyncio.Semaphore(_READERS)
        self._is_closed = False
        self.clients = 0
        """Open streams."""

    def routes(self) -> list[Route]:
        """Return the route, `GET /v2/stream/{streams}`."""
        return [Route("/v2/stream/{streams}", self._answer, methods=["GET", "OPTIONS"])]

    def close(self) -> None:
        """End all streams and take no more clients."""
        self._is_closed = True
        for channel in self._channels.values():
            channel.close()

    async def _answer(self, request: Request) -> Response:
        if request.method == "OPTIONS":
            return Response(status_code=204, headers=_PREFLIGHT)
        names = tuple(dict.fromkeys(request.path_params["streams"].split(",")))
        unknown = [name for name in names if name not in self._public]
        if unknown:
            known = ", ".join(sorted(self._public))
            text = f"The stream {unknown[0][:255]!r} is not served here; known are {known}."
            return problem_answer(400, text, _HEADERS)
        if self._is_closed or self.clients >= self._max_clients:
            return problem_answer(503, "Too many streams are open here.", _HEADERS | _RETRY_AFTER)
        return await self._stream(request, names)

    async def _stream(self, request: Request, names: tuple[str, ...]) -> Response:
        form = _format(request)
        last_event_id = request.headers.get("last-event-id")
        since = request.query_params.get("since")
        try:
            async with self._reading:
                partitions = await partitions_of(self._streams, names)
                positions = await resume(self._streams, partitions, last_event_id, since)
        except InvalidPositionError as error:
            return problem_answer(400, f"{error}.", _HEADERS)
        except StoreError:
            text = "The streams cannot be read at the moment."
            return problem_answer(503, text, _HEADERS | _RETRY_AFTER)
        if request.method == "HEAD":
            return Response(headers=_HEADERS, media_type=_media_type(form))
        return _Stream(self, partitions, form, positions)

    async def chunks(
        self,
        partitions: tuple[Partition, ...],
        form: Format,
        positions: Positions,
        dropped: asyncio.Event,
    ) -> AsyncGenerator[bytes, None]:
        """Yield what comes behind `positions`, then what is new; `dropped` is set at the end.

        Ends where the streams cannot be read: the client comes back by itself.
        """
        yield form.start
        here = dict(positions)
        try:
            async for chunk in self._catch_up(partitions, form, here):
                yield chunk
            channel = self._channel(partitions)
            async with channel.listen(form, dropped.set) as listener:
                async for chunk in self._arrive(listener, partitions, here):
                    yield chunk
                if self._is_closed:
                    return
                async for chunk in listener:
                    yield chunk
        except StoreError as error:
            _log.warning("streams cannot be read, a client is let go", error=str(error))

    def _channel(self, partitions: tuple[Partition, ...]) -> Channel:
        if partitions not in self._channels:
            self._channels[partitions] = Channel(self._streams, partitions, **self._options)
        return self._channels[partitions]

    async def _catch_up(
        self, partitions: Sequence[Partition], form: Format, here: dict[Partition, int]
    ) -> AsyncIterator[bytes]:
        """Yield what is behind `here`, which moves on, until little is left."""
        is_behind = bool(here)
        while is_behind and not self._is_closed:
            is_behind = False
            for one in list(here):
                records = await self._read(one, here[one])
                if records:
                    yield form.frame(records, partitions, here)
                    here[one] = records[-1].offset
                is_behind |= len(records) == _CATCH_UP

    async def _arrive(
        self, listener: Listener, partitions: Sequence[Partition], here: dict[Partition, int]
    ) -> AsyncIterator[bytes]:
        """Yield what lies between `here` and the listener's first bytes."""
        for one, end in listener.positions.items():
            while here.get(one, end) < end:
                found = await self._read(one, here[one])
                records = [record for record in found if record.offset <= end]
                if not records:
                    break
                yield listener.form.frame(records, partitions, here)
                here[one] = records[-1].offset

    async def _read(self, one: Partition, after: int) -> list[Record]:
        async with self._reading:
            return await self._streams.read(one.stream, after, _CATCH_UP, one.number)


class _Stream(Response):
    """Sends the chunks until they end, the client goes, or it is too slow."""

    def __init__(
        self,
        served: EventStreams,
        partitions: tuple[Partition, ...],
        form: Format,
        positions: Positions,
    ) -> None:
        super().__init__(headers=_HEADERS, media_type=_media_type(form))
        del self.headers["content-length"]
        self._served = served
        self._chunks = partial(served.chunks, partitions, form, positions)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the stream."""
        dropped = asyncio.Event()
        tasks = [
            asyncio.create_task(self._send(self._chunks(dropped), send)),
            asyncio.create_task(_disconnected(receive)),
            asyncio.create_task(_after(dropped, _GRACE_SECONDS)),
        ]
        self._served.clients += 1
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._served.clients -= 1
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if not tasks[0].cancelled() and not isinstance(tasks[0].exception(), TimeoutError):
            tasks[0].result()

    async def _send(self, chunks: AsyncGenerator[bytes, None], send: Send) -> None:
        headers = self.raw_headers
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        async with aclosing(chunks):
            async for chunk in chunks:
                async with asyncio.timeout(_SEND_SECONDS):
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _after(event: asyncio.Event, seconds: float) -> None:
    await event.wait()
    await asyncio.sleep(seconds)


def _format(request: Request) -> Format:
    accept = request.headers.get("accept", "")
    is_lines = "application/json" in accept and "text/event-stream" not in accept
    return LINES if is_lines else SSE


def _media_type(form: Format) -> str:
    return "application/json; charset=utf-8" if form.is_lines else "text/event-stream"
