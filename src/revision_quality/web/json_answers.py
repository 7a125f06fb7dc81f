"""Answers in JSON."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import msgspec
from msgspec import Struct
from starlette.responses import Response

ANY_ORIGIN = {"Access-Control-Allow-Origin": "*"}
"""Lets pages of other sites read an answer."""

encode_json = msgspec.json.Encoder().encode
_TYPE = (b"content-type", b"application/json")
_NO_CACHE, _NO_STORE = (b"cache-control", b"no-cache"), (b"cache-control", b"no-store")


class Problem(Struct, frozen=True):
    """What went wrong, as RFC 9457 has it."""

    status: int
    title: str
    detail: str


class _JsonResponse(Response):
    """Has its few headers written out: Starlette's way to the same takes longer than the JSON."""

    def init_headers(self, headers: Mapping[str, str] | None = None) -> None:
        kept = _NO_CACHE if self.status_code < 400 else _NO_STORE
        self.raw_headers = [kept, (b"content-length", b"%d" % len(self.body)), _TYPE]
        if headers:
            self.headers.update(headers)


def json_answer(
    value: Any, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Return a value as JSON, not to be kept by caches without asking again."""
    return _JsonResponse(encode_json(value), status, headers)


def problem_answer(status: int, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    """Return a problem with a sentence of its own."""
    body = encode_json(Problem(status, HTTPStatus(status).phrase, detail))
    kept = {"Cache-Control": "no-store", **(headers or {})}
    return Response(body, status, kept, "application/problem+json")
