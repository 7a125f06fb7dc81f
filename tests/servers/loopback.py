"""What listens on loopback: free ports, and an application of ours served by uvicorn."""

import asyncio
import random
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import uvicorn
from starlette.applications import Starlette

from revision_quality.web.server import Server

START_SECONDS = 180

PORTS = range(20_000, 32_000)
"""Below those that Linux gives to connections of its own accord."""


def free_port() -> int:
    while True:
        with suppress(OSError), socket.create_server(("127.0.0.1", random.choice(PORTS))) as taken:
            return int(taken.getsockname()[1])


def wait_until_open(port: int) -> None:
    """Wait until something listens on a port of 127.0.0.1."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        assert time.monotonic() < deadline, f"nothing listens on port {port}"
        time.sleep(0.02)


@asynccontextmanager
async def serving(
    app: Starlette, on_shutdown: Callable[[], None] = lambda: None
) -> AsyncIterator[str]:
    """Serve an application; gives its address."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = Server(uvicorn.Config(app, log_level="critical", lifespan="off"), on_shutdown)
    task = asyncio.create_task(server.serve(sockets=[listening]))
    while not server.started:  # noqa: ASYNC110 (uvicorn rings no bell)
        await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        await asyncio.wait_for(task, 60)
