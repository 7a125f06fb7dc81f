"""A server that ends without turning anybody away, where another one serves the same port."""

import asyncio
import ctypes
import socket
import struct
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from revision_quality.web.server import Server

LAST_SECONDS = 1.0
"""How long who is connected may still ask before the connection is closed."""

_HANDSHAKE_SECONDS = 0.1
"""How long connections that are being made are waited for: some round trips in a data centre."""

_SO_ATTACH_FILTER = 26
_NO_SYN = (
    (0x30, 0, 0, 13),
    (0x54, 0, 0, 0x12),
    (0x15, 0, 1, 0x02),
    (0x06, 0, 0, 0),
    (0x06, 0, 0, 0xFFFF),
)
"""A classic BPF program: of the flags (byte 13 of the TCP header, RFC 9293) SYN alone is dropped,
all else let through. Its parts are those of `struct sock_filter` in Linux' socket(7)."""


class LastAnswers:
    """Passes everything on; once `is_draining`, each answer ends its connection."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.is_draining = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""

        async def last(message: Message) -> None:
            if self.is_draining and message["type"] == "http.response.start":
                headers = [*message.get("headers", ()), (b"connection", b"close")]
                message = {**message, "headers": headers}
            await send(message)

        await self._app(scope, receive, last)


class DrainingServer(Server):
    """Stops taking connections first, then answers those that it has.

    `end` is called first, to end what would stay open. Connections that the kernel has accepted
    for a socket are reset when the socket is closed: so no further ones are begun (who asks for one
    asks again a second later and finds another server), and those that wait are taken first.
    """

    def __init__(
        self,
        app: ASGIApp,
        config: Callable[[ASGIApp], uvicorn.Config],
        end: Callable[[], None],
    ) -> None:
        self._answers = LastAnswers(app)
        self._end = end
        super().__init__(config(self._answers), lambda: None)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop serving."""
        self._answers.is_draining = True
        self._end()
        for one in sockets or ():
            _drop_new(one)
        await asyncio.sleep(_HANDSHAKE_SECONDS)
        queued = [connection for one in sockets or () for connection in _queued(one)]
        for server in self.servers:
            server.close()
        for one in sockets or ():
            one.close()
        for connection in queued:
            await self._serve_one(connection)
        await self._until_idle()
        await super().shutdown(sockets)

    async def _serve_one(self, connection: socket.socket) -> None:
        kind: Any = self.config.http_protocol_class
        protocol = partial(
            kind,
            config=self.config,
            server_state=self.server_state,
            app_state=self.lifespan.state,
        )
        loop = asyncio.get_running_loop()
        await loop.connect_accepted_socket(protocol, connection)

    async def _until_idle(self) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + LAST_SECONDS
        while self.server_state.connections and loop.time() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


def _drop_new(listening: socket.socket) -> None:
    """Have the kernel pass over what asks for a connection, where it can."""
    if sys.platform != "linux":
        return
    program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *one) for one in _NO_SYN))
    place = struct.pack("HP", len(_NO_SYN), ctypes.addressof(program))
    listening.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, place)


def _queued(listening: socket.socket) -> list[socket.socket]:
    """Take the connections that wait."""
    found: list[socket.socket] = []
    listening.setblocking(False)
    while True:
        try:
            connection, _ = listening.accept()
        except OSError:
            return found
        connection.setblocking(False)
        found.append(connection)
