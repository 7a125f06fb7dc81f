"""How a process is: in one look for people, as JSON for programs."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from revision_quality.web.interface import Interface
from revision_quality.web.json_answers import json_answer
from revision_quality.web.operation import Content, Operation, Reply
from revision_quality.web.problems import wants_json
from revision_quality.web.rendering import render

STATUS_PATH = "/status"


class WikiStatus(Struct, frozen=True, kw_only=True):
    """A wiki: healthy, behind, failing or paused, since when, and what waits.

    `changes` are the edits of the changes view by their state, None where nobody keeps one here.
    """

    name: str
    state: str
    since: datetime
    collecting_seconds: float | None = None
    waiting: int | None = None
    scoring_seconds: float | None = None
    problem: str | None = None
    changes: Mapping[str, int] | None = None
    coverage: float | None = None


class LevelStatus(Struct, frozen=True, kw_only=True):
    """A level that the model brings for wikis without their own."""

    name: str
    threshold: float
    flag_rate: float


class ModelStatus(Struct, frozen=True, kw_only=True):
    """A model: where it publishes, how many edits wait for it, what it has done.

    `unread` are offsets between its group's position and the ends of the streams, None where the
    streams do not answer. `outcomes` are those published since the process began.
    """

    name: str
    version: str
    stream: str
    group: str
    is_paused: bool
    waiting: int
    unread: int | None = None
    outcomes: Mapping[str, int] = {}
    levels: Sequence[LevelStatus] = ()


class ViewStatus(Struct, frozen=True, kw_only=True):
    """A view: whether it has caught up, how many offsets it is behind the streams."""

    name: str
    has_caught_up: bool
    behind: int | None = None


class AlarmStatus(Struct, frozen=True, kw_only=True):
    """An alarm that is on: what `/v1/alarms` says of it, in short."""

    kind: str
    wiki_id: str
    message: str
    since: datetime


class Status(Struct, frozen=True, kw_only=True):
    """A process: `roles` are working, catching up, or standby; `unreachable` wikis by api."""

    version: str
    begun: datetime
    now: datetime
    ready: bool
    roles: Mapping[str, str] = {}
    problems: Sequence[str] = ()
    wikis: Mapping[str, WikiStatus] = {}
    unreachable: Mapping[str, str] = {}
    models: Sequence[ModelStatus] = ()
    views: Sequence[ViewStatus] = ()
    alarms: Sequence[AlarmStatus] = ()

    @property
    def is_well(self) -> bool:
        """Whether nobody has to look."""
        wikis = all(wiki.state in ("healthy", "paused") for wiki in self.wikis.values())
        told = self.problems or self.unreachable or self.alarms
        return self.ready and wikis and not told


AskStatus = Callable[[], Awaitable[Status]]


class StatusPage:
    """Answers `/status` and `/status.json` with what `ask` says."""

    def __init__(self, ask: AskStatus, interface: Interface | None = None) -> None:
        self._ask = ask
        self._interface = interface or Interface()

    @property
    def routes(self) -> list[Route]:
        """The routes of OPERATIONS."""
        return [Route(STATUS_PATH, self.answer), Route(f"{STATUS_PATH}.json", self.answer)]

    async def answer(self, request: Request) -> Response:
        """Answer in HTML or, if the reader is a program, in JSON."""
        status = await self._ask()
        if wants_json(request):
            return json_answer(status)
        html = render(
            "status.html",
            ui=self._interface,
            status=status,
            span=span,
            stamp=stamp,
            wikis=worst_first(status),
        )
        return HTMLResponse(html, headers={"Cache-Control": "no-store"})


def span(seconds: float | None) -> str:
    """Return a span of time in its largest unit, as people say it."""
    if seconds is None:
        return "\N{EN DASH}"
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(0.0, seconds):.0f} s"


def stamp(moment: datetime) -> str:
    """Return a moment as the pages write it."""
    utc = moment.astimezone(UTC)
    return f"{utc.day} {utc:%B %Y, %H:%M:%S} (UTC)"


_ORDER = {"failing": 0, "behind": 1, "paused": 2, "healthy": 3}


def worst_first(status: Status) -> list[tuple[str, WikiStatus]]:
    """Return the wikis, those first that somebody has to look at."""
    return sorted(status.wikis.items(), key=lambda item: (_ORDER.get(item[1].state, 0), item[0]))


STATUS = Operation(
    id="status",
    method="GET",
    path=f"{STATUS_PATH}.json",
    tag="Operation",
    summary="Tell how each wiki, model and view is; /status is the same as a page",
    replies={200: Reply("How they are.", Content(kinds=(Status,)))},
)
OPERATIONS = (STATUS,)
