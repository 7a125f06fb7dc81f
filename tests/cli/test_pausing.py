"""What is paused stays so over restarts and purges, in every process that reads the log."""

import asyncio

import pytest
from structlog.testing import capture_logs

from revision_quality.cli.pausing import PauseFollower, say
from revision_quality.events import streams as names
from revision_quality.pauses import Gate
from revision_quality.streams.base import Outgoing
from revision_quality.streams.sqlite import SqliteStreams

FAR = 10**15


@pytest.fixture
def file(tmp_path):
    return tmp_path / "streams.sqlite"


async def test_what_is_paused_is_read_by_a_process_that_starts_later(file):
    await say(lambda: SqliteStreams(file), [("wiki", "enwiki"), ("model", "old")], is_paused=True)
    await say(lambda: SqliteStreams(file), [("model", "old")], is_paused=False)
    async with SqliteStreams(file) as streams:
        await streams.append([Outgoing(names.PAUSE, "0" * 32, "", b"no event")])
        gate = Gate(is_known=False)
        assert not gate.is_open("dewiki")

        with capture_logs() as logged:
            await PauseFollower(streams, gate).read()

    told = [(one["event"], one["name"]) for one in logged if one["log_level"] == "info"]
    assert told == [("paused", "enwiki")], "what holds, not what has been"
    assert (gate.wikis, gate.models) == ({"enwiki"}, frozenset())
    assert gate.is_open("dewiki", "old")
    assert not gate.is_open("enwiki", "old")


async def test_no_age_drops_a_pause(file):
    await say(lambda: SqliteStreams(file), [("wiki", "enwiki")], is_paused=True)
    async with SqliteStreams(file) as streams:
        old = [Outgoing(names.PAGE_CHANGE, f"{number:032x}", "", b"{}") for number in range(5)]
        await streams.append(old)

        purged = await streams.purge(FAR)
        gate = Gate(is_known=False)
        await PauseFollower(streams, gate).read()

    assert purged == 5
    assert gate.wikis == {"enwiki"}


async def test_who_waits_at_the_gate_goes_on_as_soon_as_it_opens(file):
    gate = Gate(is_known=False)
    async with SqliteStreams(file) as streams:
        await say(lambda: SqliteStreams(file), [("wiki", "enwiki")], is_paused=True)
        following = asyncio.create_task(PauseFollower(streams, gate).run())
        await asyncio.wait_for(gate.passed("dewiki"), 30)
        waiting = asyncio.create_task(gate.passed("enwiki"))
        done, _ = await asyncio.wait([waiting], timeout=0.6)
        assert not done

        await say(lambda: SqliteStreams(file), [("wiki", "enwiki")], is_paused=False)
        await asyncio.wait_for(waiting, 30)
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
