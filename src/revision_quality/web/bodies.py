"""Request bodies of bounded size, read in bounded time."""

import asyncio

from starlette.requests import Request
from starlette.types import Receive

MAX_BODY_BYTES = 10_000_000
READ_SECONDS = 20.0
"""From the first byte to the last: half a megabyte a second for the largest body."""


class UnreadBodyError(Exception):
    """A body that was not read to its end: `status` is the answer to give, closing."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


async def read_body(
    request: Request, limit: int = MAX_BODY_BYTES, seconds: float = READ_SECONDS
) -> bytes:
    """Return the body. Raises UnreadBodyError: 413 above `limit` bytes, 408 after `seconds`.

    A client that goes away in the middle is a 400, which nobody reads.
    """
    announced = request.headers.get("content-length", "")
    return await receive_body(request.receive, announced, limit, seconds)


async def receive_body(
    receive: Receive, announced: str, limit: int = MAX_BODY_BYTES, seconds: float = READ_SECONDS
) -> bytes:
    """Return the body that `receive` gives, as `read_body`; `announced` is the content-length."""
    if announced.isdecimal() and int(announced[:20]) > limit:
        raise _too_large(limit)
    try:
        async with asyncio.timeout(seconds):
            return await _collect(receive, limit)
    except TimeoutError as error:
        message = f"The request body did not arrive within {seconds:g} seconds."
        raise UnreadBodyError(408, message) from error


async def _collect(receive: Receive, limit: int) -> bytes:
    parts: list[bytes] = []
    size, is_open = 0, True
    while is_open:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise UnreadBodyError(400, "The request body ended early.")
        part = message.get("body", b"")
        size += len(part)
        if size > limit:
            raise _too_large(limit)
        parts.append(part)
        is_open = message.get("more_body", False)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _too_large(limit: int) -> UnreadBodyError:
    return UnreadBodyError(413, f"The request body is larger than the limit of {limit:,} bytes.")
