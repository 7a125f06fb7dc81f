"""The UDP feed wakes the polling of its wiki, and nothing can break it."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from revision_quality.errors import SettingsError
from revision_quality.sources.base import SourceEvent
from revision_quality.sources.polling import INTERVAL, WAKE_PAUSE
from revision_quality.sources.rc_feed import RcFeed
from tests.events.examples import START
from tests.events.test_validation import RECORDINGS
from tests.fakes import FakeClock
from tests.sources.wiki import FakeWiki

FEED = json.loads((RECORDINGS / "rcfeed.json").read_text("utf-8"))


async def never(events: Any) -> None:
    raise AssertionError("a feed emits nothing")


@asynccontextmanager
async def running(feed: RcFeed) -> AsyncIterator[socket.socket]:
    """Run a feed; gives a socket that sends to it."""
    task = asyncio.create_task(feed.run(never))
    async with asyncio.timeout(30):
        while not feed.port:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.connect(("127.0.0.1", feed.port))
        yield sender
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def received(feed: RcFeed, count: int) -> None:
    async with asyncio.timeout(30):
        while feed.received < count:  # noqa: ASYNC110
            await asyncio.sleep(0.001)


async def test_every_recorded_change_wakes_its_wiki():
    woken: list[str] = []
    feed = RcFeed("127.0.0.1", 0, {"enwiki": lambda: woken.append("enwiki")})
    async with running(feed) as sender:
        for change in FEED.values():
            sender.send(json.dumps(change).encode())
        await received(feed, len(FEED))

    assert woken == ["enwiki"] * len(FEED)
    assert feed.unreadable == 0


@pytest.mark.parametrize(
    ("datagram", "unreadable"),
    [
        (b'{"wiki":"other_wiki"}', 0),
        (b'{"wiki":"enwiki","meta":{"domain":"canary"}}', 0),
        (b'{"wiki":7}', 1),
        (b"{}", 1),
        (b"", 1),
        (b"\xff\xfe", 1),
        (b"[" * 60_000, 1),
    ],
)
async def test_what_is_no_change_of_a_known_wiki_wakes_nobody(datagram, unreadable):
    woken: list[str] = []
    feed = RcFeed("127.0.0.1", 0, {"enwiki": lambda: woken.append("enwiki")})
    async with running(feed) as sender:
        sender.send(datagram)
        sender.send(b'{"wiki":"enwiki"}')
        await received(feed, 2)

    assert woken == ["enwiki"]
    assert feed.unreadable == unreadable


async def test_an_address_that_is_taken_is_said_so():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]

        with pytest.raises(SettingsError, match=f"UDP port {port}"):
            await RcFeed("127.0.0.1", port, {}).run(never)


class WaitingClock(FakeClock):
    """Time passes only when a test lets it; who sleeps waits for that."""

    def __init__(self) -> None:
        super().__init__(START)
        self.passed = asyncio.Condition()

    async def sleep(self, seconds: float) -> None:
        until = self.time + timedelta(seconds=seconds)
        async with self.passed:
            await self.passed.wait_for(lambda: self.time >= until)

    async def advance(self, seconds: float) -> None:
        async with self.passed:
            self.time += timedelta(seconds=seconds)
            self.passed.notify_all()


async def test_woken_polling_brings_the_edit_at_once_and_is_not_polled_more_than_every_second():
    wiki, clock = FakeWiki(), WaitingClock()
    source = wiki.source(clock=clock)
    emitted: list[SourceEvent] = []

    async def emit(events: Any) -> None:
        emitted.extend(events)

    def polls() -> int:
        return sum("rccontinue" not in asked and asked["list"] == "recentchanges"
                   for asked in wiki.fake.asked)  # fmt: skip

    async def settle() -> None:
        for _ in range(50):
            await asyncio.sleep(0)

    task = asyncio.create_task(source.run(emit))
    await settle()
    before = polls()

    await clock.advance(WAKE_PAUSE)
    wiki.edit(clock.now())
    await settle()
    assert (polls(), len(emitted)) == (before, 0), f"the next poll is due after {INTERVAL} s"
    source.wake()
    await settle()
    assert (polls(), len(emitted)) == (before + 1, 1)

    for _ in range(10):
        source.wake()
        await settle()
    assert polls() == before + 1
    await clock.advance(WAKE_PAUSE)
    await settle()
    assert polls() == before + 2

    await clock.advance(INTERVAL)
    await settle()
    assert polls() == before + 3
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
