"""A materialiser keeps a view in step, and goes on when a store fails."""

import asyncio
import threading
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from uuid import UUID

import pytest

from revision_quality.errors import StoreError
from revision_quality.streams.base import Outgoing, Record
from revision_quality.streams.sqlite import SqliteStreams
from revision_quality.views import materialiser
from revision_quality.views.materialiser import Materialiser, Write
from tests.fakes import FakeClock


class CountingView:
    """Holds what was applied; fails `failures` times first."""

    def __init__(self, failures: int = 0) -> None:
        self.failures = failures
        self.positions: dict[str, int] = {}
        self.values: list[bytes] = []
        self.applied = asyncio.Semaphore(0)

    async def position(self, stream: str, partition: int = 0) -> int:
        return self.positions.get(stream, 0)

    async def apply(self, records: Sequence[Record]) -> int:
        if self.failures:
            self.failures -= 1
            raise StoreError("the disk is full")
        self.values += [record.value for record in records]
        self.positions |= {record.stream: record.offset for record in records}
        self.applied.release()
        return len(records)


class PreparedView(CountingView):
    """Writes only what was read before, and waits until what follows is."""

    def __init__(self, batches: int) -> None:
        super().__init__()
        self.batches = batches
        self.prepared: list[list[bytes]] = []
        self._is_prepared = threading.Semaphore(0)

    def prepare(self, records: Sequence[Record]) -> Write:
        self.prepared.append([record.value for record in records])
        self._is_prepared.release()
        return partial(self.apply, records)

    async def apply(self, records: Sequence[Record]) -> int:
        if len(self.prepared) < self.batches:
            assert await asyncio.to_thread(self._is_prepared.acquire, timeout=60)
        return await super().apply(records)


def event(number: int, stream: str = "a") -> Outgoing:
    return Outgoing(stream, str(UUID(int=number)), "", b"%d" % number)


async def test_no_stream_waits_for_another_to_end(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(materialiser, "READ", 2)
    view = CountingView()
    async with SqliteStreams(tmp_path / "s.sqlite") as streams:
        await streams.append([event(1), event(2), event(3), event(1, "b")])
        role = Materialiser(streams, view, ["a", "b"])

        assert [await role.step() for _ in range(3)] == [2, 2, 0]
    assert view.values == [b"1", b"1", b"2", b"3"]


async def test_many_are_prepared_while_those_before_are_written(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(materialiser, "READ", 2)
    view = PreparedView(batches=2)
    async with SqliteStreams(tmp_path / "s.sqlite") as streams:
        await streams.append(map(event, range(5)))
        role = Materialiser(streams, view, ["a"])

        assert [await role.step() for _ in range(4)] == [2, 2, 1, 0]
        await streams.append([event(5)])
        assert await role.step() == 1
    assert view.prepared == [[b"2", b"3"], [b"4"]]
    assert view.values == [b"%d" % number for number in range(6)]
    assert role.applied["a",] == 6


@pytest.mark.parametrize("failing", range(4))
async def test_what_was_read_ahead_is_read_anew_after_a_failure(
    tmp_path: Path, monkeypatch, failing: int
):
    monkeypatch.setattr(materialiser, "READ", 2)
    view = CountingView()
    async with SqliteStreams(tmp_path / "s.sqlite") as streams:
        await streams.append([event(n, stream) for n in range(4) for stream in ("a", "b")])
        role = Materialiser(streams, view, ["a", "b"])
        for _ in range(failing):
            await role.step()
        view.failures = 1
        with pytest.raises(StoreError):
            await role.step()
        while await role.step():
            pass
    assert sorted(view.values) == sorted(2 * [b"0", b"1", b"2", b"3"])
    assert view.positions == {"a": 7, "b": 8}


@pytest.mark.parametrize("failures", [0, 3])
async def test_it_runs_on_through_failures_until_cancelled(tmp_path: Path, failures):
    view, clock = CountingView(failures), FakeClock()
    async with SqliteStreams(tmp_path / "s.sqlite") as streams:
        running = asyncio.create_task(Materialiser(streams, view, ["a"], clock).run())
        for number in range(3):
            await streams.append([event(number)])
            async with asyncio.timeout(60):
                await view.applied.acquire()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    assert view.values == [b"0", b"1", b"2"]
    assert clock.slept == [1, 2, 4][:failures]


async def test_a_log_that_was_made_anew_is_read_from_its_start(tmp_path: Path):
    view = CountingView()
    view.positions["a"] = 5000
    async with SqliteStreams(tmp_path / "s.sqlite") as streams:
        await streams.append([event(1), event(2)])
        role = Materialiser(streams, view, ["a"])

        assert [await role.step() for _ in range(2)] == [2, 0]
        await streams.append([event(3)])
        assert await role.step() == 1
        assert await role.behind() == {"a": 0}
    assert view.values == [b"1", b"2", b"3"]
