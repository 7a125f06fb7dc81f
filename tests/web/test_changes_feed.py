"""The events of an open page, over uvicorn and a real view."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import httpx
import pytest

from revision_quality.recent_changes.shown_levels import ShownLevels
from revision_quality.recent_changes.wiki_levels import WikiLevels
from revision_quality.views.change import State
from revision_quality.views.shown_model import add_shown
from revision_quality.web import changes_feed
from revision_quality.web.app import create_app
from revision_quality.web.broadcaster import MAX_BACKLOG, Broadcaster
from tests.recent_changes.examples import LEVELS, SITES, change, level
from tests.web.conftest import Serve, WritableView, until
from tests.web.events import listening


async def test_a_new_change_arrives_as_the_row_of_the_page(
    address: str, view: WritableView
) -> None:
    async with listening(address) as reader:
        assert reader.answer.headers["content-type"].startswith("text/event-stream")
        await view.write(change(1, score=0.95, title="<b>"))
        event = await reader.next()

    assert (event.name, event.id, event.key) == ("change", 1, "enwiki:1")
    assert event.data["timestamp"] == 1_700_000_001
    assert (event.data["level"], event.data["score"]) == ("verylikelybad", 0.95)
    assert event.data["html"].startswith('<li id="enwiki:1" class=verylikelybad>')
    assert "&lt;b&gt;" in event.data["html"]


async def test_a_score_replaces_the_pending_row(address: str, view: WritableView) -> None:
    async with listening(address) as reader:
        await view.write(change(1, state=State.PENDING, score=None))
        await reader.next()
        await view.write(change(1, score=0.05))
        event = await reader.next()
    assert (event.name, event.key, event.data["level"]) == ("change", "enwiki:1", "likelygood")


async def test_what_is_deleted_or_no_longer_matches_is_removed(
    address: str, view: WritableView
) -> None:
    async with listening(address, "state=pending") as reader:
        await view.write(*(change(n, state=State.PENDING, score=None) for n in (1, 2)))
        await reader.take(2)
        await view.write(change(1))
        scored = await reader.next()
        await view.delete(change(2))
        deleted = await reader.next()
    assert (scored.name, scored.key) == ("remove", "enwiki:1")
    assert (deleted.name, deleted.key) == ("remove", "enwiki:2")


async def test_edits_of_other_wikis_are_passed_over(address: str, view: WritableView) -> None:
    async with listening(address, "wiki=hewiki") as reader:
        await view.write(change(1), change(2, wiki_id="hewiki"))
        assert (await reader.next()).key == "hewiki:2"


@pytest.mark.parametrize("by_header", [True, False])
async def test_a_reader_resumes_where_it_was(
    address: str, view: WritableView, by_header: bool
) -> None:
    await view.write(*(change(n) for n in range(1, 6)))
    await view.delete(change(4))
    resume = {"last_event_id": 2} if by_header else {"query": "since=2"}
    async with listening(address, **resume) as reader:  # type: ignore[arg-type]
        events = await reader.take(3)
        await view.write(change(9))
        live = await reader.next()
    assert [(event.name, event.key) for event in events] == [
        ("change", "enwiki:3"),
        ("change", "enwiki:5"),
        ("remove", "enwiki:4"),
    ]
    assert live.key == "enwiki:9"


async def test_the_header_of_a_reconnect_goes_before_the_address(
    address: str, view: WritableView
) -> None:
    await view.write(*(change(n) for n in range(1, 4)))
    async with listening(address, "since=0", last_event_id=2) as reader:
        assert (await reader.next()).key == "enwiki:3"


async def test_nothing_is_lost_or_repeated_between_the_past_and_live(
    address: str, view: WritableView
) -> None:
    async def keep_writing() -> None:
        for rev_id in range(1, 61):
            await view.write(change(rev_id))

    writing = asyncio.create_task(keep_writing())
    await until(lambda: True)
    async with listening(address, "since=0") as first:
        early = await first.take(20)
        async with listening(address, last_event_id=early[-1].id) as second:
            late = await second.take(40)
    await writing
    assert [event.id for event in early + late] == list(range(1, 61))


@pytest.mark.parametrize("since", [10**6, -1])
async def test_a_position_that_is_not_of_this_view(
    address: str, view: WritableView, since: int
) -> None:
    """A view that was built anew counts from the beginning."""
    await view.write(change(1))
    async with listening(address, f"since={since}") as reader:
        await view.write(change(2))
        event = await reader.next()
    assert event.name == ("reset" if since > 0 else "change")


async def test_too_much_to_catch_up_with_asks_for_a_new_page(
    address: str, view: WritableView
) -> None:
    await view.write(*(change(n) for n in range(1, MAX_BACKLOG + 3)))
    async with listening(address, "since=1") as reader:
        event = await reader.next()
        await view.write(change(1))
        live = await reader.next()
    assert (event.name, event.id) == ("reset", MAX_BACKLOG + 2)
    assert (live.name, live.key) == ("change", "enwiki:1")


async def test_an_idle_connection_is_kept_alive(
    address: str, view: WritableView, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes_feed, "KEEP_ALIVE_SECONDS", 0.05)
    async with listening(address) as reader:
        lines = reader.answer.aiter_lines()
        assert [await anext(lines) for _ in range(3)] == ["retry: 3000", "", "event: alive"]


async def test_after_a_promotion_rows_have_the_levels_of_the_model_that_is_shown(
    view: WritableView, serve: Serve
) -> None:
    stricter = WikiLevels((level("verylikelybad", 0.2),))
    app = create_app(view, SITES.get, ShownLevels(LEVELS, {("revertrisk", "2"): stricter}))
    async with serve(app) as address, listening(address) as reader:
        await view.write(change(1, score=0.4))
        before = await reader.next()
        await view.database.write(
            lambda connection: add_shown(connection, ("revertrisk", "2"), 1, 1)
        )
        await view.write(change(1, score=0.4))
        after = await reader.next()
    assert [one.data["level"] for one in (before, after)] == ["maybebad", "verylikelybad"]


async def until_summary(lines: AsyncIterator[str]) -> AsyncIterator[str]:
    async for line in lines:
        yield line
        if line.startswith("data:") and "scored" in line:
            return


async def test_the_counts_follow(
    address: str, view: WritableView, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes_feed, "SUMMARY_SECONDS", 0.05)
    async with listening(address) as reader:
        await view.write(change(1))
        told = [line async for line in until_summary(reader.answer.aiter_lines())]
    assert "edits" in told[-1]


async def test_who_comes_back_has_the_counts_of_what_was_missed(
    address: str, view: WritableView, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes_feed, "SUMMARY_SECONDS", 0.05)
    await view.write(change(1), change(2))
    async with asyncio.timeout(30), listening(address, "since=1") as reader:
        lines = reader.answer.aiter_lines()
        told = [line async for line in until_summary(lines)]
    assert "2 edits: 2 scored" in told[-1]


async def test_who_asks_for_the_head_alone_is_answered_at_once(address: str) -> None:
    async with asyncio.timeout(30), httpx.AsyncClient() as client:
        head = await client.head(f"{address}/recent-changes/events")
        assert head.headers["content-type"].startswith("text/event-stream")
        assert (await client.get(f"{address}/healthz")).status_code == 200


async def test_a_reader_who_does_not_read_is_dropped_and_others_are_not(
    view: WritableView, serve: Serve
) -> None:
    broadcaster = Broadcaster(view, capacity=2, pause=0.001)
    app = create_app(view, SITES.get, LEVELS, broadcaster=broadcaster)
    async with serve(app) as address:
        with _silent_reader(address) as slow:
            await until(lambda: broadcaster.listeners == 1)
            async with listening(address) as reader:
                for number in range(0, 4000, 40):
                    rows = [change(n, comment="x" * 900) for n in range(number, number + 40)]
                    await view.write(*rows)
                    assert (await reader.take(40))[-1].key == f"enwiki:{number + 39}"
                await until(lambda: broadcaster.listeners == 1)
                await view.write(change(4001))
                assert (await reader.next()).key == "enwiki:4001"
            del slow


def _silent_reader(address: str) -> socket.socket:
    host, port = address.removeprefix("http://").split(":")
    reader = socket.socket()
    reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    reader.connect((host, int(port)))
    reader.sendall(b"GET /recent-changes/events HTTP/1.1\r\nHost: test\r\n\r\n")
    return reader


async def test_the_server_stops_while_pages_are_open(view: WritableView, serve: Serve) -> None:
    """The stream ends as a whole answer, before uvicorn would cut the connection."""
    app = create_app(view, SITES.get, LEVELS)
    async with AsyncExitStack() as reading:
        async with serve(app) as address:
            reader = await reading.enter_async_context(listening(address))
            await view.write(change(1))
            await reader.next()
        with pytest.raises(StopAsyncIteration):
            await reader.next()


async def test_the_number_of_readers_is_bounded(view: WritableView, serve: Serve) -> None:
    app = create_app(view, SITES.get, LEVELS, broadcaster=Broadcaster(view, listeners=1))
    async with serve(app) as address, listening(address) as reader:
        await view.write(change(1))
        await reader.next()
        async with listening(address) as second:
            assert second.answer.status_code == 503
            assert second.answer.headers["retry-after"]


async def test_readers_who_leave_are_forgotten(view: WritableView, serve: Serve) -> None:
    broadcaster = Broadcaster(view)
    app = create_app(view, SITES.get, LEVELS, broadcaster=broadcaster)
    async with serve(app) as address:
        async with listening(address), listening(address):
            await until(lambda: broadcaster.listeners == 2)
        await until(lambda: broadcaster.listeners == 0)
