"""Processes are killed, servers go away: rows and position are never seen apart, none is lost."""

import asyncio
import os
import random
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import Connection, func, select, text

from revision_quality.events import streams as names
from revision_quality.streams.base import Outgoing
from revision_quality.streams.sqlite import SqliteStreams
from revision_quality.views.changes import STREAMS, ChangesView
from revision_quality.views.materialiser import Materialiser
from revision_quality.views.progress import take_turn
from revision_quality.views.tables import change_counts, changes, progress
from tests.events.examples import page_change, prediction
from tests.servers.databases import RealServer
from tests.views.examples import Event, open_view, records, stored

KILLS = 8
OUTAGE_SECONDS = float(os.environ.get("REVQ_TESTS_OUTAGE_SECONDS", "4"))


def edits(number: int) -> list[Event]:
    return [
        page_change(rev_id=rev_id, second=rev_id, wiki_id=f"wiki{rev_id % 7}")
        for rev_id in range(1, number + 1)
    ]


def outgoing(events: Sequence[Event], first: int = 1) -> list[Outgoing]:
    return [
        Outgoing(record.stream, str(UUID(int=record.offset)), "", record.value)
        for record in records(events, first)
    ]


async def test_a_killed_process_leaves_rows_and_position_in_step(
    tmp_path: Path, new_url: Callable[[], str]
):
    url, events = new_url(), edits(3000)
    async with SqliteStreams(tmp_path / "streams.sqlite") as streams:
        await streams.append(outgoing(events))
    command = [sys.executable, "-m", "tests.views.applier", str(tmp_path / "streams.sqlite"), url]
    positions = []
    async with open_view(url) as view:
        for number in range(1, KILLS + 1):
            child = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
            assert child.stdout is not None
            assert await child.stdout.readline() == b"ready\n"
            await asyncio.sleep(random.uniform(0.01, 0.08 * number))
            with suppress(ProcessLookupError):
                child.kill()
            await child.communicate()
            positions.append(await in_step(view))
        assert positions == sorted(positions)
        assert len(set(positions)) > 2
        child = await asyncio.create_subprocess_exec(*command, stdout=subprocess.DEVNULL)
        assert await child.wait() == 0
        assert await in_step(view) == len(events)


async def in_step(view: ChangesView) -> int:
    """Check that the view holds the edits up to its position, and nothing else; return it."""
    position, keys, counted = await view._database.write(_seen_at_once)
    assert keys == [(rev_id, rev_id) for rev_id in range(1, position + 1)]
    assert counted == position
    return position


def _seen_at_once(connection: Connection) -> tuple[int, list[tuple[int, int]], int]:
    """Read while no other writes: a server may still commit for a client that is dead."""
    take_turn(connection)
    values = {row.name: row.value for row in connection.execute(select(progress))}
    rows = connection.execute(select(changes.c.rev_id, changes.c.seq).order_by(changes.c.rev_id))
    counted = connection.scalar(select(func.sum(change_counts.c.number)))
    return values.get(names.PAGE_CHANGE, 0), [tuple(row) for row in rows], int(counted or 0)


@pytest.mark.database
@pytest.mark.parametrize("kind", ["mariadb", "postgresql"])
@pytest.mark.parametrize("end", [RealServer.stop, RealServer.kill], ids=["stopped", "killed"])
async def test_a_server_that_comes_back_has_every_row_once(
    kind: str, end: Callable[[RealServer], None], tmp_path: Path, request: pytest.FixtureRequest
):
    server: RealServer = request.getfixturevalue(kind)
    events = edits(3000)
    told = [event for edit in events for event in (edit, prediction(edit))]
    async with (
        SqliteStreams(tmp_path / "streams.sqlite") as streams,
        open_view(server.new_url()) as view,
        open_view(f"sqlite:///{tmp_path}/undisturbed.sqlite") as undisturbed,
    ):
        running = asyncio.create_task(Materialiser(streams, view, STREAMS).run())
        for part in range(0, len(told), 100):
            await streams.append(outgoing(told[part : part + 100], part + 1))
            if part == len(told) // 2:
                await asyncio.to_thread(end, server)
                await asyncio.sleep(OUTAGE_SECONDS)
                await asyncio.to_thread(server.start)
        async with asyncio.timeout(120):
            while await position_of(view) < await streams.end(names.PREDICTION):  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        while await Materialiser(streams, undisturbed, STREAMS).step():
            pass

        assert await stored(view) == await stored(undisturbed)
        assert await view.counts() == await undisturbed.counts()
        seqs = [row.seq for row in await view.since(0, 10_000)]
        assert len(seqs) == len(set(seqs)) == len(events)


async def position_of(view: ChangesView) -> int:
    return await view.position(names.PREDICTION)


_KILL_OTHERS = {
    "mariadb": (
        "SELECT id FROM information_schema.processlist WHERE id <> connection_id()"
        " AND db = database()",
        "KILL {}",
    ),
    "postgresql": (
        "SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
        " AND datname = current_database()",
        "SELECT pg_terminate_backend({})",
    ),
}


@pytest.mark.database
@pytest.mark.parametrize("kind", ["mariadb", "postgresql"])
async def test_connections_that_are_cut_leave_rows_and_position_in_step(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
):
    server: RealServer = request.getfixturevalue(kind)
    url, events = server.new_url(), edits(4000)
    find, cut = _KILL_OTHERS[kind]
    async with (
        SqliteStreams(tmp_path / "streams.sqlite") as streams,
        open_view(url) as view,
        open_view(url) as other,
    ):

        def cut_all(connection):
            for (number,) in connection.execute(text(find)).all():
                with suppress(Exception):
                    connection.execute(text(cut.format(number)))

        running = asyncio.create_task(Materialiser(streams, view, STREAMS).run())
        for part in range(0, len(events), 500):
            await streams.append(outgoing(events[part : part + 500], part + 1))
            await asyncio.sleep(random.uniform(0, 0.05))
            await other._database.write(cut_all)
            await in_step(other)
        async with asyncio.timeout(120):
            while await other.position(names.PAGE_CHANGE) < len(events):  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        assert await in_step(other) == len(events)
