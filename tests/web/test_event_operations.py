"""The document of EventGate and EventStreams says what they serve."""

from pathlib import Path

import httpx
import pytest_asyncio
from starlette.applications import Starlette

from revision_quality.events.stream_config import stream_configs
from revision_quality.streams.sqlite import SqliteStreams
from revision_quality.web.event_gate import EventGate, event_gate_routes
from revision_quality.web.event_operations import OPERATIONS
from revision_quality.web.event_streams import EventStreams


@pytest_asyncio.fixture(loop_scope="session")
async def routes(tmp_path: Path):
    async with SqliteStreams(tmp_path / "streams.sqlite") as streams:
        gate = EventGate(streams, stream_configs())
        yield [*event_gate_routes(gate), *EventStreams(streams, stream_configs()).routes()]


async def test_every_route_is_told(routes):
    told = {(operation.path, operation.method) for operation in OPERATIONS}
    served = {
        (route.path, method) for route in routes for method in route.methods - {"HEAD", "OPTIONS"}
    }

    assert told == served


async def test_the_example_is_accepted(routes):
    (post,) = [operation for operation in OPERATIONS if operation.id == "post_events"]
    assert post.body
    transport = httpx.ASGITransport(Starlette(routes=routes))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        answer = await client.post(post.path, json=post.body.examples["event"])

    assert answer.status_code == 201
