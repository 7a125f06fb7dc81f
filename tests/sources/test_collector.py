"""A collector's events are durable when it returns, however long the streams fail."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from revision_quality.errors import StoreError
from revision_quality.events.streams import PAGE_CHANGE, PREDICTION
from revision_quality.sources.collector import Collector
from revision_quality.streams.base import Consumed, Outgoing
from revision_quality.streams.sqlite import SqliteStreams
from tests.events.examples import page_change
from tests.fakes import FakeClock


class FailingStreams(SqliteStreams):
    """Cannot be written the first `failures` times."""

    failures = 0

    async def append(
        self, events: Iterable[Outgoing], consumed: Sequence[Consumed] = ()
    ) -> list[Outgoing]:
        if self.failures:
            self.failures -= 1
            raise StoreError("the disk is full")
        return await super().append(events, consumed)


async def test_it_tries_until_the_events_are_stored(tmp_path: Path):
    clock = FakeClock()
    async with FailingStreams(tmp_path / "s.sqlite") as streams:
        streams.failures = 8
        collector = Collector(streams, clock)

        await collector.emit([page_change(rev_id=10), page_change(rev_id=11)])

        assert len(await streams.read(PAGE_CHANGE, 0, 10)) == 2
    assert clock.slept == [1, 2, 4, 8, 16, 32, 60, 60]
    assert collector.collected[PAGE_CHANGE] == 2


async def test_what_was_there_does_not_count(tmp_path: Path):
    async with SqliteStreams(tmp_path / "s.sqlite") as streams:
        collector = Collector(streams)
        for _ in range(2):
            await collector.emit([page_change()])

    assert collector.collected == {PAGE_CHANGE: 1}
    assert collector.collected[PREDICTION] == 0
