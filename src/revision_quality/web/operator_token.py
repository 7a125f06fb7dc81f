"""The pages of those who run the service, for those who know a word."""

from collections.abc import Sequence
from hmac import compare_digest

from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from revision_quality.web.json_answers import problem_answer

_SCHEME = "Bearer "


class OperatorToken:
    """Lets through who sends `Authorization: Bearer TOKEN`; answers 401 to all others."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._token = token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or refuse to."""
        given = Request(scope).headers.get("authorization", "")
        if given.startswith(_SCHEME) and compare_digest(
            given.removeprefix(_SCHEME).encode("latin-1", "replace"), self._token
        ):
            await self._app(scope, receive, send)
            return
        answer = problem_answer(
            401,
            "This is for those who run the service: send Authorization: Bearer TOKEN"
            " (web.operator_token_env).",
            {"WWW-Authenticate": "Bearer"},
        )
        await answer(scope, receive, send)


def guarded(routes: Sequence[Route], token: str | None) -> list[BaseRoute]:
    """Return routes that ask for a token, if there is one."""
    if token is None:
        return list(routes)
    return [
        Route(one.path, one.endpoint, middleware=[Middleware(OperatorToken, token=token)])
        for one in routes
    ]
