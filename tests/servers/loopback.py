"""An application of ours, served by uvicorn on loopback."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import uvicorn
from starlette.applications import Starlette

from revision_quality.web.server import Server


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
        await asyncio.wait_for(task, 10)
