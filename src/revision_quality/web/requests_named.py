"""A request's identifier: in its answer, in every line that is logged for it, and in its span."""

from uuid import uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars

from revision_quality.tracing import NO_TRACE, Trace

_HEADER = "x-request-id"
_LONGEST = 128


class RequestsNamed:
    """Takes the X-Request-Id that a proxy gave, or gives one; begins a span for the request."""

    def __init__(self, app: ASGIApp, trace: Trace = NO_TRACE) -> None:
        self._app = app
        self._trace = trace

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the application does."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        request_id = _sane(headers.get(_HEADER, "")) or str(uuid4())

        async def named(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[_HEADER] = request_id
            await send(message)

        parent = {"traceparent": headers["traceparent"]} if "traceparent" in headers else {}
        attributes = {"http.request.method": scope["method"], "revq.request_id": request_id}
        with (
            bound_contextvars(request_id=request_id),
            self._trace.span("serve", attributes, parent),
        ):
            await self._app(scope, receive, named)


def _sane(given: str) -> str:
    """Return an identifier that may stand in a header and a log, nothing for another."""
    is_sane = len(given) <= _LONGEST and given.isascii() and given.isprintable()
    return given if is_sane else ""
