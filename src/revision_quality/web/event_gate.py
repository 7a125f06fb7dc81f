"""EventGate's protocol: events in by HTTP.

Source: github.com/wikimedia/eventgate, routes/events.js. `hasty` is answered 202 whatever becomes
of the events, as there, but only when they are durable: it costs milliseconds, and a crash loses
nothing that was answered.
"""

import asyncio
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import msgspec
import structlog
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from revision_quality.clock import Clock, system_clock
from revision_quality.errors import InvalidEventError, StoreError
from revision_quality.events import streams as names
from revision_quality.events.page_change import PageChangeKind
from revision_quality.events.stream_config import StreamConfigs
from revision_quality.sources.intake import (
    Accepted,
    Examined,
    Invalid,
    Refused,
    dead_letter,
    decode_json,
    examine,
)
from revision_quality.streams.base import Outgoing, Streams
from revision_quality.tally import OTHER, Tally
from revision_quality.web.bodies import READ_SECONDS, UnreadBodyError, read_body

MAX_EVENTS = 10_000
"""In one request, which has up to 6,000 from EventBus (4 MiB of at least 700 bytes each): tiny
ones that are invalid would become a hundred times their size, as answers and dead letters."""

_SLICE = 50
"""Events examined without a break, some 3 ms, so that others on the event loop do not wait."""

_NO = ("", "0", "false", "no")

_log = structlog.get_logger()


class TooManyEventsError(Exception):
    """An array that is longer than is taken; the text names the limit."""


class Results(Struct, frozen=True):
    """What became of each event of a request."""

    accepted: int
    invalid: tuple[Invalid, ...]
    refused: tuple[Refused, ...]

    @property
    def status(self) -> int:
        """The HTTP status of EventGate's table."""
        if not self.invalid and not self.refused:
            return 201
        if self.accepted:
            return 207
        return 500 if self.refused else 400

    def body(self) -> bytes:
        """Name the events that were not accepted; empty where all were."""
        if self.status == 201:
            return b""
        answer: dict[str, Any] = {"invalid": [_invalid(item) for item in self.invalid]}
        if self.status != 400:
            answer["error"] = [_refused(item) for item in self.refused]
        return msgspec.json.encode(answer)


class EventGate:
    """Takes the events of a request into the streams. What it accepted is durable."""

    def __init__(
        self, streams: Streams, configs: StreamConfigs, *, clock: Clock = system_clock
    ) -> None:
        self._streams = streams
        self._configs = configs
        self._clock = clock
        self.events = Tally()
        """Events appended, by kind."""

    async def receive(self, body: bytes, request_id: str | None = None) -> Results:
        """Take one event or an array of events.

        Raises InvalidEventError for what is neither, TooManyEventsError above MAX_EVENTS.
        """
        examined = await self._examine(_split(body), request_id)
        if not await self._store(examined):
            examined = [_unstored(item) for item in examined]
        return Results(
            accepted=sum(isinstance(item, Accepted) for item in examined),
            invalid=tuple(item for item in examined if isinstance(item, Invalid)),
            refused=tuple(item for item in examined if isinstance(item, Refused)),
        )

    async def check(self) -> None:
        """Raise StoreError if events cannot be stored."""
        await self._streams.append([])

    async def _examine(self, raws: Sequence[bytes], request_id: str | None) -> list[Examined]:
        received = self._clock.now()
        examined = []
        for number, raw in enumerate(raws, start=1):
            examined.append(examine(raw, self._configs, received, request_id))
            if number % _SLICE == 0:
                await asyncio.sleep(0)
        return examined

    async def _store(self, examined: Sequence[Examined]) -> bool:
        now = self._clock.now()
        events = [
            item.outgoing for item in examined if isinstance(item, Accepted) and item.outgoing
        ]
        letters = [dead_letter(item, now) for item in examined if isinstance(item, Invalid)]
        try:
            if events or letters:
                for event in await self._streams.append([*events, *letters]):
                    self.events.add(_kind(event))
        except StoreError as error:
            _log.error("posted events cannot be stored", error=str(error))
            return False
        return True


def event_gate_routes(gate: EventGate, *, body_seconds: float = READ_SECONDS) -> list[Route]:
    """Return the routes: `POST /v1/events`, and `GET /v1/_test/events` to ask for readiness."""

    async def post(request: Request) -> Response:
        return await _post(request, gate, body_seconds)

    async def test(request: Request) -> Response:
        try:
            await gate.check()
        except StoreError as error:
            return _problem(request, 500, f"Events cannot be stored: {error}")
        return Response(status_code=201)

    return [
        Route("/v1/events", post, methods=["POST"]),
        Route("/v1/_test/events", test, methods=["GET"]),
    ]


async def _post(request: Request, gate: EventGate, body_seconds: float) -> Response:
    if "origin" in request.headers:
        # A page of another site may post text/plain to this address without asking first.
        return _problem(request, 403, "Events are not taken from web pages.")
    try:
        body = await read_body(request, seconds=body_seconds)
    except UnreadBodyError as error:
        return _problem(request, error.status, str(error), {"Connection": "close"})
    try:
        results = await gate.receive(body, request.headers.get("x-request-id"))
    except TooManyEventsError as error:
        return _problem(request, 413, f"{error}.")
    except InvalidEventError as error:
        return _problem(request, 400, f"{error}.")
    if results.status != 201:
        _log_failures(results)
    if request.query_params.get("hasty", "").lower() not in _NO:
        return Response(status_code=202)
    return Response(results.body(), results.status, media_type="application/json")


class _Kind(Struct, frozen=True):
    page_change_kind: PageChangeKind | None = None


def _kind(event: Outgoing) -> str:
    """Return the kind of a page change, or which other event it is."""
    if event.stream == names.PAGE_CHANGE:
        return msgspec.json.decode(event.value, type=_Kind).page_change_kind or OTHER
    return _OTHER_KINDS.get(event.stream, OTHER)


_OTHER_KINDS = {
    names.TAGS_CHANGE: "tags_change",
    names.VISIBILITY_CHANGE: "visibility_change",
    names.DEAD_LETTER: "unreadable",
}


def _split(body: bytes) -> list[bytes]:
    """Return the JSON of each event. Raises InvalidEventError, TooManyEventsError."""
    if body.lstrip()[:1] != b"[":
        return [body]
    try:
        events = msgspec.json.decode(body, type=list[msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidEventError(f"malformed JSON: {error}") from error
    if not events:
        raise InvalidEventError("the body must hold an event or an array of events")
    if len(events) > MAX_EVENTS:
        raise TooManyEventsError(
            f"{len(events):,} events are more than the limit of {MAX_EVENTS:,} in one request"
        )
    return [bytes(event) for event in events]


def _unstored(item: Examined) -> Examined:
    if not isinstance(item, Accepted) or item.outgoing is None:
        return item
    sentence = "the event cannot be stored at the moment: send it again"
    return Refused(decode_json(item.raw), sentence)


def _invalid(item: Invalid) -> dict[str, Any]:
    context = {"errors": item.violations, "errorsText": item.message, "message": item.message}
    return {"status": "invalid", "event": item.event, "context": context}


def _refused(item: Refused) -> dict[str, Any]:
    return {"status": "error", "event": item.event, "context": {"message": item.message}}


def _log_failures(results: Results) -> None:
    messages = [item.message for item in results.invalid]
    messages += [item.message for item in results.refused]
    _log.warning(
        "posted events not accepted",
        accepted=results.accepted,
        invalid=len(results.invalid),
        refused=len(results.refused),
        first=messages[0],
    )


def _problem(
    request: Request, status: int, detail: str, headers: Mapping[str, str] | None = None
) -> Response:
    body = {
        "status": status,
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "detail": detail,
        "method": request.method.lower(),
        "uri": request.url.path,
    }
    return Response(msgspec.json.encode(body), status, headers, "application/problem+json")
