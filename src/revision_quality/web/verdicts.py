"""What patrollers say of scored edits: `/v1/verdicts`."""

import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Protocol

import msgspec
import structlog
from msgspec import Meta, Struct
from sqlalchemy import Select, select
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from revision_quality.clock import Clock, iso, system_clock
from revision_quality.errors import StoreError
from revision_quality.events.verdict import (
    MAX_AUTHOR,
    MAX_COMMENT,
    Judgement,
    Shown,
    Verdict,
    VerdictEvent,
    build_verdict,
)
from revision_quality.streams.base import Outgoing, Streams, page_key
from revision_quality.views.change import Change
from revision_quality.views.tables import changes
from revision_quality.views.verdicts import GivenVerdict
from revision_quality.web.bodies import UnreadBodyError, read_body
from revision_quality.web.buckets import Buckets
from revision_quality.web.json_answers import Problem, json_answer, problem_answer
from revision_quality.web.lift_wing_requests import MAX_REV_ID
from revision_quality.web.operation import Content, Operation, Parameter, Reply, routes
from revision_quality.web.same_origin import is_from_elsewhere

PER_MINUTE = 30
"""Verdicts of one client: a patroller takes some seconds for each."""

_MAX_BYTES, _MAX_NAME_BYTES = 8_000, 255
_LISTED = 100
_LATER = {"Retry-After": "10"}

_log = structlog.get_logger()


class VerdictJson(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A verdict to give. `by` is the wiki user name of who gives it, which nobody checks."""

    wiki_id: Annotated[str, Meta(min_length=1, max_length=64)]
    rev_id: Annotated[int, Meta(ge=1, le=MAX_REV_ID)]
    verdict: Verdict
    by: Annotated[str, Meta(max_length=MAX_AUTHOR)] = ""
    comment: Annotated[str, Meta(max_length=MAX_COMMENT)] = ""


class GivenJson(Struct, frozen=True, kw_only=True):
    """A verdict as it was given; `id` is that of its event, `dt` its time in ISO 8601."""

    id: str
    dt: str
    wiki_id: str
    rev_id: int
    verdict: Verdict
    by: str
    comment: str


class VerdictsJson(Struct, frozen=True):
    """Verdicts, of each author the latest on each edit."""

    verdicts: list[GivenJson]


class _Edits(Protocol):
    async def rows(self, statement: Select[tuple[object, ...]]) -> Sequence[Change]: ...


class _Given(Protocol):
    async def of_edit(self, wiki_id: str, rev_id: int) -> Sequence[GivenVerdict]: ...
    async def newest(self, wiki_id: str | None, limit: int) -> Sequence[GivenVerdict]: ...


class Verdicts:
    """The handlers: verdicts go into the streams, and come back out of the view."""

    def __init__(
        self,
        streams: Streams,
        edits: _Edits,
        given: _Given,
        *,
        per_minute: int = PER_MINUTE,
        clock: Clock = system_clock,
    ) -> None:
        self._streams = streams
        self._edits = edits
        self._given = given
        self._limit = Buckets(per_minute / 60, most=per_minute)
        self._clock = clock

    @property
    def routes(self) -> list[Route]:
        """The routes of OPERATIONS; no page of another site may give a verdict."""
        return [*routes(LIST, self.list), Route(GIVE.path, self.give, methods=["POST"])]

    async def give(self, request: Request) -> Response:
        """Take a verdict. It is durable when this answers."""
        refusal = self._refusal(request)
        if refusal is not None:
            return refusal
        try:
            said = _read(await read_body(request, _MAX_BYTES))
        except UnreadBodyError as error:
            return problem_answer(error.status, str(error), {"Connection": "close"})
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            return problem_answer(400, f"Not a verdict: {error}.")
        try:
            return await self._take(said)
        except StoreError as error:
            _log.error("a verdict cannot be stored", error=str(error))
            return problem_answer(503, "Verdicts cannot be stored at the moment.", _LATER)

    async def list(self, request: Request) -> Response:
        """Answer with the verdicts on an edit, or with the newest ones."""
        wiki_id, rev_id = request.query_params.get("wiki_id"), request.query_params.get("rev_id")
        if rev_id is None:
            found = await self._given.newest(wiki_id, _LISTED)
        elif wiki_id is None:
            return problem_answer(400, "Give wiki_id with rev_id.")
        elif not (rev_id.isascii() and rev_id.isdigit() and int(rev_id[:20]) <= MAX_REV_ID):
            return problem_answer(400, "rev_id: expected the number of a revision.")
        else:
            found = await self._given.of_edit(wiki_id, int(rev_id))
        return json_answer(VerdictsJson([_of_row(one) for one in found]))

    def _refusal(self, request: Request) -> Response | None:
        if is_from_elsewhere(request):
            return problem_answer(403, "Verdicts are not taken from pages of other sites.")
        media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media != "application/json":
            return problem_answer(415, "Send a verdict as application/json.")
        pause = self._limit.take(request.client.host if request.client else "")
        if not pause:
            return None
        wait = {"Retry-After": str(int(pause) + 1)}
        return problem_answer(429, "Too many verdicts in a minute, wait a little.", wait)

    async def _take(self, said: Judgement) -> Response:
        change = await self._edit(said.wiki_id, said.rev_id)
        if change is None:
            return problem_answer(404, f"No edit {said.rev_id} of {said.wiki_id} is here.")
        before = await self._given.of_edit(said.wiki_id, said.rev_id)
        mine = [one for one in before if one.author == said.by]
        if mine and (mine[-1].verdict, mine[-1].comment) == (said.verdict, said.comment):
            return json_answer(_of_row(mine[-1]))
        replaces = mine[-1].id if mine else None
        event = build_verdict(
            said,
            self._later_than(mine),
            _shown(change),
            replaces,
            page_id=change.page_id,
            rev_dt=datetime.fromtimestamp(change.timestamp, UTC),
        )
        key = page_key(change.wiki_id, change.page_id)
        identifier, value = str(event.meta.id), msgspec.json.encode(event)
        await self._streams.append([Outgoing(event.meta.stream, identifier, key, value)])
        return json_answer(_of_event(event), status=201)

    def _later_than(self, before: Sequence[GivenVerdict]) -> datetime:
        """Return the time, or a moment after what is replaced: clocks differ a little."""
        latest = max((one.given_dt for one in before), default=0) + 1
        return max(self._clock.now(), datetime.fromtimestamp(latest / 1000, UTC))

    async def _edit(self, wiki_id: str, rev_id: int) -> Change | None:
        statement = select(changes).where(
            changes.c.wiki_id == wiki_id, changes.c.rev_id == rev_id, changes.c.deleted.is_(False)
        )
        return next(iter(await self._edits.rows(statement)), None)


def _read(body: bytes) -> Judgement:
    """Read a verdict. Raises msgspec.DecodeError naming the field and what was expected."""
    said = msgspec.json.decode(body, type=VerdictJson)
    by = unicodedata.normalize("NFC", said.by.replace("_", " ")).strip()
    if len(by.encode("utf-8", "replace")) > _MAX_NAME_BYTES or not by.isprintable():
        raise msgspec.ValidationError("Expected a user name of up to 255 bytes - at `$.by`")
    comment = " ".join(_printable(said.comment).split())
    return Judgement(
        wiki_id=said.wiki_id, rev_id=said.rev_id, verdict=said.verdict, by=by, comment=comment
    )


def _printable(text: str) -> str:
    return "".join(each if each.isprintable() else " " for each in text)


def _shown(change: Change) -> Shown | None:
    if change.score is None or change.model_name is None or change.model_version is None:
        return None
    return Shown(
        model_name=change.model_name, model_version=change.model_version, score=change.score
    )


def _of_row(one: GivenVerdict) -> GivenJson:
    return GivenJson(
        id=one.id,
        dt=iso(one.given_dt / 1000, "milliseconds"),
        wiki_id=one.wiki_id,
        rev_id=one.rev_id,
        verdict=Verdict(one.verdict),
        by=one.author,
        comment=one.comment,
    )


def _of_event(event: VerdictEvent) -> GivenJson:
    return GivenJson(
        id=str(event.meta.id),
        dt=iso(event.dt.timestamp(), "milliseconds"),
        wiki_id=event.wiki_id,
        rev_id=event.rev_id,
        verdict=event.verdict,
        by=event.by,
        comment=event.comment,
    )


_GIVEN = Content(kinds=(GivenJson,))
_PROBLEM = Content(kinds=(Problem,), media_type="application/problem+json")
_EXAMPLE = {
    "wiki_id": "enwiki",
    "rev_id": 12345,
    "verdict": "false_positive",
    "by": "Example",
    "comment": "They removed vandalism.",
}

LIST = Operation(
    id="list_verdicts",
    method="GET",
    path="/v1/verdicts",
    tag="Verdicts",
    summary="List verdicts",
    description=f"Those on one edit, or the {_LISTED} newest, of each author the latest on each"
    " edit.",
    parameters=(
        Parameter(name="wiki_id", place="query", description="Of this wiki.", example="enwiki"),
        Parameter(
            name="rev_id", place="query", description="On this edit; with wiki_id.", kind=int
        ),
    ),
    replies={
        200: Reply("The verdicts.", Content(kinds=(VerdictsJson,))),
        400: Reply("No revision of a wiki is named.", _PROBLEM),
        503: Reply("The view cannot be read.", _PROBLEM),
    },
)
GIVE = Operation(
    id="give_verdict",
    method="POST",
    path="/v1/verdicts",
    tag="Verdicts",
    summary="Give a verdict on an edit",
    description="The user name is taken as it is given: nobody checks it. An author's later verdict"
    " on the same edit takes the place of the earlier one; those without a name count as one.",
    body=Content(kinds=(VerdictJson,), examples={"false positive": _EXAMPLE}),
    replies={
        200: Reply("It had been given already.", _GIVEN),
        201: Reply("It is stored.", _GIVEN),
        400: Reply("It is no verdict; the answer says why.", _PROBLEM),
        403: Reply("A page of another site sent it.", _PROBLEM),
        404: Reply("The edit is not here.", _PROBLEM),
        408: Reply("The body did not arrive in time.", _PROBLEM),
        413: Reply("The body is larger than 8 kB.", _PROBLEM),
        415: Reply("It is not JSON.", _PROBLEM),
        429: Reply("Too many in a minute.", _PROBLEM),
        503: Reply("It cannot be stored.", _PROBLEM),
    },
)
OPERATIONS = (LIST, GIVE)
