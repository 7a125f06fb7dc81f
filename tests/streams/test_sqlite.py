"""The durable log in one SQLite file: nothing twice, nothing lost, nothing half."""

import asyncio
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from revision_quality.errors import StoreError
from revision_quality.streams.base import START, Consumed, Outgoing, page_key
from revision_quality.streams.sqlite import SCHEMA_VERSION, SqliteStreams
from tests.fakes import FakeClock

PROJECT = Path(__file__).parents[2]


def event(number: int, stream: str = "edits") -> Outgoing:
    return Outgoing(stream, str(UUID(int=number)), "my_wiki:1", f"event {number}".encode())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "streams.sqlite"


@pytest.fixture
async def streams(path: Path) -> AsyncIterator[SqliteStreams]:
    async with SqliteStreams(path) as opened:
        yield opened


@pytest.fixture
def start(path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start another process that writes the file."""
    with ExitStack() as started:

        def begin(verb: str, *numbers: int) -> subprocess.Popen[str]:
            module = [sys.executable, "-m", "tests.streams.writer"]
            process = subprocess.Popen(
                [*module, verb, str(path), *map(str, numbers)],
                stdout=subprocess.PIPE,
                text=True,
                cwd=PROJECT,
            )
            started.enter_context(process)
            started.callback(process.kill)
            return process

        yield begin


async def values(streams: SqliteStreams, stream: str = "edits", after: int = START) -> list[str]:
    return [record.value.decode() for record in await streams.read(stream, after, 1000)]


async def test_what_is_appended_is_read_in_order_with_its_time(path):
    clock = FakeClock(datetime(2026, 1, 1, tzinfo=UTC))
    async with SqliteStreams(path, clock) as streams:
        await streams.append([event(2), event(1)])

        first, second = await streams.read("edits", START, 10)

    assert (first.value, second.value) == (b"event 2", b"event 1")
    assert first.offset < second.offset
    assert first.received == 1_767_225_600_000


async def test_reading_goes_on_behind_an_offset_and_up_to_a_limit(streams):
    await streams.append([event(number) for number in range(5)])

    first = await streams.read("edits", START, 2)
    rest = await streams.read("edits", first[-1].offset, 10)

    assert [record.value for record in first + rest] == [b"event %d" % n for n in range(5)]
    assert await streams.read("edits", rest[-1].offset, 10) == []


async def test_streams_do_not_mix(streams):
    await streams.append([event(1, "edits"), event(1, "scores"), event(2, "edits")])

    assert await values(streams, "edits") == ["event 1", "event 2"]
    assert await values(streams, "scores") == ["event 1"]
    assert await values(streams, "nothing") == []
    assert await streams.end("scores") < await streams.end("edits")
    assert await streams.end("nothing") == START


async def test_an_event_written_twice_is_there_once(streams):
    assert await streams.append([event(1), event(2), event(1)]) == [event(1), event(2)]
    assert await streams.append([event(2), event(3)]) == [event(3)]

    assert await values(streams) == ["event 1", "event 2", "event 3"]


async def test_a_group_goes_on_where_it_was(path):
    async with SqliteStreams(path) as streams:
        assert await streams.position("scoring", "edits") == START
        await streams.append([], [Consumed("scoring", "edits", 7), Consumed("other", "edits", 3)])
        await streams.append([], [Consumed("scoring", "edits", 9)])

    async with SqliteStreams(path) as streams:
        assert await streams.position("scoring", "edits") == 9
        assert await streams.position("other", "edits") == 3
        assert await streams.position("scoring", "scores") == START


async def test_events_that_are_there_are_known(streams):
    await streams.append([event(number) for number in range(600)])
    ids = [event(number).id for number in range(500, 1200)]

    assert await streams.known("edits", ids) == set(ids[:100])
    assert await streams.known("scores", ids) == set()
    assert await streams.known("edits", []) == set()


async def test_old_events_are_purged_oldest_first_and_positions_stay(path):
    clock = FakeClock()
    async with SqliteStreams(path, clock) as streams:
        await streams.append([event(1), event(2)], [Consumed("scoring", "edits", 2)])
        await clock.sleep(60)
        await streams.append([event(3)])
        before = int(clock.now().timestamp() * 1000)

        assert await streams.purge(before, limit=1) == 1
        assert await values(streams) == ["event 2", "event 3"]
        assert await streams.purge(before) == 1
        assert await streams.purge(before) == 0
        assert await streams.purge(before + 1) == 1
        assert await streams.position("scoring", "edits") == 2

        await streams.append([event(4)])
        assert (await streams.read("edits", START, 1))[0].offset == 4


async def test_what_was_received_by_a_clock_that_was_ahead_holds_up_no_purge(path):
    clock = FakeClock()
    async with SqliteStreams(path, clock) as streams:
        clock.time += timedelta(days=3650)
        await streams.append([event(1), event(2)])
        clock.time -= timedelta(days=3650)
        await streams.append([event(3)])
        clock.time += timedelta(days=31)
        await streams.append([event(4)])

        assert await streams.purge(int(clock.now().timestamp() * 1000), limit=2) == 1
        assert await values(streams) == ["event 1", "event 2", "event 4"]


async def test_a_reader_wakes_when_something_is_appended(streams):
    appended = streams.appended()
    waiting = asyncio.create_task(streams.wait(appended, 60))
    await asyncio.sleep(0)

    await streams.append([event(1)])

    await asyncio.wait_for(waiting, 30)
    await asyncio.wait_for(streams.wait(appended, 60), 30)


async def test_a_reader_who_waits_for_nothing_looks_again_soon(streams):
    await streams.append([event(1)])

    await asyncio.wait_for(streams.wait(streams.appended(), 0.01), 30)
    await asyncio.wait_for(streams.wait(streams.appended(), 3600), 30)


async def test_appending_what_is_there_wakes_nobody(streams):
    await streams.append([event(1)])
    appended = streams.appended()

    await streams.append([event(1)])

    assert streams.appended() == appended


async def test_an_event_that_cannot_be_written_leaves_the_whole_batch_out(streams):
    bad = Outgoing("new stream", "no UUID", "", b"")
    with pytest.raises(ValueError, match="badly formed"):
        await streams.append([event(1, "new stream"), bad], [Consumed("scoring", "edits", 5)])

    assert await values(streams, "new stream") == []
    assert await streams.position("scoring", "edits") == START

    await streams.append([event(1, "new stream")])
    assert await values(streams, "new stream") == ["event 1"]


async def test_a_failed_commit_leaves_nothing_and_the_next_one_works(path, streams):
    """A second process holds the file; the writer gives up waiting."""
    streams._write_connection.execute("PRAGMA busy_timeout = 10")
    with sqlite3.connect(path, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match=r"streams\.sqlite: database is locked"):
            await streams.append([event(1)], [Consumed("scoring", "edits", 1)])
        other.execute("ROLLBACK")
    other.close()

    await streams.append([event(1)])
    assert await values(streams) == ["event 1"]
    assert await streams.position("scoring", "edits") == START


async def test_a_full_disk_is_a_store_error_and_room_cures_it(path, streams):
    await streams.append([event(1)])
    connection = streams._write_connection
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages}")
    large = Outgoing("second stream", event(2).id, "", b"x" * 1_000_000)

    with pytest.raises(StoreError, match="database or disk is full"):
        await streams.append([large], [Consumed("scoring", "edits", 1)])

    connection.execute("PRAGMA max_page_count = 1000000")
    assert await streams.append([large]) == [large]
    assert len(await streams.read("second stream", START, 10)) == 1
    assert await streams.position("scoring", "edits") == START


async def test_two_processes_write_one_file(path, start):
    writers = [start("append", first, 200) for first in (0, 100)]

    async with SqliteStreams(path) as streams:
        deadline = time.monotonic() + 60
        while len(await values(streams)) < 300 and time.monotonic() < deadline:
            await streams.wait(streams.appended(), 1)
        assert sorted(await values(streams)) == sorted(f"event {n}" for n in range(300))
        offsets = [record.offset for record in await streams.read("edits", START, 1000)]
    for writer in writers:
        assert writer.wait(60) == 0
    assert offsets == sorted(set(offsets))


def test_processes_that_make_the_file_at_the_same_moment_wait_for_each_other(start):
    writers = [start("append", first, 1) for first in range(4)]

    assert [writer.wait(60) for writer in writers] == [0] * 4


async def test_events_and_position_survive_a_kill_together(path, start):
    """Each transaction appends event n and moves the position to n; kills fall anywhere."""
    for round_ in range(6):
        writer = start("count")
        assert writer.stdout is not None
        writer.stdout.readline()
        await asyncio.sleep(0.013 * round_)
        writer.send_signal(signal.SIGKILL)
        writer.wait(60)

        async with SqliteStreams(path) as streams:
            found = await values(streams)
            position = await streams.position("counter", "edits")
        assert found == [f"event {number}" for number in range(1, position + 1)]
    assert position > 6


async def test_a_crash_before_the_commit_leaves_neither_events_nor_position(path, start):
    writer = start("crash")

    assert writer.wait(60) == 3
    async with SqliteStreams(path) as streams:
        assert await values(streams) == ["event 1"]
        assert await streams.position("counter", "edits") == 1


def test_a_file_of_a_newer_schema_is_refused(path):
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    connection.close()

    with pytest.raises(StoreError, match=r"streams\.sqlite has schema 2, this revq knows 1: inst"):
        SqliteStreams(path)


def no_database(path: Path) -> None:
    path.write_bytes(b"no database at all" * 1000)


def a_folder(path: Path) -> None:
    path.mkdir()


def in_no_folder(path: Path) -> None:
    path.parent.rmdir()


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (no_database, "file is not a database"),
        (a_folder, "unable to open database file"),
        (in_no_folder, "unable to open database file"),
    ],
)
def test_a_file_that_cannot_be_used_is_a_store_error(
    tmp_path: Path, spoil: Callable[[Path], None], reason: str
):
    path = tmp_path / "folder/streams.sqlite"
    path.parent.mkdir()
    spoil(path)

    with pytest.raises(StoreError, match=f"streams file {re.escape(str(path))}: {reason}"):
        SqliteStreams(path)


def test_the_key_of_a_page_names_its_wiki():
    assert page_key("my_wiki", 5) == '{"wiki_id":"my_wiki","page_id":5}'
