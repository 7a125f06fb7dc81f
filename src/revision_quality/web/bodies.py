"""Request bodies of bounded size, read in bounded time."""

import asyncio

from starlette.requests import ClientDisconnect, Request

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
    if announced.isdecimal() and int(announced[:20]) > limit:
        raise _too_large(limit)
    try:
        async with asyncio.timeout(seconds):
            return await _collect(request, limit)
    except TimeoutError as error:
        message = f"The request body did not arrive within {seconds:g} seconds."
        raise UnreadBodyError(408, message) from error
    except ClientDisconnect as error:
        raise UnreadBodyError(400, "The request body ended early.") from error


async def _collect(request: Request, limit: int) -> bytes:
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > limit:
            raise _too_large(limit)
        parts.append(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _too_large(limit: int) -> UnreadBodyError:
    return UnreadBodyError(413, f"The request body is larger than the limit of {limit:,} bytes.")
