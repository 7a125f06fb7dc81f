"""A stream published to an EventGate, Wikimedia's or another instance of this one.

What could not be delivered is sent again until it is: the position is committed when everything
before it has an answer. Only an event that EventGate itself calls invalid, or that is too large
for it, is given up; it goes whole to the stream of dead letters, with the reason.

Source: github.com/wikimedia/eventgate, routes/events.js: 201 all accepted, 207 some, 400 all
invalid, 500 none accepted. The entries of an answer are matched by their `event`'s `meta.id`.
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus

import httpx
import msgspec
import structlog
from msgspec import Struct

from revision_quality.clock import Clock, system_clock
from revision_quality.errors import InvalidEventError, StoreError
from revision_quality.events.error import build_error
from revision_quality.retry_after import retry_after
from revision_quality.streams.base import Consumed, Outgoing, Record, Streams
from revision_quality.streams.perseverance import append_in_the_end

MOST_EVENTS = 100
MOST_BYTES = 4_000_000
"""In one request; MediaWiki's EventBus sends at most 4,194,304 bytes."""

_TIMEOUT_SECONDS = 62.0
"""As long as MediaWiki waits for EventGate."""

_IDLE_SECONDS = 1.0
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0
_JSON = {"Content-Type": "application/json"}

_log = structlog.get_logger()


class _Meta(Struct, frozen=True):
    id: str | None = None


class _Event(Struct, frozen=True):
    meta: _Meta = _Meta()


class _Context(Struct, frozen=True, rename={"errors_text": "errorsText"}):
    errors_text: str | None = None
    message: str | None = None


class _Entry(Struct, frozen=True):
    event: _Event = _Event()
    context: _Context = _Context()

    @property
    def reason(self) -> str:
        return self.context.errors_text or self.context.message or "no reason given"


class _Body(Struct, frozen=True):
    invalid: tuple[_Entry, ...] = ()
    error: tuple[_Entry, ...] = ()


class _Answer(Struct, frozen=True):
    """What became of a request: reasons by offset for what is given up, and what is left to send.

    `problem` is why something is left, `pause` what the server asks for. `is_too_much` says that
    fewer at once may pass.
    """

    invalid: Mapping[int, str] = {}
    left: Sequence[Record] = ()
    problem: str = ""
    pause: float = 0.0
    is_too_much: bool = False


class EventGateSink:
    """Publishes a partition of `stream` to `url`, such as `https://eventgate.example/v1/events`.

    `group` names the position; another one publishes the stream once more, from its start.
    """

    def __init__(
        self,
        streams: Streams,
        stream: str,
        client: httpx.AsyncClient,
        url: str,
        *,
        partition: int = 0,
        group: str = "event_gate",
        clock: Clock = system_clock,
    ) -> None:
        self._streams = streams
        self._stream = stream
        self._partition = partition
        self._client = client
        self._url = url
        self._group = group
        self._clock = clock
        self.published = 0
        self.refused = 0
        """Events given up."""
        self.failure: str | None = None

    async def run(self) -> None:
        """Publish until cancelled."""
        while True:
            appended = self._streams.appended()
            try:
                records = await self._next()
            except StoreError as error:
                _log.error("scores cannot be read, trying again", error=str(error))
                await self._clock.sleep(_FIRST_PAUSE)
                continue
            if records:
                await self.publish(_fitting(records))
            else:
                await self._streams.wait(appended, _IDLE_SECONDS)

    async def _next(self) -> list[Record]:
        place = (self._stream, self._partition)
        position = await self._streams.position(self._group, *place)
        return await self._streams.read(self._stream, position, MOST_EVENTS, self._partition)

    async def publish(self, records: Sequence[Record]) -> None:
        """Deliver events and commit the position behind them; returns when all have an answer."""
        invalid: dict[int, str] = {}
        left, at_once, pause = list(records), len(records), _FIRST_PAUSE
        while left:
            part, rest = left[:at_once], left[at_once:]
            answer = await self._post(part)
            invalid |= answer.invalid
            left = [*answer.left, *rest]
            if answer.is_too_much:
                at_once = max(1, len(part) // 2)
            elif answer.left:
                self._failed(answer.problem)
                await self._clock.sleep(max(pause, answer.pause))
                pause = min(pause * 2, _LONGEST_PAUSE)
            else:
                self._recovered()
                pause = _FIRST_PAUSE
        await self._commit(records, invalid)
        self.published += len(records) - len(invalid)
        self.refused += len(invalid)

    async def _post(self, part: Sequence[Record]) -> _Answer:
        body = b"[" + b",".join(record.value for record in part) + b"]"
        try:
            response = await self._client.post(
                self._url, content=body, headers=_JSON, timeout=_TIMEOUT_SECONDS
            )
        except httpx.HTTPError as error:
            problem = str(error) or type(error).__name__
            return _Answer(left=part, problem=f"{self._url} does not answer: {problem}")
        pause = retry_after(response.headers, self._clock.now()) or 0.0
        return msgspec.structs.replace(_read_answer(response, part), pause=pause)

    async def _commit(self, records: Sequence[Record], invalid: Mapping[int, str]) -> None:
        letters = [
            self._dead_letter(record, invalid[record.offset])
            for record in records
            if record.offset in invalid
        ]
        consumed = Consumed(self._group, self._stream, records[-1].offset, self._partition)
        await append_in_the_end(
            self._streams,
            letters,
            [consumed],
            trouble="the position cannot be stored, trying again",
            clock=self._clock,
        )

    def _dead_letter(self, record: Record, reason: str) -> Outgoing:
        _log.error("event refused", url=self._url, offset=record.offset, reason=reason)
        letter = build_error(
            emitter_id=self._group,
            stream=record.stream,
            offset=record.offset,
            partition=record.partition,
            raw=record.value,
            error=InvalidEventError(f"{self._url} refuses it: {reason}"),
        )
        return Outgoing(letter.meta.stream, str(letter.meta.id), "", msgspec.json.encode(letter))

    def _failed(self, problem: str) -> None:
        if self.failure is None:
            _log.warning("events cannot be published, trying again", error=problem)
        self.failure = problem

    def _recovered(self) -> None:
        if self.failure is not None:
            _log.info("events are published again", url=self._url)
        self.failure = None


def _fitting(records: Sequence[Record]) -> Sequence[Record]:
    """Return as many of the first events as one request may hold, at least one."""
    size = 0
    for number, record in enumerate(records):
        size += len(record.value)
        if number and size > MOST_BYTES:
            return records[:number]
    return records


def _read_answer(response: httpx.Response, part: Sequence[Record]) -> _Answer:
    status = response.status_code
    if status in (HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.ACCEPTED, HTTPStatus.NO_CONTENT):
        return _Answer()
    problem = f"{response.url} answers {status}: {response.text[:200]}"
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        if len(part) > 1:
            return _Answer(left=part, problem=problem, is_too_much=True)
        return _Answer(invalid={part[0].offset: "it is too large"})
    is_partly = status == HTTPStatus.MULTI_STATUS
    if is_partly or status in (HTTPStatus.BAD_REQUEST, HTTPStatus.INTERNAL_SERVER_ERROR):
        return _read_results(response, part, problem, is_partly=is_partly)
    return _Answer(left=part, problem=problem)


def _read_results(
    response: httpx.Response, part: Sequence[Record], problem: str, *, is_partly: bool
) -> _Answer:
    """Match what EventGate names to what was sent; without a match nothing counts as delivered."""
    try:
        body = msgspec.json.decode(response.content, type=_Body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _Answer(left=part, problem=problem)
    by_id = {_id_of(record): record for record in part}
    reasons = {entry.event.meta.id: entry.reason for entry in body.invalid}
    if len(part) == 1 and body.invalid and not body.error:
        reasons = {_id_of(part[0]): body.invalid[0].reason}
    invalid = {by_id[key].offset: reason for key, reason in reasons.items() if key in by_id}
    errors = [entry.event.meta.id for entry in body.error]
    are_matched = all(key in by_id for key in (*reasons, *errors))
    left = [
        record
        for record in part
        if record.offset not in invalid
        and (not is_partly or not are_matched or _id_of(record) in errors)
    ]
    told = f"{response.url}: {body.error[0].reason}" if body.error else problem
    is_too_much = not are_matched and len(part) > 1
    return _Answer(invalid=invalid, left=left, problem=told, is_too_much=is_too_much)


def _id_of(record: Record) -> str | None:
    try:
        return msgspec.json.decode(record.value, type=_Event).meta.id
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
