"""Scores in a real Cassandra: the same in any order, nothing removed is told or comes back."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import suppress
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from revision_quality.errors import StoreError
from revision_quality.events import streams as names
from revision_quality.events.prediction_error import Outcome
from revision_quality.events.revision_change import TagsChange, VisibilityChange
from revision_quality.streams.base import Outgoing, Record
from revision_quality.streams.sqlite import SqliteStreams
from revision_quality.views import cassandra_schema as schema
from revision_quality.views.cassandra import STREAMS, CassandraScores
from revision_quality.views.change import Change, State
from revision_quality.views.materialiser import Materialiser
from revision_quality.views.row import REVISION_HIDDEN
from revision_quality.views.score_store import (
    ModelOutcome,
    Removal,
    RevisionScores,
    ScoringModel,
    StreamScores,
    outcome_of_prediction,
)
from tests.events.examples import (
    MODEL,
    START,
    VERSION,
    page_change,
    prediction,
    prediction_error,
    revision,
    visibility_change,
)
from tests.fakes import FakeClock
from tests.servers.cassandra import RealCassandra
from tests.views.examples import Event, changes_after, open_view, records
from tests.views.test_row import EVENTS

pytestmark = [
    pytest.mark.cassandra,
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),
    pytest.mark.usefixtures("sockets_of_acsylla"),
]

EDIT = page_change()
PAGES, REVISIONS = (5, 6), (10, 11, 12, 99)
SLOW = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])

_wikis = count(1)


@pytest.fixture
async def store(cassandra: RealCassandra) -> AsyncIterator[CassandraScores]:
    opened = await CassandraScores.open(cassandra.place())
    yield opened
    await opened.close()


async def told(store: CassandraScores, *events: Event) -> RevisionScores | None:
    """Return what is told of revision 10 after these events, one at a time."""
    for event in events:
        await store.apply(records([event]))
    return (await store.scores("my_wiki", [10])).get(10)


def known(*outcomes: ModelOutcome, removed: Removal | None = None) -> RevisionScores:
    return RevisionScores(wiki_id="my_wiki", rev_id=10, outcomes=outcomes, removed=removed)


async def test_every_version_of_a_model_is_kept(store):
    first, second = prediction(EDIT, 0.25), prediction(EDIT, 0.75, version="2")

    found = await told(store, EDIT, second, first)

    assert found == known(outcome_of_prediction(first), outcome_of_prediction(second))
    assert await store.scores("my_wiki", [11]) == {}
    assert await store.scores("other_wiki", [10]) == {}


FAILED = prediction_error(EDIT, "wiki_error", Outcome.FAILED, second=9)
REFUSED = prediction_error(EDIT, second=8)


@pytest.mark.parametrize(
    ("events", "left"),
    [
        ([prediction(EDIT, 0.5, second=2), prediction(EDIT, 0.25, second=3)], (0.25, None)),
        ([prediction(EDIT, 0.25, second=3), prediction(EDIT, 0.5, second=2)], (0.25, None)),
        ([prediction(EDIT, 0.25), FAILED], (0.25, None)),
        ([FAILED, prediction(EDIT, 0.25)], (0.25, None)),
        ([FAILED, REFUSED], (None, "page_creation")),
        ([REFUSED, FAILED], (None, "page_creation")),
        ([FAILED], (None, "wiki_error")),
    ],
)
async def test_the_latest_score_wins_and_any_score_over_a_reason(store, events, left):
    found = await told(store, *events)

    assert found is not None
    outcome = found.of(MODEL, VERSION)
    assert outcome is not None
    assert (outcome.score, outcome.reason) == left


HIDING = visibility_change(10, text=False)
SHOWING = visibility_change(10, second=99)
DELETION = page_change("delete", second=60)
LATE = prediction(EDIT, second=1000)


@pytest.mark.parametrize(
    ("events", "removed"),
    [
        ([LATE, HIDING], Removal.HIDDEN),
        ([HIDING, LATE], Removal.HIDDEN),
        ([LATE, HIDING, SHOWING, LATE], Removal.HIDDEN),
        ([prediction(page_change(revision=revision(10, is_content_visible=False)))],
         Removal.HIDDEN),
        ([LATE, DELETION], Removal.DELETED),
        ([DELETION, LATE], Removal.DELETED),
        ([DELETION, LATE, DELETION, page_change("undelete", second=99)], Removal.DELETED),
        ([HIDING, DELETION], Removal.DELETED),
        ([DELETION, HIDING], Removal.DELETED),
    ],
)  # fmt: skip
async def test_what_is_hidden_or_deleted_is_gone_and_does_not_come_back(store, events, removed):
    assert await told(store, *events) == known(removed=removed)
    assert await store.latest("my_wiki", 5) is None


async def test_an_edit_after_the_deletion_is_another_matter(store):
    again = prediction(page_change(second=61))

    assert await told(store, DELETION, again) == known(outcome_of_prediction(again))


async def test_a_removal_leaves_no_score_in_the_tables(store):
    await told(store, prediction(EDIT), prediction_error(EDIT), HIDING)
    assert await _cells(store) == [({"hidden"}, None, None)]

    await told(store, DELETION)
    assert await _cells(store) == [({"hidden", "deleted"}, None, None)]
    listed = await store._session.run("get_deleted_revisions", ["my_wiki", 5, 2**62])
    assert listed == []


async def _cells(store: CassandraScores) -> list[tuple[Any, ...]]:
    rows = await store._session.run("get_scores", ["my_wiki", 10])
    return [(set(row[0]), row[1], row[5]) for row in rows]


async def test_a_mark_holds_when_the_tombstones_are_forgotten(store):
    """As after gc_grace_seconds: a write that no tombstone covers any more."""
    await told(store, prediction(EDIT), HIDING)
    row = ["my_wiki", 10, 5, 0, MODEL, VERSION, "scored", 1, 0.5, True, schema.MARKED + 1, 0]

    await store._session.run("put_score", row)

    assert await told(store) == known(removed=Removal.HIDDEN)


async def test_the_latest_of_a_page_is_its_newest_edit_with_an_outcome(store):
    edits = [page_change(rev_id=rev_id, second=rev_id) for rev_id in range(10, 22)]
    await store.apply(records([prediction(edit) for edit in reversed(edits)]))
    latest = await store.latest("my_wiki", 5)
    assert latest is not None
    assert latest.rev_id == 21

    hidden = [
        page_change("visibility_change", edit.revision.rev_id, second=50,
                    revision=revision(edit.revision.rev_id, edit.revision.rev_id,
                                      is_content_visible=False))
        for edit in edits[1:]
    ]  # fmt: skip
    await store.apply(records(hidden))

    latest = await store.latest("my_wiki", 5)
    assert latest is not None
    assert (latest.rev_id, len(latest.outcomes)) == (10, 1)
    assert await store.latest("my_wiki", 6) is None


async def test_positions_follow_the_rows_and_outlive_the_process(cassandra):
    place = cassandra.place()
    bad = Record(names.PREDICTION, 3, 0, b"{")
    first = await CassandraScores.open(place)
    assert await first.position(names.PREDICTION) == 0
    assert await first.apply([*records([EDIT, prediction(EDIT)]), bad]) == 1
    await first.close()

    second = await CassandraScores.open(place)
    assert await second.position(names.PAGE_CHANGE) == 1
    assert await second.position(names.PREDICTION) == 3
    assert await second.position(names.PREDICTION, 1) == 0
    assert await second.apply([replace(bad, partition=1, offset=8)]) == 0
    assert await second.position(names.PREDICTION) == 3
    assert await second.position(names.PREDICTION, 1) == 8
    assert len(await second.scores("my_wiki", [10])) == 1
    await second.close()


async def test_a_store_of_another_schema_is_refused(cassandra):
    place = cassandra.place()
    store = await CassandraScores.open(place)
    await store._session.run("put_version", [99])
    await store.close()

    with pytest.raises(StoreError, match="has schema 99, this revq knows 1: drop its keyspace"):
        await CassandraScores.open(place)


async def test_old_edits_drop_out_at_the_same_time_however_often_they_are_written(cassandra):
    kept = timedelta(days=1)
    clock = FakeClock(START + kept - timedelta(seconds=4))
    store = await CassandraScores.open(cassandra.place(), keep_days=1, clock=clock)
    ended = time.monotonic() + 4
    assert await told(store, prediction(EDIT)) == known(outcome_of_prediction(prediction(EDIT)))

    await clock.sleep(3)
    await asyncio.sleep(max(0, ended - 1 - time.monotonic()))
    await told(store, prediction(EDIT))
    await asyncio.sleep(max(0, ended + 1.5 - time.monotonic()))
    assert await told(store) is None

    await clock.sleep(10)
    assert await told(store, prediction(EDIT), HIDING) is None
    await store.close()


async def test_the_streams_and_cassandra_answer_alike(store, tmp_path: Path):
    other = page_change(rev_id=11)
    events = [prediction(EDIT, 0.75), prediction_error(other), prediction(EDIT, version="2")]
    async with SqliteStreams(tmp_path / "streams.sqlite") as streams:
        await _append(streams, events)
        await Materialiser(streams, store, STREAMS).step()
        asked = StreamScores(streams, [ScoringModel(MODEL, VERSION), ScoringModel(MODEL, "2")])

        assert await store.scores("my_wiki", [10, 11]) == await asked.scores("my_wiki", [10, 11])


@SLOW
@given(data=st.data(), events=st.lists(EVENTS, min_size=1, max_size=9))
async def test_the_same_events_tell_the_same_in_any_order_and_any_batches(store, data, events):
    repeated = events + data.draw(st.lists(st.sampled_from(events), max_size=3))
    shuffled = data.draw(st.permutations(repeated))
    cuts = sorted(data.draw(st.sets(st.integers(1, len(shuffled)), max_size=4)))
    ends = zip([0, *cuts], [*cuts, len(shuffled)], strict=True)
    batches = [shuffled[start:end] for start, end in ends]

    assert await _after(store, batches) == await _after(store, [events])


@SLOW
@given(events=st.lists(EVENTS, min_size=1, max_size=9))
async def test_it_tells_what_the_changes_view_tells(store, tmp_path, events):
    found, _ = await _after(store, [events])
    async with open_view(f"sqlite:///{tmp_path}/changes.sqlite") as view:
        rows = {row.rev_id: row for row in await changes_after(view, *events)}

    for rev_id in REVISIONS:
        assert _summary(found.get(rev_id)) in _allowed(rows.get(rev_id))


async def test_a_deletion_and_scores_written_at_once_by_two_processes(cassandra):
    """Whatever comes first: nothing of the page is told afterwards."""
    place = cassandra.place()
    one, other = await CassandraScores.open(place), await CassandraScores.open(place)
    for page in range(100, 130):
        entity = {"page_id": page, "page_title": "P"}
        edits = [page_change(rev_id=page * 10 + each, page=entity) for each in range(8)]
        scores = records([prediction(edit, second=1000) for edit in edits])
        deletion = records([page_change("delete", second=60, page=entity)])

        await asyncio.gather(one.apply(scores), other.apply(deletion))

        found = await one.scores("my_wiki", [edit.revision.rev_id for edit in edits])
        assert {each.removed for each in found.values()} == {Removal.DELETED}
        assert len(found) == len(edits)
    await one.close()
    await other.close()


async def test_the_store_is_kept_in_step_when_cassandra_was_killed_and_20_s_away(
    cassandra, tmp_path: Path
):
    store = await CassandraScores.open(cassandra.place())
    events = [prediction(page_change(rev_id=rev_id)) for rev_id in range(1, 2001)]
    async with SqliteStreams(tmp_path / "streams.sqlite") as streams:
        running = asyncio.create_task(Materialiser(streams, store, STREAMS).run())
        await _append(streams, events[:1000])
        await asyncio.sleep(0.3)
        await asyncio.to_thread(cassandra.kill)
        away = time.monotonic()
        await _append(streams, events[1000:])
        with pytest.raises(StoreError, match=r"cassandra://127\.0\.0\.1"):
            await store.scores("my_wiki", [1])
        await asyncio.sleep(max(0, 20 - (time.monotonic() - away)))
        await asyncio.to_thread(cassandra.start)
        gone = time.monotonic() - away
        async with asyncio.timeout(120):
            await _until(store, 2000)
        back = time.monotonic() - away - gone
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    found = await store.scores("my_wiki", range(1, 2001))
    await store.close()

    print(f"away {gone:.1f} s, in step {back:.1f} s later: {len(found)} of 2000 scores")
    assert gone > 20
    assert sum(len(each.outcomes) for each in found.values()) == 2000


async def test_a_server_that_hangs_is_an_error_in_time(cassandra):
    store = await CassandraScores.open(cassandra.place())
    with cassandra.hanging():
        async with asyncio.timeout(60):
            with pytest.raises(StoreError, match="timed out"):
                await store.apply(records([prediction(EDIT)]))
    async with asyncio.timeout(60):
        await _until(store, 0)
    assert await store.apply(records([prediction(EDIT)])) == 1
    await store.close()


async def _append(streams: SqliteStreams, events: Sequence[Event]) -> None:
    await streams.append(
        Outgoing(record.stream, event.meta.id or "", "", record.value)
        for event, record in zip(events, records(events), strict=True)
    )


async def _until(store: CassandraScores, offset: int) -> None:
    """Wait until the store answers, and is there."""
    while True:
        with suppress(StoreError):
            if await store.position(names.PREDICTION) == offset:
                return
        await asyncio.sleep(0.2)


async def _after(store: CassandraScores, batches: Iterable[Sequence[Event]]) -> Any:
    """Return what is told of all revisions and pages after these events, in a wiki of their own."""
    wiki_id = f"wiki_{next(_wikis)}"
    for batch in batches:
        await store.apply(records([_in_wiki(event, wiki_id) for event in batch if _is_read(event)]))
    scores = await store.scores(wiki_id, REVISIONS)
    latest = [await store.latest(wiki_id, page_id) for page_id in PAGES]
    return (
        {rev_id: replace(found, wiki_id="") for rev_id, found in scores.items()},
        [found and replace(found, wiki_id="") for found in latest],
    )


def _is_read(event: Event) -> bool:
    return not isinstance(event, TagsChange)


def _in_wiki(event: Event, wiki_id: str) -> Event:
    if isinstance(event, VisibilityChange | TagsChange):
        return replace(event, database=wiki_id)
    return replace(event, wiki_id=wiki_id)


def _summary(found: RevisionScores | None) -> tuple[Any, ...]:
    if found is None:
        return ("unknown",)
    if found.removed:
        return (found.removed,)
    outcome = found.of(MODEL, VERSION)
    assert outcome is not None
    return (outcome.state, outcome.score, outcome.reason, outcome.message)


def _allowed(row: Change | None) -> list[tuple[Any, ...]]:
    """Return what a store may tell where the changes view tells this; it keeps no bare edits."""
    if row is None or (row.state is State.PENDING and not row.deleted):
        return [("unknown",)]
    if row.deleted:
        return [(Removal.DELETED,), ("unknown",)]
    if row.reason == REVISION_HIDDEN:
        return [(Removal.HIDDEN,)]
    return [(row.state, row.score, row.reason, row.message)]
