"""Events in and out over HTTP: `python benchmarks/events.py [gate|streams|idle]`.

gate     POST /v1/events in arrays of 100, each answered when it is durable
streams  GET /v2/stream by many clients while events are appended: time from append to client
idle     many clients that wait for nothing: memory, and what they cost an append

Server and clients are processes of their own, on one machine; the figures hold for it and what else
it does. `streams` needs a file handle for every client in both processes.
"""

import argparse
import asyncio
import json
import multiprocessing
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import ClassVar
from uuid import uuid4

import httpx
import msgspec
import uvicorn
from starlette.applications import Starlette

from revision_quality.events import streams as names
from revision_quality.events.stream_config import stream_configs
from revision_quality.streams.base import Outgoing
from revision_quality.streams.sqlite import SqliteStreams
from revision_quality.web.event_gate import EventGate, event_gate_routes
from revision_quality.web.event_streams import EventStreams
from revision_quality.web.server import Server

ARRAY = 100

_SETTLE_SECONDS = 3
"""The last clients are connected, and not all of them listen yet."""


def edit(rev_id: int) -> dict[str, object]:
    """Return an edit of the size that EventBus sends, some 1.7 kB."""
    user = {"user_text": "Bob", "groups": ["*", "user", "autoconfirmed"], "is_bot": False,
            "is_system": False, "is_temp": False, "user_id": 7, "edit_count": 51,
            "registration_dt": "2020-01-01T00:00:00Z"}  # fmt: skip
    slot = {"slot_role": "main", "content_model": "wikitext", "content_size": 4125,
            "content_sha1": "pm4x865ric93o17o45s4ar6ko8z4awb", "content_format": "text/x-wiki",
            "origin_rev_id": rev_id}  # fmt: skip
    revision = {"rev_id": rev_id, "rev_dt": "2026-11-23T08:00:00Z", "rev_size": 4125,
                "rev_sha1": "pm4x865ric93o17o45s4ar6ko8z4awb", "is_minor_edit": False,
                "comment": "a summary of what was changed", "is_content_visible": True,
                "is_editor_visible": True, "is_comment_visible": True, "editor": user,
                "content_slots": {"main": slot}}  # fmt: skip
    return {
        "$schema": "/mediawiki/page/change/1.2.0",
        "meta": {"stream": names.PAGE_CHANGE, "id": str(uuid4()), "domain": "wiki.example",
                 "uri": "https://wiki.example/wiki/Example", "request_id": str(uuid4())},
        "dt": "2026-11-23T08:00:00Z", "wiki_id": "my_wiki", "page_change_kind": "edit",
        "changelog_kind": "update", "performer": user, "revision": revision,
        "page": {"page_id": rev_id % 1000, "page_title": "Example", "namespace_id": 0},
        "prior_state": {"revision": {**revision, "rev_id": rev_id - 1}},
    }  # fmt: skip


async def until(holds: Callable[[], bool]) -> None:
    """Wait for something that rings no bell."""
    while not holds():  # noqa: ASYNC110
        await asyncio.sleep(0.05)


def serve(path: str, rate: float, seconds: float, started: Connection, begin: Connection) -> None:
    """Serve the streams of a file; when told to, append scores to them at `rate` a second."""
    asyncio.run(_serve(Path(path), rate, seconds, started, begin))


async def _serve(
    path: Path, rate: float, seconds: float, started: Connection, begin: Connection
) -> None:
    async with SqliteStreams(path) as streams:
        configs = stream_configs()
        served = EventStreams(streams, configs, max_clients=100_000)
        app = Starlette(routes=[*event_gate_routes(EventGate(streams, configs)), *served.routes()])
        config = uvicorn.Config(app, port=0, log_level="critical", lifespan="off", backlog=4096)
        server = Server(config, served.close)
        serving = asyncio.create_task(server.serve())
        await until(lambda: server.started)
        started.send(server.servers[0].sockets[0].getsockname()[1])
        await until(begin.poll)
        clients = begin.recv()
        await until(lambda: served.clients >= clients)
        await asyncio.sleep(_SETTLE_SECONDS)
        before = time.process_time()
        probing = asyncio.create_task(_probe(late := []))
        took = await _append(streams, rate, seconds)
        probing.cancel()
        await asyncio.sleep(1)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        started.send((took, late, time.process_time() - before, memory))
        await until(begin.poll)
        server.should_exit = True
        await serving


async def _probe(late: list[float]) -> None:
    """Note by how much the server's event loop comes late, in seconds, all 10 ms."""
    while True:
        due = time.monotonic() + 0.01
        await asyncio.sleep(0.01)
        late.append(time.monotonic() - due)


async def _append(streams: SqliteStreams, rate: float, seconds: float) -> list[float]:
    """Append a score `rate` times a second; returns how long each append took, in seconds."""
    took = []
    begun = time.monotonic()
    for number in range(int(rate * seconds)):
        await asyncio.sleep(max(0.0, begun + number / rate - time.monotonic()))
        event = edit(number + 1)
        event["meta"] = {**event["meta"], "stream": names.PREDICTION}  # type: ignore[dict-item]
        event["appended"] = time.time()
        called = time.monotonic()
        await streams.append([_outgoing(event)])
        took.append(time.monotonic() - called)
    return took


def _outgoing(event: dict[str, object]) -> Outgoing:
    return Outgoing(names.PREDICTION, str(uuid4()), "my_wiki:1", msgspec.json.encode(event))


async def post(address: str, rate: float, seconds: float, connections: int) -> list[float]:
    """Post arrays at `rate` events a second; returns how long each request took, in seconds."""
    arrays = int(rate * seconds / ARRAY)
    bodies = [
        json.dumps([edit(array * ARRAY + number + 1) for number in range(ARRAY)]).encode()
        for array in range(arrays)
    ]
    took: list[float] = []
    begun = time.monotonic()
    numbers = iter(range(arrays))

    async def work(client: httpx.AsyncClient) -> None:
        for number in numbers:
            due = begun + number * ARRAY / rate
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            answer = await client.post(f"{address}/v1/events", content=bodies[number])
            assert answer.status_code == 201, answer.text
            took.append(time.monotonic() - due)

    async with httpx.AsyncClient(timeout=60) as client:
        await asyncio.gather(*(work(client) for _ in range(connections)))
    print(
        f"posted {arrays * ARRAY} events in {time.monotonic() - begun:.2f} s:"
        f" {arrays * ARRAY / (time.monotonic() - begun):,.0f} events/s"
    )
    return took


class Reader(asyncio.Protocol):
    """A client that notes how old each event is when it comes."""

    ages: ClassVar[list[float]] = []

    def __init__(self) -> None:
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the stream."""
        request = f"GET /v2/stream/{names.PREDICTION} HTTP/1.1\r\nHost: localhost\r\n\r\n"
        transport.write(request.encode())  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        """Note the age of the events in it."""
        now = time.time()
        found = (self._rest + data).split(b'"appended":')
        for part in found[1:]:
            number = part.partition(b"}")[0].partition(b",")[0]
            Reader.ages.append(now - float(number))
        self._rest = b"" if len(found) > 1 else data[-40:]


def listen(port: int, clients: int, said: Connection, end: Connection) -> None:
    """Open `clients` streams and note the ages of what comes."""

    async def run() -> None:
        loop = asyncio.get_running_loop()
        for start in range(0, clients, 100):
            count = min(100, clients - start)
            await asyncio.gather(
                *(loop.create_connection(Reader, "127.0.0.1", port) for _ in range(count))
            )
        said.send("open")
        await until(end.poll)
        said.send(sorted(Reader.ages))

    asyncio.run(run())


def summary(values: list[float]) -> str:
    """Say the quantiles in milliseconds."""
    if len(values) < 2:
        return "no values"
    parts = statistics.quantiles(values, n=100)
    return (
        f"p50 {parts[49] * 1000:.1f} ms, p95 {parts[94] * 1000:.1f} ms,"
        f" p99 {parts[98] * 1000:.1f} ms, max {max(values) * 1000:.0f} ms"
    )


def with_server(
    rate: float, seconds: float, run: Callable[[int, Connection, Connection], None]
) -> None:
    """Run something against a server in a process of its own, on a new file."""
    with tempfile.TemporaryDirectory() as folder:
        started, started_there = multiprocessing.Pipe()
        begin, begin_there = multiprocessing.Pipe()
        server = multiprocessing.Process(
            target=serve,
            args=(f"{folder}/streams.sqlite", rate, seconds, started_there, begin_there),
        )
        server.start()
        run(started.recv(), started, begin)
        begin.send(None)
        server.join()


def gate(rate: float, seconds: float, connections: int) -> None:
    """Measure EventGate."""

    def run(port: int, started: Connection, begin: Connection) -> None:
        took = asyncio.run(post(f"http://127.0.0.1:{port}", rate, seconds, connections))
        print(f"an array of {ARRAY}, from when it was due to its answer: {summary(took)}")
        begin.send(0)
        *_, memory = started.recv()
        print(f"server: at most {memory:.0f} MB")

    with_server(1, 0, run)


def streams(rate: float, seconds: float, clients: int) -> None:
    """Measure EventStreams."""

    def run(port: int, started: Connection, begin: Connection) -> None:
        said, said_there = multiprocessing.Pipe()
        end, end_there = multiprocessing.Pipe()
        listener = multiprocessing.Process(
            target=listen, args=(port, clients, said_there, end_there)
        )
        listener.start()
        said.recv()
        begin.send(clients)
        took, late, cpu, memory = started.recv()
        end.send(None)
        ages = said.recv()
        print(f"{clients} clients, {rate:g} events/s for {seconds:g} s")
        if clients:
            print(f"received {len(ages)} of {len(took) * clients}")
        print(f"append to client: {summary(ages)}")
        print(f"append itself: {summary(took)}")
        print(f"what else the server does waits: {summary(late)}")
        print(f"server: {cpu / (seconds + 1):.0%} of a core, at most {memory:.0f} MB")
        listener.join()

    with_server(rate, seconds, run)


def main() -> None:
    """Run what is asked for, or all."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("what", nargs="?", choices=["gate", "streams", "idle"])
    parser.add_argument("--clients", type=int)
    parser.add_argument("--rate", type=float)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--connections", type=int, default=4)
    asked = parser.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if asked.what in (None, "gate"):
        gate(asked.rate or 5000, asked.seconds, asked.connections)
    if asked.what in (None, "streams"):
        streams(asked.rate or 200, asked.seconds, asked.clients or 1000)
    if asked.what in (None, "idle"):
        for clients in (0, asked.clients or 10_000):
            streams(asked.rate or 1, asked.seconds, clients)


if __name__ == "__main__":
    main()
