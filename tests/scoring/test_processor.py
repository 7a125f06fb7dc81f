"""Each edit is scored once and has one outcome, whatever fails on the way."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from revision_quality.errors import StoreError, WikiRefusedError, WikiUnavailableError
from revision_quality.events import streams as names
from revision_quality.events.error import decode_error
from revision_quality.events.page_change import PageChange
from revision_quality.events.prediction import decode_prediction
from revision_quality.events.prediction_error import decode_prediction_error
from revision_quality.models.base import Prediction, Unscored
from revision_quality.scoring.feed import Feed
from revision_quality.scoring.matching import wanted
from revision_quality.scoring.model_rule import ModelRule
from revision_quality.scoring.processor import (
    BATCH,
    GROUP,
    UNKNOWN_ATTEMPTS,
    WINDOW,
    Processor,
)
from revision_quality.scoring.tally import ScoringTally
from revision_quality.sources.base import outgoing
from revision_quality.streams.base import Consumed, Outgoing, Record, Work
from revision_quality.streams.sqlite import SqliteMember, SqliteStreams
from revision_quality.wiki.reader import Unreadable
from revision_quality.wiki.revision import Revision
from tests.events.examples import at, page_change, revision
from tests.fakes import FakeClock
from tests.scoring.fakes import FakeModel, FakeReader

MISSING = Unreadable("revision_missing", "The wiki has no such revision.")


class BrittleStreams(SqliteStreams):
    """Fails to append, to read or to know, as many times as a test says; may append later."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.failures: dict[str, int] = {}
        self.is_open = asyncio.Event()
        self.is_open.set()
        self.outcomes_at_once: list[int] = []
        self.is_known_late = False

    async def append(
        self, events: Iterable[Outgoing], consumed: Sequence[Consumed] = ()
    ) -> list[Outgoing]:
        self._fail("append")
        batch = list(events)
        if consumed and batch:
            self.outcomes_at_once.append(len(batch))
        await self.is_open.wait()
        return await super().append(batch, consumed)

    async def read(self, stream: str, after: int, limit: int, partition: int = 0) -> list[Record]:
        self._fail("read")
        return await super().read(stream, after, limit, partition)

    async def known(self, stream: str, ids: Iterable[str]) -> set[str]:
        self._fail("known")
        asked = set(ids)
        found = await super().known(stream, asked)
        if self.is_known_late:
            self.is_known_late = False
            self.is_open.set()
            while not await super().known(stream, asked):  # noqa: ASYNC110
                await asyncio.sleep(0.001)
            await asyncio.sleep(0.01)
        return found

    def _fail(self, what: str) -> None:
        if self.failures.get(what):
            self.failures[what] -= 1
            raise StoreError(f"cannot {what}")


class SlowModel(FakeModel):
    """Answers when its gate opens."""

    name = "slow"

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()
        self.under_way = 0
        self.most = 0

    async def predict(self, revisions: Sequence[Revision]) -> Sequence[Prediction | Unscored]:
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        await self.gate.wait()
        self.under_way -= 1
        return await super().predict(revisions)


@pytest.fixture
async def streams(tmp_path: Path) -> AsyncIterator[BrittleStreams]:
    async with BrittleStreams(tmp_path / "streams.sqlite") as opened:
        yield opened


async def bring(streams: SqliteStreams, *changes: PageChange) -> None:
    await streams.append([outgoing(change) for change in changes])


@asynccontextmanager
async def scoring(
    streams: SqliteStreams,
    readers: Mapping[str, FakeReader] | None = None,
    model: FakeModel | None = None,
    clock: FakeClock | None = None,
    window: int = WINDOW,
    *,
    expected: Collection[str] = (),
    tally: ScoringTally | None = None,
    **options: Any,
) -> AsyncIterator[Processor]:
    """Run a processor for as long as the block; `options` are those of its rule."""
    readers = {"my_wiki": FakeReader()} if readers is None else readers
    rule = ModelRule(model=model or FakeModel(), **options)
    clock = clock or FakeClock(at(9999))
    member = await streams.join(rule.group, [names.PAGE_CHANGE])
    feed = Feed(streams, member, member.claims[0], clock)
    processor = Processor(
        feed,
        rule,
        readers.get,
        is_expected=lambda domain: domain in expected,
        clock=clock,
        window=window,
        tally=tally,
    )
    running = asyncio.create_task(processor.run())
    try:
        yield processor
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


async def outcomes(streams: SqliteStreams) -> dict[int, str]:
    """The outcome of each edit; fails if one has two."""
    found: list[tuple[int, str]] = []
    for record in await streams.read(names.PREDICTION, 0, 10_000):
        event = decode_prediction(record.value)
        assert event.meta.dt is not None
        found.append((event.revision.rev_id, "scored"))
    for record in await streams.read(names.PREDICTION_ERROR, 0, 10_000):
        error = decode_prediction_error(record.value)
        found.append((error.revision.rev_id, error.error.reason))
    assert len(found) == len(dict(found))
    return dict(found)


async def until_done(streams: SqliteStreams) -> dict[int, str]:
    """Wait until every event is dealt with; return the outcomes."""
    end = await streams.end(names.PAGE_CHANGE)
    async with asyncio.timeout(60):
        while await streams.position(GROUP, names.PAGE_CHANGE) < end:  # noqa: ASYNC110
            await asyncio.sleep(0.002)
    return await outcomes(streams)


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.001)


async def test_each_edit_has_one_outcome_and_other_events_none(streams):
    slots = {"main": {"slot_role": "main", "content_model": "wikibase-item"}}
    await bring(
        streams,
        page_change("edit", 10),
        page_change("create", 11),
        page_change("move", 12),
        page_change("edit", 13, revision=revision(13, is_content_visible=False)),
        page_change("edit", 14, revision=revision(14, content_slots=slots)),
        page_change("delete", 15),
        page_change("undelete", 16),
        page_change("visibility_change", 17),
        page_change("edit", 18, wiki_id="nobody_knows"),
    )

    async with scoring(streams) as processor:
        assert await until_done(streams) == {
            10: "scored",
            11: "page_creation",
            12: "page_move",
            13: "revision_hidden",
            14: "not_wikitext",
            18: "unknown_wiki",
        }
        assert processor.pending == 0


async def test_edits_that_come_while_it_runs_are_scored(streams):
    async with scoring(streams):
        for rev_id in range(10, 15):
            await bring(streams, page_change(rev_id=rev_id))
            assert (await until_done(streams))[rev_id] == "scored"


async def test_many_edits_are_read_in_batches(streams):
    reader, model = FakeReader(), FakeModel()
    await bring(streams, *(page_change(rev_id=rev_id) for rev_id in range(101, 401)))

    async with scoring(streams, {"my_wiki": reader}, model):
        assert await until_done(streams) == dict.fromkeys(range(101, 401), "scored")

    assert sorted(model.asked) == list(range(101, 401))
    assert max(map(len, reader.batches)) == BATCH
    assert len(reader.batches) < 20


async def test_what_is_scored_while_a_transaction_runs_goes_into_one(streams):
    wikis = [f"wiki{number}" for number in range(20)]
    model, readers = FakeModel(), {wiki_id: FakeReader() for wiki_id in wikis}
    await bring(streams, *(page_change(rev_id=n, wiki_id=f"wiki{n % 20}") for n in range(20, 40)))

    streams.is_open.clear()
    async with scoring(streams, readers, model):
        await until(lambda: len(model.asked) == 20 and streams.outcomes_at_once)
        streams.is_open.set()
        assert len(await until_done(streams)) == 20

    assert sum(streams.outcomes_at_once) == 20
    assert len(streams.outcomes_at_once) < 10


async def test_scoring_goes_on_while_a_transaction_runs(streams):
    model = FakeModel()
    await bring(streams, *(page_change(rev_id=rev_id) for rev_id in range(101, 301)))

    streams.is_open.clear()
    async with scoring(streams, {"my_wiki": FakeReader()}, model):
        await until(lambda: len(model.asked) == 200)
        assert sum(streams.outcomes_at_once) < 200
        streams.is_open.set()
        assert await until_done(streams) == dict.fromkeys(range(101, 301), "scored")

    assert len(model.asked) == 200


async def test_an_edit_that_is_refused_has_its_outcome_while_the_wiki_is_down(streams):
    reader = FakeReader()
    reader.failure = WikiUnavailableError("down")
    await bring(streams, page_change("edit", 10), page_change("create", 11))

    async with scoring(streams, {"my_wiki": reader}):
        async with asyncio.timeout(60):
            while not (found := await outcomes(streams)):  # noqa: ASYNC110
                await asyncio.sleep(0.002)
        assert found == {11: "page_creation"}
        reader.failure = None
        assert await until_done(streams) == {10: "scored", 11: "page_creation"}


async def test_the_newest_edits_are_scored_first(streams):
    reader = FakeReader()
    edits = [page_change(rev_id=rev_id, second=rev_id) for rev_id in range(101, 201)]
    await bring(streams, *edits)

    async with scoring(streams, {"my_wiki": reader}):
        await until_done(streams)

    assert sorted(reader.batches[0]) == list(range(176, 201))
    assert sorted(reader.batches[-1]) == list(range(101, 126))


@pytest.mark.parametrize("apart", [False, True])
async def test_an_edit_that_two_sources_bring_is_scored_once(streams, apart):
    model = FakeModel()
    edit = page_change()
    other = replace(edit, meta=replace(edit.meta, id=str(UUID(int=5))))
    async with scoring(streams, model=model):
        await bring(streams, edit)
        if apart:
            await until_done(streams)
        await bring(streams, other)
        assert await until_done(streams) == {10: "scored"}

    assert len(await streams.read(names.PAGE_CHANGE, 0, 9)) == 2
    assert apart is False or model.asked == [10]


async def test_an_edit_whose_score_is_published_while_it_is_looked_for_is_scored_once(streams):
    model = FakeModel()
    async with scoring(streams, model=model):
        await bring(streams, page_change())
        streams.is_open.clear()
        await until(lambda: model.asked)
        streams.is_known_late = True
        again = page_change()
        again = replace(again, meta=replace(again.meta, id=str(UUID(int=77))))
        await SqliteStreams.append(streams, [outgoing(again)])

        assert await until_done(streams) == {10: "scored"}
    assert model.asked == [10]


async def test_an_edit_that_failed_is_not_scored_again_when_it_comes_again(streams):
    model = FakeModel(lambda _: [Prediction(float("nan"))])
    edit = page_change()
    async with scoring(streams, model=model):
        for number in range(3):
            await bring(streams, replace(edit, meta=replace(edit.meta, id=str(UUID(int=number)))))
            assert await until_done(streams) == {10: "model_error"}

    assert model.asked == [10]


async def test_copies_in_one_batch_are_scored_once(streams):
    model = FakeModel()
    edit = page_change()
    copies = [replace(edit, meta=replace(edit.meta, id=str(UUID(int=n)))) for n in range(5)]
    await bring(streams, *copies)

    async with scoring(streams, model=model):
        assert await until_done(streams) == {10: "scored"}

    assert model.asked == [10]


async def test_while_the_wiki_is_down_its_edits_are_pending(streams):
    reader, clock = FakeReader(), FakeClock()
    reader.failure = WikiUnavailableError("the wiki is down")
    await bring(streams, page_change())

    async with scoring(streams, {"my_wiki": reader}, clock=clock) as processor:
        await until(lambda: len(clock.slept) >= 4)
        assert processor.failures["my_wiki"].startswith("the wiki is down (failed ")
        assert processor.pending == 1
        assert await outcomes(streams) == {}

        reader.failure = None
        assert await until_done(streams) == {10: "scored"}
        await until(lambda: not processor.failures)
    pauses = [seconds for seconds in clock.slept if seconds != 0.05]
    assert max(pauses) <= 60
    assert set(pauses[:2]) <= {1.0, 2.0}


async def test_a_wiki_that_may_come_to_be_known_is_waited_for(streams):
    readers, expected = {"my_wiki": FakeReader()}, {"wiki.example"}
    await bring(streams, page_change(rev_id=10), page_change(rev_id=11, wiki_id="late_wiki"))

    async with scoring(streams, readers, expected=expected) as processor:
        await until(lambda: "late_wiki" in processor.failures)
        await until(lambda: processor.pending == 1)
        assert await outcomes(streams) == {10: "scored"}

        readers["late_wiki"] = FakeReader()
        assert await until_done(streams) == {10: "scored", 11: "scored"}


async def test_a_wiki_that_asks_to_wait_is_waited_for(streams):
    reader, clock = FakeReader(), FakeClock()
    reader.failure = WikiUnavailableError("too many requests", retry_after=77)
    await bring(streams, page_change())

    async with scoring(streams, {"my_wiki": reader}, clock=clock):
        await until(lambda: 77 in clock.slept)
        reader.failure = None
        assert await until_done(streams) == {10: "scored"}


async def test_one_dead_wiki_does_not_stop_another(streams):
    dead, alive = FakeReader(), FakeReader()
    dead.failure = WikiUnavailableError("down")
    edits = [
        page_change(rev_id=rev_id, wiki_id=wiki_id)
        for rev_id in range(101, 201)
        for wiki_id in ("dead_wiki" if rev_id % 2 else "my_wiki",)
    ]
    await bring(streams, *edits)

    async with scoring(streams, {"dead_wiki": dead, "my_wiki": alive}) as processor:
        await until(lambda: processor.pending == 50)
        assert await outcomes(streams) == dict.fromkeys(range(102, 201, 2), "scored")
        assert await streams.position(GROUP, names.PAGE_CHANGE) == 0


async def test_one_edit_that_cannot_be_read_fails_alone(streams):
    reader = FakeReader()
    reader.failing[20] = WikiRefusedError("the wiki refuses this one", "x")
    await bring(streams, *(page_change(rev_id=rev_id) for rev_id in range(10, 35)))

    async with scoring(streams, {"my_wiki": reader}):
        found = await until_done(streams)

    assert found.pop(20) == "wiki_error"
    assert found == dict.fromkeys([*range(10, 20), *range(21, 35)], "scored")


async def test_a_model_that_fails_leaves_the_reason(streams):
    model = FakeModel(lambda _: [Prediction(float("nan"))])
    await bring(streams, page_change())

    async with scoring(streams, model=model):
        assert await until_done(streams) == {10: "model_error"}
    (record,) = await streams.read(names.PREDICTION_ERROR, 0, 9)
    assert decode_prediction_error(record.value).error.state == "failed"


async def test_an_unreadable_event_is_a_dead_letter_and_the_rest_goes_on(streams):
    raw = b'{"wiki_id": "my_wiki", "page'
    await bring(streams, page_change())
    await streams.append([Outgoing(names.PAGE_CHANGE, str(UUID(int=1)), "", raw)])
    await bring(streams, page_change(rev_id=11))

    async with scoring(streams):
        assert await until_done(streams) == {10: "scored", 11: "scored"}

    (record,) = await streams.read(names.DEAD_LETTER, 0, 9)
    letter = decode_error(record.value)
    assert letter.raw_event == raw.decode()
    assert "not a page_change event" in letter.message


async def test_a_fresh_revision_that_a_replica_does_not_know_is_asked_for_again(streams):
    reader, clock = FakeReader(), FakeClock()
    here = Unreadable("not_wikitext", "It is JSON.")
    reader.unreadable[10] = [MISSING, MISSING, here]
    await bring(streams, page_change())

    async with scoring(streams, {"my_wiki": reader}, clock=clock):
        assert await until_done(streams) == {10: "not_wikitext"}
    assert clock.slept == [3, 3]


async def test_a_revision_that_never_shows_up_is_given_up(streams):
    reader = FakeReader()
    reader.unreadable[10] = [MISSING]
    await bring(streams, page_change())

    async with scoring(streams, {"my_wiki": reader}, clock=FakeClock()):
        assert await until_done(streams) == {10: "revision_missing"}
    assert len(reader.batches) == 1 + UNKNOWN_ATTEMPTS


async def test_an_old_revision_that_is_missing_is_given_up_at_once(streams):
    reader = FakeReader()
    reader.unreadable[10] = [MISSING]
    await bring(streams, page_change())

    async with scoring(streams, {"my_wiki": reader}, clock=FakeClock(at(121))):
        assert await until_done(streams) == {10: "revision_missing"}
    assert len(reader.batches) == 1


@pytest.mark.parametrize("what", ["append", "read", "known"])
async def test_streams_that_fail_are_tried_again_and_nothing_is_lost(streams, what):
    model = FakeModel()
    edits = [page_change(rev_id=rev_id) for rev_id in range(10, 20)]
    await bring(streams, *edits, page_change("create", 20))
    streams.failures[what] = 3

    async with scoring(streams, model=model):
        await until(lambda: streams.failures[what] == 0)
        found = await until_done(streams)

    assert found == dict.fromkeys(range(10, 20), "scored") | {20: "page_creation"}
    assert sorted(model.asked) == list(range(10, 20))


async def test_a_restart_goes_on_where_it_was(streams):
    first, second = FakeModel(), FakeModel()
    await bring(streams, *(page_change(rev_id=rev_id) for rev_id in range(10, 15)))
    async with scoring(streams, model=first):
        await until_done(streams)
    await bring(streams, page_change(rev_id=15))

    async with scoring(streams, model=second):
        found = await until_done(streams)

    assert found == dict.fromkeys(range(10, 16), "scored")
    assert second.asked == [15]


async def test_what_was_pending_at_the_end_is_scored_after_a_restart(streams):
    down = FakeReader()
    down.failure = WikiUnavailableError("down")
    await bring(streams, page_change(), page_change("create", 11), page_change(rev_id=12))
    async with scoring(streams, {"my_wiki": down}) as processor:
        await until(lambda: processor.failures)

    async with scoring(streams):
        found = await until_done(streams)

    assert found == {10: "scored", 11: "page_creation", 12: "scored"}


async def test_what_is_refused_because_the_claim_is_lost_is_not_counted(streams, monkeypatch):
    lost = asyncio.Event()

    async def refuse(member: SqliteMember, work: Work) -> bool:
        lost.set()
        return False

    monkeypatch.setattr(SqliteMember, "publish", refuse)
    await bring(streams, page_change())
    tally = ScoringTally()
    async with scoring(streams, tally=tally) as processor:
        await lost.wait()
        await until(lambda: not processor.pending)

    assert tally.outcomes.total == 0


async def test_a_full_window_leaves_the_rest_in_the_stream(streams):
    reader = FakeReader()
    reader.failure = WikiUnavailableError("down")
    await bring(streams, *(page_change(rev_id=rev_id) for rev_id in range(10, 30)))

    async with scoring(streams, {"my_wiki": reader}, window=5) as processor:
        await until(lambda: processor.left_aside)
        assert (processor.pending, processor.left_aside) == (5, ("my_wiki",))
        reader.failure = None
        assert await until_done(streams) == dict.fromkeys(range(10, 30), "scored")
        assert (processor.pending, processor.left_aside) == (0, ())


async def test_a_dead_wiki_with_more_edits_than_the_window_holds_up_no_other(streams):
    dead, alive, model = FakeReader(), FakeReader(), FakeModel()
    dead.failure = WikiUnavailableError("down")
    of_dead = [page_change(rev_id=rev_id, wiki_id="dead_wiki") for rev_id in range(1000, 3000)]
    await bring(streams, *of_dead)
    await bring(streams, *(page_change(rev_id=rev_id) for rev_id in range(10, 310)))

    readers = {"dead_wiki": dead, "my_wiki": alive}
    async with scoring(streams, readers, model, window=100) as processor:
        for rev_id in range(310, 320):
            await bring(streams, page_change(rev_id=rev_id))
        async with asyncio.timeout(60):
            while len(found := await outcomes(streams)) < 310:  # noqa: ASYNC110
                await asyncio.sleep(0.002)
        assert found == dict.fromkeys(range(10, 320), "scored")
        assert processor.pending <= 100
        assert await streams.position(GROUP, names.PAGE_CHANGE) == 0
        assert list(processor.failures) == ["dead_wiki"]

    async with scoring(streams, readers, model, window=100) as processor:
        await until(lambda: processor.failures)
        dead.failure = None
        found = await until_done(streams)
        assert (processor.pending, processor.left_aside, processor.failures) == (0, (), {})
    assert found == dict.fromkeys([*range(10, 320), *range(1000, 3000)], "scored")
    assert len(model.asked) == len(set(model.asked)), "each was scored once"


async def test_a_dead_wiki_is_asked_by_one_at_a_time_with_growing_pauses(streams):
    reader, clock = FakeReader(), FakeClock()
    reader.failure = WikiUnavailableError("down")
    await bring(streams, *(page_change(rev_id=rev_id) for rev_id in range(10, 210)))

    async with scoring(streams, {"my_wiki": reader}, clock=clock):
        await until(lambda: len(clock.slept) >= 12)
    assert clock.slept == sorted(clock.slept)
    assert clock.slept[-1] == 60
    assert len(reader.batches) <= len(clock.slept) + 2


async def test_an_unreadable_event_among_those_left_in_the_stream_is_one_dead_letter(streams):
    reader = FakeReader()
    reader.failure = WikiUnavailableError("down")
    for rev_id in range(10, 20):
        await bring(streams, page_change(rev_id=rev_id))
        raw = b'{"wiki_id": "my_wiki", "page' + (b'": 3}' if rev_id % 2 else b"")
        await streams.append([Outgoing(names.PAGE_CHANGE, str(UUID(int=rev_id)), "", raw)])

    async with scoring(streams, {"my_wiki": reader}, window=4) as processor:
        await until(lambda: processor.left_aside and processor.failures)
        reader.failure = None
        assert await until_done(streams) == dict.fromkeys(range(10, 20), "scored")
    assert len(await streams.read(names.DEAD_LETTER, 0, 99)) == 10


async def test_streams_that_cannot_be_read_make_nothing_forgotten(streams):
    reader = FakeReader()
    reader.failure = WikiUnavailableError("down")
    await bring(streams, *(page_change(rev_id=rev_id) for rev_id in range(10, 60)))

    async with scoring(streams, {"my_wiki": reader}, window=4) as processor:
        await until(lambda: processor.left_aside and processor.failures)
        streams.failures["read"] = 5
        reader.failure = None
        assert await until_done(streams) == dict.fromkeys(range(10, 60), "scored")


async def test_an_edit_that_a_rule_does_not_want_gets_no_event(streams):
    model = FakeModel()
    await bring(streams, page_change(), page_change("create", 11), page_change(rev_id=12))
    wants = wanted({"revision": {"rev_id": [11, 12]}}, {"page_change_kind": "create"})

    async with scoring(streams, model=model, wants=wants):
        assert await until_done(streams) == {12: "scored"}
    assert model.asked == [12]


async def test_a_slow_model_holds_up_no_other(streams):
    slow, fast = SlowModel(), FakeModel()
    await bring(streams, *(page_change(rev_id=rev_id) for rev_id in range(10, 100)))

    async with scoring(streams, model=slow, group="slow", stream="slow.v1", concurrency=1):
        await until(lambda: slow.under_way)
        async with scoring(streams, model=fast):
            assert await until_done(streams) == dict.fromkeys(range(10, 100), "scored")
        assert (await streams.position("slow", names.PAGE_CHANGE), slow.most) == (0, 1)
        slow.gate.set()
        end = await streams.position(GROUP, names.PAGE_CHANGE)
        async with asyncio.timeout(60):
            while await streams.position("slow", names.PAGE_CHANGE) < end:  # noqa: ASYNC110
                await asyncio.sleep(0.002)
    found = [decode_prediction(record.value) for record in await streams.read("slow.v1", 0, 999)]
    assert {event.revision.rev_id for event in found} == set(range(10, 100))
    assert {event.meta.stream for event in found} == {"slow.v1"}
    assert slow.most == 1


async def test_another_model_version_scores_again(streams):
    await bring(streams, page_change())
    async with scoring(streams):
        await until_done(streams)
    model = FakeModel()
    model.version = "2"
    await streams.append([], [Consumed(GROUP, names.PAGE_CHANGE, 0)])

    async with scoring(streams, model=model):
        async with asyncio.timeout(60):
            while len(await streams.read(names.PREDICTION, 0, 9)) < 2:  # noqa: ASYNC110
                await asyncio.sleep(0.002)
    assert model.asked == [10]


@pytest.mark.parametrize("seed", range(3))
async def test_nothing_is_lost_or_doubled_through_outages_and_restarts(streams, seed):
    """Six wikis that come and go, copies, a window far too small, an end at any moment."""
    chance = random.Random(seed)
    readers = {f"wiki_{number}": FakeReader() for number in range(6)}
    wikis = sorted(readers)
    edits = [
        page_change(rev_id=rev_id, wiki_id=chance.choice(wikis), second=chance.randrange(3000))
        for rev_id in range(10, 1010)
    ]
    copies = [
        replace(edit, meta=replace(edit.meta, id=str(UUID(int=number))))
        for number, edit in enumerate(chance.sample(edits, 100))
    ]
    await bring(streams, *edits[:700])
    rest = edits[700:] + copies
    for _ in range(8):
        for reader in readers.values():
            is_down = chance.random() < 0.5
            reader.failure = WikiUnavailableError("down") if is_down else None
        streams.failures = {"append": chance.randrange(2), "known": chance.randrange(3)}
        async with scoring(streams, readers, window=chance.choice([1, 7, 40])):
            await bring_in_the_end(streams, *rest[:50])
            del rest[:50]
            for _ in range(chance.randrange(60)):
                await asyncio.sleep(0.001)
    for reader in readers.values():
        reader.failure = None

    async with scoring(streams, readers, window=20) as processor:
        found = await until_done(streams)
        assert (processor.pending, processor.left_aside) == (0, ())
    assert found == dict.fromkeys(range(10, 1010), "scored")


async def bring_in_the_end(streams: BrittleStreams, *changes: PageChange) -> None:
    for _ in range(5):
        with contextlib.suppress(StoreError):
            return await bring(streams, *changes)
    raise AssertionError("the streams fail for longer than a test says")
