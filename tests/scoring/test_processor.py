"""Each edit is scored once and has one outcome, whatever fails on the way."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
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
from revision_quality.models.base import Prediction
from revision_quality.scoring.processor import BATCH, GROUP, UNKNOWN_ATTEMPTS, Processor
from revision_quality.sources.base import outgoing
from revision_quality.streams.base import Consumed, Outgoing, Record
from revision_quality.streams.sqlite import SqliteStreams
from revision_quality.wiki.reader import Unreadable
from tests.events.examples import at, page_change, revision
from tests.fakes import FakeClock
from tests.scoring.fakes import FakeModel, FakeReader

MISSING = Unreadable("revision_missing", "The wiki has no such revision.")


class BrittleStreams(SqliteStreams):
    """Fails to append, to read or to know, as many times as a test says."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.failures: dict[str, int] = {}

    async def append(
        self, events: Iterable[Outgoing], consumed: Sequence[Consumed] = ()
    ) -> list[Outgoing]:
        self._fail("append")
        return await super().append(events, consumed)

    async def read(self, stream: str, after: int, limit: int) -> list[Record]:
        self._fail("read")
        return await super().read(stream, after, limit)

    async def known(self, stream: str, ids: Iterable[str]) -> set[str]:
        self._fail("known")
        return await super().known(stream, ids)

    def _fail(self, what: str) -> None:
        if self.failures.get(what):
            self.failures[what] -= 1
            raise StoreError(f"cannot {what}")


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
    **options: Any,
) -> AsyncIterator[Processor]:
    """Run a processor for as long as the block."""
    readers = {"my_wiki": FakeReader()} if readers is None else readers
    processor = Processor(
        streams, model or FakeModel(), readers.get, clock=clock or FakeClock(at(9999)), **options
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
    async with asyncio.timeout(10):
        while await streams.position(GROUP, names.PAGE_CHANGE) < end:  # noqa: ASYNC110
            await asyncio.sleep(0.002)
    return await outcomes(streams)


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
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
        assert processor.failures == {"my_wiki": "the wiki is down"}
        assert processor.pending == 1
        assert await outcomes(streams) == {}

        reader.failure = None
        assert await until_done(streams) == {10: "scored"}
        await until(lambda: not processor.failures)
    pauses = [seconds for seconds in clock.slept if seconds != 0.05]
    assert max(pauses) <= 60
    assert set(pauses[:2]) <= {1.0, 2.0}


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


async def test_a_full_window_takes_no_more_until_there_is_room(streams):
    reader = FakeReader()
    reader.failure = WikiUnavailableError("down")
    await bring(streams, *(page_change(rev_id=rev_id) for rev_id in range(10, 30)))

    async with scoring(streams, {"my_wiki": reader}, window=5) as processor:
        await until(lambda: processor.pending == 5)
        reader.failure = None
        assert await until_done(streams) == dict.fromkeys(range(10, 30), "scored")


async def test_another_model_version_scores_again(streams):
    await bring(streams, page_change())
    async with scoring(streams):
        await until_done(streams)
    model = FakeModel()
    model.version = "2"
    await streams.append([], [Consumed(GROUP, names.PAGE_CHANGE, 0)])

    async with scoring(streams, model=model):
        async with asyncio.timeout(10):
            while len(await streams.read(names.PREDICTION, 0, 9)) < 2:  # noqa: ASYNC110
                await asyncio.sleep(0.002)
    assert model.asked == [10]
