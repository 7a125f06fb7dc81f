"""Errors as a small page, or as JSON (RFC 9457) for programs."""

from http import HTTPStatus

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from revision_quality.errors import StoreError
from revision_quality.web.headers import SECURITY_HEADERS
from revision_quality.web.interface import Interface, interface_of
from revision_quality.web.rendering import render

_SENTENCES = {
    404: "There is no page at this address.",
    405: "This address does not take this method.",
    500: "Something went wrong here; the server's log has the details.",
    503: "The edits cannot be read at the moment; try again in a minute.",
}

_FOR_PROGRAMS = ("/v1/", "/v2/", "/v3/")


def wants_json(request: Request) -> bool:
    """Tell whether the reader is a program: by the address, or by its Accept header."""
    accept, path = request.headers.get("accept", ""), request.url.path
    return (
        path.endswith(".json")
        or path.startswith(_FOR_PROGRAMS)
        or ("application/json" in accept and "text/html" not in accept)
    )


async def on_http_error(request: Request, error: Exception) -> Response:
    """Answer an error that a handler raised on purpose."""
    assert isinstance(error, HTTPException)
    return problem(request, error.status_code, dict(error.headers or {}))


async def on_store_error(request: Request, error: Exception) -> Response:
    """Answer that the view cannot be read."""
    assert isinstance(error, StoreError)
    return problem(request, 503, {"Retry-After": "10"})


async def on_any_error(request: Request, error: Exception) -> Response:
    """Answer an error that nobody foresaw, without telling its details."""
    return problem(request, 500, {})


def problem(request: Request, status: int, headers: dict[str, str]) -> Response:
    """Return the answer for a status."""
    title = HTTPStatus(status).phrase
    sentence = _SENTENCES.get(status, f"{title}.")
    headers = {**headers, **SECURITY_HEADERS, "Cache-Control": "no-store"}
    if wants_json(request):
        body = msgspec.json.encode({"status": status, "title": title, "detail": sentence})
        headers["Access-Control-Allow-Origin"] = "*"
        return Response(body, status, headers, "application/problem+json")
    ui = interface_of(request, Interface())
    key = f"problem-{status}"
    html = render(
        "problem.html",
        ui=ui,
        title=ui.text("error", status=f"{status}"),
        sentence=ui.text(key if ui.knows(key) else "problem-500"),
    )
    return HTMLResponse(html, status, headers)
