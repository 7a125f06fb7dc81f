"""Whether a process lives and whether it is ready, for those that start and stop processes."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from msgspec import Struct
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from revision_quality.web.headers import SecurityHeaders
from revision_quality.web.json_answers import json_answer
from revision_quality.web.operation import Content, Operation, Reply

ALIVE_PATH, READY_PATH = "/healthz", "/readyz"


class Alive(Struct, frozen=True):
    """That the process lives: its event loop answers."""

    alive: bool = True


class WikiLag(Struct, frozen=True, kw_only=True):
    """How far this process is behind a wiki, and what keeps it.

    `collecting_seconds` is how old the newest moment is up to which all edits are collected,
    `waiting` how many edits wait for their score here, `scoring_seconds` the age of the oldest of
    these. None where this process does not do so.
    """

    collecting_seconds: float | None = None
    waiting: int | None = None
    scoring_seconds: float | None = None
    problem: str | None = None


class Readiness(Struct, frozen=True, kw_only=True):
    """Whether the process can do what it is for.

    `roles` are working, catching up, or standby where another process does that work; `problems`
    are why it is not ready. `wikis` are by wiki_id; `unreachable` are those that have not said who
    they are, by api, with the reason. A wiki that does not answer makes no process unready.
    """

    ready: bool
    roles: Mapping[str, str] = {}
    problems: tuple[str, ...] = ()
    wikis: Mapping[str, WikiLag] = {}
    unreachable: Mapping[str, str] = {}


AskReadiness = Callable[[], Awaitable[Readiness]]


async def alive(request: Request) -> Response:
    """Answer 200."""
    return json_answer(Alive())


class Ready:
    """Answers `/readyz` with what `ask` says."""

    def __init__(self, ask: AskReadiness) -> None:
        self._ask = ask

    @property
    def routes(self) -> list[Route]:
        """The routes of OPERATIONS."""
        return [Route(READY_PATH, self.ready)]

    async def ready(self, request: Request) -> Response:
        """Answer 200 where the process is ready, 503 where it is not."""
        found = await self._ask()
        return json_answer(found, status=200 if found.ready else 503)


def health_app(
    ask: AskReadiness, routes: Sequence[BaseRoute] = (), outermost: Sequence[Middleware] = ()
) -> Starlette:
    """Return the application of a process that serves nothing else, with further `routes`.

    `outermost` is what every request passes first.
    """
    return Starlette(
        routes=[Route(ALIVE_PATH, alive), *Ready(ask).routes, *routes],
        middleware=[Middleware(SecurityHeaders), *outermost],
    )


READY = Operation(
    id="ready",
    method="GET",
    path=READY_PATH,
    tag="Operation",
    summary="Tell whether the process can do what it is for",
    replies={
        200: Reply("It can.", Content(kinds=(Readiness,))),
        503: Reply("It cannot now; `problems` says why.", Content(kinds=(Readiness,))),
    },
)
OPERATIONS = (READY,)
