"""Polling loses nothing: not in a crash, not after an outage, not when edits show up late."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from revision_quality.errors import StoreError
from revision_quality.events.page_change import PageChange
from revision_quality.events.revision_change import TagsChange, VisibilityChange
from revision_quality.sources import polling
from revision_quality.sources.base import SourceEvent
from revision_quality.sources.collector import Collector
from revision_quality.sources.polling import Gap, PollingSource, PollingState
from revision_quality.sources.reverted import RevertedState
from revision_quality.streams.sqlite import SqliteStreams
from tests.events.examples import at
from tests.fakes import FakeClock, MemoryStore
from tests.sources.wiki import FakeWiki
from tests.wiki.fake import FakeApi


class Listener:
    """Keeps what is emitted; breaks down once when `countdown` emits are over."""

    def __init__(self) -> None:
        self.events: list[SourceEvent] = []
        self.countdown: int | None = None
        self.before = False

    async def emit(self, events: Sequence[SourceEvent]) -> None:
        if self.countdown == 0:
            self.countdown = None
            if not self.before:
                self.events += events
            raise KeyboardInterrupt
        if self.countdown is not None:
            self.countdown -= 1
        self.events += events

    @property
    def edits(self) -> list[int]:
        return [event.revision.rev_id for event in self.events if isinstance(event, PageChange)]

    def of(self, kind: type) -> list[SourceEvent]:
        return [event for event in self.events if isinstance(event, kind)]


@pytest.fixture
def wiki() -> FakeWiki:
    return FakeWiki()


@pytest.fixture
def listener() -> Listener:
    return Listener()


@pytest.fixture
def _small_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(polling, "ROWS", 4)


async def fill_all(source: PollingSource, listener: Listener) -> None:
    while source.catch_up:
        await source.fill(listener.emit)


async def test_new_edits_are_emitted_oldest_first_and_once(wiki, listener):
    source = wiki.source()
    wiki.edit(at(0))
    wiki.edit(at(1))
    await source.poll(listener.emit)
    wiki.edit(at(2))
    await source.poll(listener.emit)
    await source.poll(listener.emit)

    assert listener.edits == [101, 102, 103]


@pytest.mark.usefixtures("_small_answers")
async def test_of_a_new_wiki_the_time_before_is_a_gap_filled_newest_first(wiki, listener):
    for minute in range(20):
        wiki.edit(at(60 * minute))
    clock = FakeClock(at(1200))
    source = wiki.source(clock=clock, backfill=timedelta(minutes=10))
    await source.poll(listener.emit)
    assert listener.edits == [117, 118, 119, 120]

    await fill_all(source, listener)
    assert sorted(listener.edits) == list(range(111, 121))


async def test_an_edit_that_shows_up_late_is_read(wiki, listener):
    source = wiki.source()
    wiki.edit(at(100))
    await source.poll(listener.emit)
    wiki.edit(at(45))
    await source.poll(listener.emit)

    assert listener.edits == [101, 102]
    polls = [asked for asked in wiki.fake.asked if asked.get("list") == "recentchanges"]
    assert polls[-1]["rcend"] == "20261123080040"


async def test_what_is_not_read_again_is_forgotten(wiki, listener):
    source = wiki.source()
    for minute in range(30):
        wiki.edit(at(60 * minute))
        await source.poll(listener.emit)

    assert len(listener.edits) == 30
    assert source.remembered == 2


async def test_a_restart_goes_on_where_it_was(wiki, listener):
    store: MemoryStore[PollingState] = MemoryStore()
    wiki.edit(at(0))
    await wiki.source(store).poll(listener.emit)
    wiki.edit(at(500))

    await wiki.source(store).poll(listener.emit)

    assert set(listener.edits) == {101, 102}
    assert len({event.meta.id for event in listener.of(PageChange)}) == 2
    assert store.state == PollingState(head=at(500))


@pytest.mark.usefixtures("_small_answers")
async def test_what_happened_meanwhile_comes_newest_first_and_live_edits_do_not_wait(
    wiki, listener
):
    store: MemoryStore[PollingState] = MemoryStore()
    wiki.edit(at(0))
    await wiki.source(store).poll(listener.emit)
    for second in range(1000, 1011):
        wiki.edit(at(second))
    source = wiki.source(store)
    listener.events.clear()

    await source.poll(listener.emit)
    assert listener.edits == [109, 110, 111, 112]
    await source.fill(listener.emit)
    assert listener.edits[4:] == [105, 106, 107, 108]
    wiki.edit(at(1012))
    await source.poll(listener.emit)
    assert listener.edits[8:] == [113]
    await fill_all(source, listener)

    assert set(listener.edits) == set(range(101, 114))
    await source.poll(listener.emit)
    await fill_all(source, listener)
    assert store.state == PollingState(head=at(1012))


@pytest.mark.usefixtures("_small_answers")
async def test_a_wiki_is_late_while_something_was_never_read(wiki, listener):
    clock = FakeClock(at(100))
    source = wiki.source(clock=clock)
    wiki.edit(at(0))
    await source.poll(listener.emit)
    for second in range(90, 100):
        wiki.edit(at(second))
    await source.poll(listener.emit)

    assert source.lag == 100
    await fill_all(source, listener)
    assert source.lag == 0


@pytest.mark.usefixtures("_small_answers")
async def test_looking_once_more_through_what_is_known_makes_no_wiki_late(wiki, listener):
    clock = FakeClock(at(7))
    source = wiki.source(clock=clock)
    for second in range(8):
        wiki.edit(at(second))
    await source.poll(listener.emit)
    clock.time = at(9)
    wiki.edit(at(9))
    await source.poll(listener.emit)

    assert source.catch_up is not None
    assert source.lag == 0


class EnoughError(Exception):
    """Ends a source that would ask for ever."""


async def test_a_wiki_slower_than_its_interval_has_its_gaps_filled(wiki, listener):
    clock = FakeClock(at(1000))
    gap = Gap(newest="20261123000000|6", oldest=at(0), begun=at(9))
    quick = wiki.fake

    def slow(request: httpx.Request) -> httpx.Response:
        clock.time += timedelta(seconds=2 * polling.INTERVAL)
        if len(quick.requests) == 10:
            raise EnoughError
        return quick.answer(request)

    wiki.fake = FakeApi(handler=slow)
    source = wiki.source(MemoryStore(PollingState(head=at(1000), gaps=(gap,))), clock)
    with pytest.raises(EnoughError):
        await source.run(listener.emit)

    assert source.catch_up is None


@pytest.mark.usefixtures("_small_answers")
async def test_a_wiki_with_many_edits_in_the_overlap_is_caught_up_with(wiki, listener):
    source = wiki.source()
    wiki.edit(at(0))
    await source.poll(listener.emit)
    for second in range(1, 60):
        wiki.edit(at(second))
        if second % 3 == 0:
            await source.poll(listener.emit)
        elif source.catch_up:
            await source.fill(listener.emit)
    wiki.edit(at(20))

    await fill_all(source, listener)
    await source.poll(listener.emit)
    await fill_all(source, listener)

    assert set(listener.edits) == set(range(101, 162))


@pytest.mark.usefixtures("_small_answers")
async def test_gaps_are_filled_between_the_polls_of_a_busy_wiki(wiki, listener):
    source = wiki.source()
    for second in range(30):
        wiki.edit(at(second))
    await source.poll(listener.emit)
    depths = []
    for second in range(30, 90):
        wiki.edit(at(second))
        await source.poll(listener.emit)
        if source.catch_up:
            await source.fill(listener.emit)
        depths.append(len(source._state.gaps))

    assert max(depths) <= 1
    assert depths.count(0) > 1


@pytest.mark.usefixtures("_small_answers")
async def test_a_gap_survives_a_restart_in_its_middle(wiki, listener):
    store: MemoryStore[PollingState] = MemoryStore()
    wiki.edit(at(0))
    await wiki.source(store).poll(listener.emit)
    for second in range(1000, 1020):
        wiki.edit(at(second))
    first = wiki.source(store)
    await first.poll(listener.emit)
    await first.fill(listener.emit)

    listener.countdown = 0
    with pytest.raises(KeyboardInterrupt):
        await first.fill(listener.emit)
    second = wiki.source(store)
    assert second.catch_up is not None
    await fill_all(second, listener)

    assert set(listener.edits) == set(range(101, 122))


@pytest.mark.usefixtures("_small_answers")
async def test_catching_up_tells_how_far_it_is(wiki, listener):
    store: MemoryStore[PollingState] = MemoryStore()
    wiki.edit(at(0))
    source = wiki.source(store)
    await source.poll(listener.emit)
    assert source.catch_up is None
    for second in range(100, 2000, 100):
        wiki.edit(at(second))
    await source.poll(listener.emit)

    shares = []
    while progress := source.catch_up:
        assert 0 <= progress.done <= progress.total
        shares.append(progress.done / progress.total)
        await source.fill(listener.emit)

    assert shares == sorted(shares)
    assert shares[0] < 0.3
    assert shares[-1] > 0.8


async def test_an_edit_hidden_later_is_told(wiki, listener):
    source = wiki.source()
    row = wiki.edit(at(0))
    await source.poll(listener.emit)
    row |= {"userhidden": True, "sha1hidden": True}
    await source.poll(listener.emit)
    await source.poll(listener.emit)

    (event,) = listener.of(VisibilityChange)
    assert isinstance(event, VisibilityChange)
    assert (event.rev_id, event.visibility.user, event.visibility.text) == (101, False, False)
    assert (event.performer, event.editor) == (None, None)

    del row["userhidden"], row["sha1hidden"]
    await source.poll(listener.emit)
    _, shown = listener.of(VisibilityChange)
    assert isinstance(shown, VisibilityChange)
    assert shown.editor is not None
    assert (shown.performer, shown.editor.user_text) == (None, row["user"])


async def test_an_old_revision_hidden_with_a_log_entry_is_looked_up(wiki, listener):
    hidden = wiki.edit(at(-86_400), commenthidden=True)
    wiki.edit(at(0))
    wiki.log(
        at(1),
        logtype="delete",
        logaction="revision",
        logparams={"type": "revision", "ids": [hidden["revid"], 9999]},
    )
    source = wiki.source(MemoryStore(PollingState(head=at(0))))

    await source.poll(listener.emit)

    (event,) = listener.of(VisibilityChange)
    assert isinstance(event, VisibilityChange)
    assert (event.rev_id, event.comment, event.visibility.comment) == (101, None, False)


async def test_a_hiding_is_not_forgotten_when_the_wiki_fails_in_between(wiki, listener):
    """The look-up of the log entry fails after the edit's own flags were seen."""
    source = wiki.source()
    row = wiki.edit(at(0))
    await source.poll(listener.emit)
    row |= {"userhidden": True}
    wiki.log(
        at(1),
        logtype="delete",
        logaction="revision",
        logparams={"type": "revision", "ids": [9999]},
    )
    wiki.failing_prop = "revisions"
    running = asyncio.create_task(source.run(listener.emit))
    await until(lambda: source.failure is not None)
    wiki.failing_prop = None
    await until(lambda: source.failure is None)
    await end(running)

    assert len(listener.of(VisibilityChange)) == 1


async def test_what_was_hidden_without_a_log_entry_is_swept_up(wiki, listener):
    row = wiki.edit(at(0))
    for second in range(1, 5):
        wiki.edit(at(3600 * second))
    clock = FakeClock(at(5 * 3600))
    source = wiki.source(MemoryStore(PollingState(head=at(4 * 3600))), clock)
    await source.sweep(listener.emit)
    assert listener.events == []

    row |= {"userhidden": True, "suppressed": True}
    await source.sweep(listener.emit)
    await source.sweep(listener.emit)

    (event,) = listener.of(VisibilityChange)
    assert isinstance(event, VisibilityChange)
    assert event.rev_id == 101


async def test_tags_are_told_and_told_again_when_they_change(wiki, listener):
    source = wiki.source()
    row = wiki.edit(at(0), tags=["mw-undo"])
    for tags in (["mw-undo"], ["mw-undo", "spam"], ["mw-undo"], []):
        row["tags"] = tags
        await source.poll(listener.emit)
        await source.poll(listener.emit)

    told = listener.of(TagsChange)
    assert [list(event.tags) for event in told if isinstance(event, TagsChange)] == [
        ["mw-undo"],
        ["mw-undo", "spam"],
        ["mw-undo"],
        [],
    ]
    assert len({event.meta.id for event in told}) == 4


async def test_an_edit_that_is_reverted_long_after_it_was_read_is_told(wiki, listener):
    """The tag comes by a job, an hour after the edit, and no log has it."""
    source = wiki.source(clock=FakeClock(at(3600)))
    row = wiki.edit(at(0), tags=["mobile edit"])
    wiki.edit(at(3500))
    await source.poll(listener.emit)
    await source.sweep(listener.emit)
    row["tags"] = ["mobile edit", "mw-reverted"]
    for _ in range(2):
        await source.poll(listener.emit)
        await source.sweep(listener.emit)

    told = [event for event in listener.of(TagsChange) if isinstance(event, TagsChange)]
    assert [(event.rev_id, event.tags) for event in told] == [
        (101, ("mobile edit",)),
        (101, ("mobile edit", "mw-reverted")),
    ]


async def test_after_a_restart_no_reverted_edit_is_told_again_and_old_ones_are_forgotten(
    wiki, listener
):
    store: MemoryStore[RevertedState] = MemoryStore()
    wiki.edit(at(0), tags=["mw-reverted"])
    await wiki.source(clock=FakeClock(at(3600)), reverted=store).sweep(listener.emit)
    wiki.edit(at(3700), tags=["mw-reverted"])

    await wiki.source(clock=FakeClock(at(4000)), reverted=store).sweep(listener.emit)
    told = [event.rev_id for event in listener.of(TagsChange) if isinstance(event, TagsChange)]
    assert told == [101, 102]
    await wiki.source(clock=FakeClock(at(73 * 3600)), reverted=store).sweep(listener.emit)

    assert store.state == RevertedState({102: int(at(3700).timestamp())})
    assert len(store.saved) == 3


@pytest.mark.usefixtures("_small_answers")
async def test_of_many_reverted_edits_each_is_told_with_few_requests_at_a_time(wiki, listener):
    source = wiki.source(clock=FakeClock(at(3600)))
    for minute in range(50):
        wiki.edit(at(minute), tags=["mw-reverted"])
    wiki.edit(at(-4 * 86_400), tags=["mw-reverted"])
    asked = []
    for _ in range(3):
        before = len(wiki.fake.asked)
        await source.sweep(listener.emit)
        asked.append(sum("rctag" in one for one in wiki.fake.asked[before:]))

    told = [event.rev_id for event in listener.of(TagsChange) if isinstance(event, TagsChange)]
    assert sorted(told) == list(range(101, 151))
    assert told[:4] == [150, 149, 148, 147]
    assert asked == [5, 5, 5]


@pytest.mark.parametrize(
    ("failure", "text"),
    [
        (httpx.Response(503), "answers HTTP 503"),
        (httpx.ConnectError("refused"), "cannot be reached"),
        (httpx.Response(200, html="<p>"), "does not answer as a MediaWiki API"),
        (httpx.Response(200, json={"query": {"recentchanges": {}}}), "the recent changes are no"),
    ],
)
async def test_it_goes_on_through_failures_and_waits_longer_each_time(
    wiki, listener, failure, text
):
    clock = FakeClock()
    source = wiki.source(MemoryStore(), clock)
    wiki.edit(at(0))
    wiki.failure = failure
    running = asyncio.create_task(source.run(listener.emit))
    await until(lambda: len(clock.slept) >= 6)

    assert source.failure is not None
    assert text in source.failure
    assert clock.slept[:6] == [6, 12, 24, 48, 60, 60]

    wiki.failure = None
    await until(lambda: listener.edits == [101])
    await until(lambda: source.failure is None)
    await end(running)


async def test_a_wiki_that_asks_to_wait_is_waited_for(wiki, listener):
    clock = FakeClock()
    source = wiki.source(MemoryStore(), clock)
    wiki.failure = httpx.Response(429, headers={"retry-after": "500"})
    running = asyncio.create_task(source.run(listener.emit))
    await until(lambda: len(clock.slept) >= 1)
    await end(running)

    assert clock.slept[0] == 500


class FullDisk(MemoryStore[PollingState]):
    failures = 2

    def save(self, state: PollingState) -> None:
        if self.failures:
            self.failures -= 1
            raise StoreError("the disk is full")
        super().save(state)


async def test_a_position_that_cannot_be_stored_is_a_failure_that_passes(wiki, listener):
    store = FullDisk()
    source = wiki.source(store)
    wiki.edit(at(0))
    running = asyncio.create_task(source.run(listener.emit))
    await until(lambda: store.state is not None)
    await end(running)

    assert listener.edits == [101]


@pytest.mark.usefixtures("_small_answers")
async def test_what_comes_while_the_first_position_cannot_be_stored_is_read(wiki, listener):
    store = FullDisk()
    source = wiki.source(store)
    wiki.edit(at(0))
    for _ in range(store.failures):
        with pytest.raises(StoreError):
            await source.poll(listener.emit)
        for second in range(10):
            wiki.edit(at(second + 1))
    # The first poll leaves what showed up late to the next.
    for _ in range(2):
        await source.poll(listener.emit)
        await fill_all(source, listener)

    assert set(listener.edits) == set(range(101, 122))
    assert store.state == PollingState(head=at(10))


async def test_a_quiet_wiki_is_polled_at_its_interval(wiki, listener):
    clock = FakeClock()
    source = wiki.source(MemoryStore(), clock)
    running = asyncio.create_task(source.run(listener.emit))
    await until(lambda: clock.now() > at(30))
    await end(running)

    polls = [asked for asked in wiki.fake.asked if asked.get("list") == "recentchanges"]
    assert 10 <= len(polls) <= 13


async def test_a_clock_that_is_set_back_stops_no_polling(wiki, listener):
    clock = FakeClock()
    source = wiki.source(MemoryStore(), clock)
    running = asyncio.create_task(source.run(listener.emit))
    await until(lambda: len(clock.slept) >= 2)
    clock.time -= timedelta(hours=1)
    slept = len(clock.slept)
    wiki.edit(clock.now())
    await until(lambda: listener.edits == [101])
    await end(running)

    assert sum(clock.slept[slept:]) <= 2 * polling.INTERVAL


async def test_edits_of_a_server_whose_clock_is_ahead_hide_none_of_the_others(wiki, listener):
    clock = FakeClock()
    source = wiki.source(MemoryStore(), clock)
    for second in range(0, 90, 3):
        clock.time = at(second)
        wiki.edit(at(second + 600))
        wiki.edit(at(second - 2))
        await source.poll(listener.emit)

    assert sorted(listener.edits) == [101 + number for number in range(60)]


async def test_the_stream_holds_each_edit_once(wiki, tmp_path):
    async with SqliteStreams(tmp_path / "streams.sqlite") as streams:
        collector = Collector(streams)
        for _ in range(3):
            wiki.edit(at(len(wiki.rows)))
            await wiki.source().poll(collector.emit)

        records = await streams.read("mediawiki.page_change.v1", 0, 100)
    assert len(records) == 3
    assert collector.collected["mediawiki.page_change.v1"] == 3


def test_a_gap_that_is_stored_is_read_again():
    gap = Gap(newest="20261123083502|3", oldest=at(0), begun=at(9))
    source = FakeWiki().source(MemoryStore(PollingState(head=at(9), gaps=(gap,))))

    assert source.catch_up is not None


OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("edits"), st.integers(1, 9), st.integers(-7200, 60)),
        st.tuples(st.just("wait"), st.integers(1, 200), st.just(0)),
        st.tuples(st.just("poll"), st.just(0), st.just(0)),
        st.tuples(st.just("fill"), st.just(0), st.just(0)),
        st.tuples(st.just("crash in poll"), st.just(0), st.integers(0, 1)),
        st.tuples(st.just("crash in fill"), st.just(0), st.integers(0, 1)),
        st.tuples(st.just("restart"), st.just(0), st.just(0)),
    ),
    max_size=25,
)


@pytest.mark.usefixtures("_small_answers")
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(operations=OPERATIONS)
async def test_no_edit_is_lost_whatever_happens(operations):
    """Edits show up late by less than the overlap, or are of a server whose clock is ahead;
    crashes come before or after the emit."""
    wiki, listener, clock = FakeWiki(), Listener(), FakeClock()
    store: MemoryStore[PollingState] = MemoryStore()
    wiki.edit(clock.now())
    source = wiki.source(store, clock)
    await source.poll(listener.emit)
    for name, number, detail in operations:
        listener.countdown = 0 if name.startswith("crash") else None
        listener.before = bool(detail)
        if name == "edits":
            for _ in range(number):
                wiki.edit(clock.now() - timedelta(seconds=detail))
        elif name == "wait":
            await clock.sleep(number)
        elif name == "restart" or await crashes(source, name, listener):
            source = wiki.source(store, clock)
    listener.countdown = None
    source = wiki.source(store, clock)
    # The first may find gaps, and leave what showed up late to the next.
    for _ in range(2):
        await source.poll(listener.emit)
        await fill_all(source, listener)

    assert set(listener.edits) == {row["revid"] for row in wiki.rows}
    ids = {event.meta.id for event in listener.events if isinstance(event, PageChange)}
    assert len(ids) == len(wiki.rows)


async def crashes(source: PollingSource, name: str, listener: Listener) -> bool:
    """Poll or fill; tell whether it ended in a crash."""
    step: Callable[..., Awaitable[None]] = source.poll if "poll" in name else source.fill
    if step == source.fill and not source.catch_up:
        return False
    try:
        await step(listener.emit)
    except KeyboardInterrupt:
        return True
    return False


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0)


async def end(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
