"""One call of the HTTP API: where it is, what goes in, what comes out."""

import re
from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from typing import Any, Literal

from msgspec import Struct
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from revision_quality.web.shortcuts import Shortcut, ShortRoute

Handler = Callable[[Request], Awaitable[Response]]

_CONVERTOR = re.compile(r"\{(\w+):\w+\}")
_PREFLIGHT_SECONDS = 86_400


class Parameter(Struct, frozen=True, kw_only=True):
    """A part of the path or a field of the query string; `kind` is a type that msgspec knows."""

    name: str
    description: str
    place: Literal["path", "query"] = "path"
    kind: Any = str
    example: Any = None


class Content(Struct, frozen=True, kw_only=True):
    """A body: of one of the types `kinds`, any JSON where empty; `examples` by a short name."""

    kinds: tuple[Any, ...] = ()
    media_type: str = "application/json"
    examples: Mapping[str, Any] = {}


class Reply(Struct, frozen=True):
    """What an answer with one status means and holds; no `content` where nobody reads it."""

    description: str
    content: Content | None = None


class Operation(Struct, frozen=True, kw_only=True):
    """A call. `path` and others that mean the same, `also`, are written as Starlette's routes."""

    id: str
    method: Literal["GET", "POST"]
    path: str
    tag: str
    summary: str
    description: str = ""
    parameters: tuple[Parameter, ...] = ()
    body: Content | None = None
    replies: Mapping[int, Reply]
    also: tuple[str, ...] = ()

    @property
    def template(self) -> str:
        """The path as OpenAPI writes it."""
        return template_of(self.path)


@cache
def template_of(path: str) -> str:
    """Return a route's path as OpenAPI writes it: the names of its parts without their types."""
    return _CONVERTOR.sub(r"{\1}", path)


def routes(
    operation: Operation, handler: Handler, shortcuts: Mapping[str, Shortcut] = {}
) -> list[Route]:
    """Return the routes of an operation, which any page on the web may call.

    What it answers is public where the service is: no cookie and no account is asked for.
    """

    async def answer(request: Request) -> Response:
        if request.method == "OPTIONS":
            return Response(status_code=204, headers={"Allow": f"{operation.method}, OPTIONS"})
        return await handler(request)

    cors = Middleware(
        CORSMiddleware,
        allow_origins=["*"],
        allow_methods=[operation.method],
        allow_headers=["*"],
        max_age=_PREFLIGHT_SECONDS,
    )
    methods = [operation.method, "OPTIONS"]
    return [
        ShortRoute(
            path,
            answer,
            methods=methods,
            middleware=[cors],
            name=operation.id,
            shortcuts=shortcuts,
        )
        for path in (operation.path, *operation.also)
    ]
