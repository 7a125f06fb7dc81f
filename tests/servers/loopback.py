"""What listens on loopback: a port, and an application of ours served by uvicorn."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import uvicorn
from scripts.loopback import is_open
from starlette.applications import Starlette

from revision_quality.web.server import Server

START_SECONDS = 180


def wait_until_open(port: int) -> None:
    """Wait until something listens on a port of 127.0.0.1."""
    deadline = time.monotonic() + START_SECONDS
    while not is_open(port):
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
