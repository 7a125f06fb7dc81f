"""A uvicorn server that can stop while pages are open."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn


class Server(uvicorn.Server):
    """Calls `on_shutdown` before it waits for open connections to end.

    uvicorn tells an application of the shutdown when all connections are closed; those of
    server-sent events would stay open until then.
    """

    def __init__(self, config: uvicorn.Config, on_shutdown: Callable[[], None]) -> None:
        if config.timeout_graceful_shutdown is None:
            config.timeout_graceful_shutdown = 5
        super().__init__(config)
        self._on_shutdown = on_shutdown

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to the process, which has more than a server to end."""
        yield

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop serving."""
        self._on_shutdown()
        await super().shutdown(sockets)
