"""A server that ends: who is connected is answered, who waits in the queue too."""

import asyncio
import socket

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from revision_quality.web.draining import DrainingServer

REQUEST = b"GET / HTTP/1.1\r\nHost: revq\r\n\r\n"


async def answer(request: Request) -> Response:
    return Response("answered")


def config(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(app, log_level="critical", lifespan="off")


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    writer.write(REQUEST)
    return await asyncio.wait_for(reader.readuntil(b"answered"), 30)


async def test_connections_that_are_open_or_wait_get_their_answers():
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    ended = []
    server = DrainingServer(Starlette(routes=[Route("/", answer)]), config, lambda: ended.append(1))
    serving = asyncio.create_task(server.serve([listening]))
    while not server.started:  # noqa: ASYNC110 (uvicorn rings no bell)
        await asyncio.sleep(0.01)
    kept = await asyncio.open_connection("127.0.0.1", port)
    assert b"connection: close" not in await ask(*kept)

    # The kernel accepts this one; the loop has not seen it when the end begins.
    queued = socket.create_connection(("127.0.0.1", port))
    ending = asyncio.create_task(server.shutdown([listening]))
    await asyncio.sleep(0)
    waiting = await asyncio.open_connection(sock=queued)

    for connection in (waiting, kept):
        assert b"connection: close" in await ask(*connection)
        assert await asyncio.wait_for(connection[0].read(), 30) == b""
        connection[1].close()
    await ending
    assert ended
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)


async def test_who_asks_while_it_ends_gets_an_answer_from_another_server():
    first = socket.create_server(("127.0.0.1", 0), reuse_port=True)
    port = first.getsockname()[1]
    app = Starlette(routes=[Route("/", answer)])
    ending = DrainingServer(app, config, lambda: None)
    serving = asyncio.create_task(ending.serve([first]))
    while not ending.started:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    second = socket.create_server(("127.0.0.1", port), reuse_port=True)
    staying = uvicorn.Server(config(app))
    staying_on = asyncio.create_task(staying._serve([second]))
    shutting = asyncio.create_task(ending.shutdown([first]))
    await asyncio.sleep(0)

    async def one() -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            return await ask(reader, writer)
        finally:
            writer.close()

    answers = await asyncio.gather(*(one() for _ in range(40)))
    assert all(b"answered" in found for found in answers)
    await shutting
    staying.should_exit = True
    serving.cancel()
    await asyncio.gather(serving, staying_on, return_exceptions=True)
