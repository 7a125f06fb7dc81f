"""Every durable log as one fixture: a test that asks for it runs on each."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from revision_quality.streams.base import Streams
from revision_quality.streams.kafka.streams import KafkaStreams
from revision_quality.streams.sqlite import SqliteStreams

Open = Callable[[], Awaitable[Streams]]


@pytest.fixture(params=["sqlite", pytest.param("kafka", marks=pytest.mark.kafka)])
async def opening(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Open]:
    """Return a function that opens the log, each time as another process would."""
    async with AsyncExitStack() as stack:
        if request.param == "kafka":
            place = request.getfixturevalue("broker").place(partitions=3)

        async def open_log() -> Streams:
            log: Streams
            if request.param == "kafka":
                log = KafkaStreams(place)
            else:
                log = SqliteStreams(tmp_path / "streams.sqlite")
            stack.push_async_callback(log.close)
            return log

        yield open_log
