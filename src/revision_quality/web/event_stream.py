"""Server-sent events (WHATWG HTML, 9.2) as an answer that ends with its reader."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from revision_quality.web.broadcaster import Broadcaster, Subscription

_GRACE_SECONDS = 0.5
"""Time for a reader to take the end of the stream when its subscription is over."""


def event(name: str, data: Any, event_id: int) -> bytes:
    """Return one event; its data is JSON, which has no line breaks."""
    return b"event: %s\nid: %d\ndata: %s\n\n" % (
        name.encode(),
        event_id,
        msgspec.json.encode(data),
    )


class EventStream(Response):
    """Sends a listener's chunks of events until they end or the reader goes.

    The end of the subscription ends it even in the middle of a chunk that the reader does not
    take; the connection of such a reader is closed.
    """

    media_type = "text/event-stream"

    def __init__(
        self, broadcaster: Broadcaster, chunks_of: Callable[[Subscription], AsyncIterator[bytes]]
    ) -> None:
        self._broadcaster = broadcaster
        self._chunks_of = chunks_of
        self.status_code = 200
        self.background = None
        self.init_headers({"Cache-Control": "no-store", "X-Accel-Buffering": "no"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the events. Raises StoreError, before anything is sent."""
        if scope["method"] == "HEAD":
            await Response(headers=dict(self.headers))(scope, receive, send)
            return
        async with self._broadcaster.subscribe() as listener:
            sending = asyncio.create_task(self._send(self._chunks_of(listener), send))
            gone = asyncio.create_task(_disconnected(receive))
            over = asyncio.create_task(listener.over.wait())
            tasks = (sending, gone, over)
            try:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                if over.done() and not sending.done():
                    await asyncio.wait((sending,), timeout=_GRACE_SECONDS)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
        if not sending.cancelled():
            sending.result()

    async def _send(self, chunks: AsyncIterator[bytes], send: Send) -> None:
        start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        await send(start)
        async for chunk in chunks:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
