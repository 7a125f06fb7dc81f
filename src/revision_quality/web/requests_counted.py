"""Counts requests and how long their answers take, by the route that answers."""

from http import HTTPStatus
from time import perf_counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from revision_quality.tally import ANSWER_SECONDS, Tally, Timings
from revision_quality.web.operation import template_of
from revision_quality.web.shortcuts import Shortcut

NO_ROUTE = "none"
"""The route of what none answers, and of what is refused before one is looked for."""


class Requests:
    """Requests by route and class of status (`2xx`), seconds to the begin of an answer by route.

    A route is its template, such as `/v3/scores/{wiki_id}`: never what a client sent.
    """

    def __init__(self) -> None:
        self.answered = Tally()
        self.seconds = Timings(ANSWER_SECONDS)

    def add(self, route: str, status: int, seconds: float) -> None:
        """Count one."""
        self.answered.add(route, f"{status // 100}xx")
        self.seconds.observe(seconds, route)

    def shortcut(self, route: str, shortcut: Shortcut) -> Shortcut:
        """Return a shortcut that counts what it answers."""
        template = template_of(route)

        def counted(body: bytes) -> bytes | None:
            begun = perf_counter()
            answer = shortcut(body)
            if answer is not None:
                self.add(template, HTTPStatus.OK, perf_counter() - begun)
            return answer

        return counted


class RequestsCounted:
    """Counts in `requests` what the application answers; a stream of events when it begins."""

    def __init__(self, app: ASGIApp, requests: Requests) -> None:
        self._app = app
        self._requests = requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the application does."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun, is_answered = perf_counter(), False

        def count(status: int) -> None:
            route = template_of(scope["route"].path) if "route" in scope else NO_ROUTE
            self._requests.add(route, status, perf_counter() - begun)

        async def counted(message: Message) -> None:
            nonlocal is_answered
            if message["type"] == "http.response.start":
                is_answered = True
                count(message["status"])
            await send(message)

        try:
            await self._app(scope, receive, counted)
        finally:
            if not is_answered:
                # What fails is answered further out, by Starlette.
                count(HTTPStatus.INTERNAL_SERVER_ERROR)
