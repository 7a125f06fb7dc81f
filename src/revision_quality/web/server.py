"""A uvicorn server that can stop while pages are open."""

import gc
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from revision_quality.web.shortcut_protocol import ShortcutProtocol
from revision_quality.web.shortcuts import Shortcut
from revision_quality.web.turns import Turns


def server_config(
    app: ASGIApp,
    shortcuts: Mapping[bytes, Shortcut] = {},
    *,
    is_limited: bool = False,
    **options: Any,
) -> uvicorn.Config:
    """Return how an application is served: quietly, by its shortcuts where it has some.

    `is_limited` says that it limits requests (`RateLimit`); `options` are uvicorn's.
    """
    protocol: Any = partial(
        ShortcutProtocol, shortcuts=shortcuts, turns=Turns(), is_limited=is_limited
    )
    return uvicorn.Config(
        app, http=protocol, log_config=None, access_log=False, lifespan="off", **options
    )


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

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start serving; what is loaded by now stays, and is not searched for garbage."""
        gc.collect()
        gc.freeze()
        await super().startup(sockets)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop serving."""
        self._on_shutdown()
        await super().shutdown(sockets)
        gc.unfreeze()
