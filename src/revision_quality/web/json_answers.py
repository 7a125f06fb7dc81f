"""Answers in JSON."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import msgspec
from msgspec import Struct
from starlette.responses import Response

_encode = msgspec.json.Encoder().encode


class Problem(Struct, frozen=True):
    """What went wrong, as RFC 9457 has it."""

    status: int
    title: str
    detail: str


def json_answer(
    value: Any, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Return a value as JSON, not to be kept by caches without asking again."""
    kept = {"Cache-Control": "no-cache"} if status < 400 else {"Cache-Control": "no-store"}
    return Response(_encode(value), status, {**kept, **(headers or {})}, "application/json")


def problem_answer(status: int, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    """Return a problem with a sentence of its own."""
    body = _encode(Problem(status, HTTPStatus(status).phrase, detail))
    kept = {"Cache-Control": "no-store", **(headers or {})}
    return Response(body, status, kept, "application/problem+json")
