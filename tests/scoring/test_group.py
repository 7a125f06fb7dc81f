"""A model's group on every log: each edit is scored once, wherever its page's partition is."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import msgspec
import pytest
from msgspec.structs import replace

from revision_quality.errors import WikiRefusedError
from revision_quality.events import streams as names
from revision_quality.events.error import build_error
from revision_quality.events.meta import event_id
from revision_quality.events.page_change import PageChange
from revision_quality.events.prediction import decode_prediction
from revision_quality.events.prediction_error import decode_prediction_error
from revision_quality.scoring.group import MOST, ScoringGroup, window_of
from revision_quality.scoring.model_rule import ModelRule
from revision_quality.scoring.replay import Replayed, Span, replay
from revision_quality.sources.base import outgoing
from revision_quality.streams.base import START, Outgoing, Record, Streams
from tests.events.examples import page_change
from tests.scoring.fakes import FakeModel, FakeReader
from tests.servers.logs import Open

pytestmark = pytest.mark.timeout(200)

FIRST = 1000
"""Numbers of edits are counted from here: a page's first revision has no parent, and no score."""

LATER = int(datetime(2100, 1, 1, tzinfo=UTC).timestamp() * 1000)


def edit(number: int) -> PageChange:
    change = page_change(rev_id=FIRST + number)
    page = replace(change.page, page_id=number % 50 + 1)
    return replace(change, page=page)


async def bring(streams: Streams, *changes: PageChange) -> None:
    await streams.append([outgoing(change) for change in changes])


async def whole(streams: Streams, stream: str) -> list[Record]:
    records = []
    for partition in range(await streams.partitions(stream)):
        after = START
        while part := await streams.read(stream, after, 500, partition):
            records += part
            after = part[-1].offset
    return records


async def scored(streams: Streams) -> Counter[int]:
    records = await whole(streams, names.PREDICTION)
    return Counter(decode_prediction(record.value).revision.rev_id - FIRST for record in records)


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(80):
        while not await holds():  # noqa: ASYNC110 (others append, nobody rings)
            await asyncio.sleep(0.1)


@asynccontextmanager
async def scoring(
    streams: Streams, readers: Mapping[str, FakeReader] | None = None
) -> AsyncIterator[ScoringGroup]:
    readers = {"my_wiki": FakeReader()} if readers is None else readers
    group = ScoringGroup(streams, ModelRule(model=FakeModel()), readers.get)
    running = asyncio.create_task(group.run())
    try:
        yield group
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


async def test_edits_of_all_pages_are_scored_once(opening: Open):
    streams = await opening()
    await bring(streams, *map(edit, range(1, 301)))

    async with scoring(streams):

        async def all_scored() -> bool:
            return len(await scored(streams)) == 300

        await until(all_scored)

    assert set((await scored(streams)).values()) == {1}


async def test_who_comes_next_scores_only_what_is_new(opening: Open):
    for first in (1, 201):
        streams = await opening()
        await bring(streams, *map(edit, range(first, first + 200)))
        async with scoring(streams):

            async def all_scored(last: int = first + 199, streams: Streams = streams) -> bool:
                return len(await scored(streams)) == last

            await until(all_scored)

    assert await scored(streams) == Counter(range(1, 401))


@pytest.mark.kafka
async def test_a_second_process_takes_half_of_the_edits(broker):
    from revision_quality.streams.kafka.streams import KafkaStreams  # noqa: PLC0415

    place, brought = broker.place(partitions=4), 0
    async with KafkaStreams(place) as one, KafkaStreams(place) as two:

        async def bring_and_wait(number: int) -> None:
            nonlocal brought
            await bring(one, *map(edit, range(brought + 1, brought + number + 1)))
            brought += number

            async def all_scored() -> bool:
                return len(await scored(one)) == brought

            await until(all_scored)

        async with scoring(one) as first:
            await bring_and_wait(100)
            async with scoring(two) as second:
                while not asked(second):
                    await bring_and_wait(50)
                before = asked(first), asked(second)
                await bring_and_wait(400)

        assert await scored(one) == Counter(range(1, brought + 1))
        assert asked(first) - before[0] > 100
        assert asked(second) - before[1] > 100


def asked(group: ScoringGroup) -> int:
    """Return of how many edits a process has asked its model."""
    assert isinstance(group.rule.model, FakeModel)
    return len(group.rule.model.asked)


async def test_a_failed_edit_is_replayed_once_its_wiki_is_known(opening: Open):
    streams = await opening()
    await bring(streams, edit(1), edit(2))
    async with scoring(streams, {}):

        async def all_failed() -> bool:
            return len(await whole(streams, names.PREDICTION_ERROR)) == 2

        await until(all_failed)

    span = Span(names.PREDICTION_ERROR, 0, LATER)
    assert await replay(streams, replace(span, reason="text_missing"), "run 1") == Replayed(0)
    assert await replay(streams, replace(span, reason="unknown_wiki"), "run 2") == Replayed(2)

    async with scoring(streams):

        async def all_scored() -> bool:
            return len(await scored(streams)) == 2

        await until(all_scored)

    assert await scored(streams) == Counter([1, 2])


async def test_an_edit_that_fails_again_tells_the_later_reason(opening: Open):
    streams = await opening()
    await bring(streams, edit(1))
    refusing = FakeReader()
    refusing.failing[FIRST + 1] = WikiRefusedError("it refuses this one", "internal_error")

    async def reasons() -> list[str]:
        records = await whole(streams, names.PREDICTION_ERROR)
        return [decode_prediction_error(record.value).error.reason for record in records]

    for readers in ({}, {"my_wiki": refusing}):
        async with scoring(streams, readers):

            async def failed(count: int = 2 if readers else 1) -> bool:
                return len(await reasons()) == count

            await until(failed)
        span = Span(names.PREDICTION_ERROR, 0, LATER, "unknown_wiki")
        await replay(streams, span, "run 1")

    assert await reasons() == ["unknown_wiki", "wiki_error"]


async def test_a_span_that_is_replayed_scores_nothing_twice(opening: Open):
    streams = await opening()
    await bring(streams, edit(1), edit(2))
    async with scoring(streams):

        async def all_scored() -> bool:
            return len(await scored(streams)) == 2

        await until(all_scored)
        assert await replay(streams, Span(names.PAGE_CHANGE, 0, LATER), "run 1") == Replayed(2)
        await bring(streams, edit(3))

        async def third_scored() -> bool:
            return len(await scored(streams)) == 3

        await until(third_scored)
        await asyncio.sleep(0.5)

    assert await scored(streams) == Counter([1, 2, 3])


async def test_dead_letters_that_can_be_read_by_now_are_replayed(opening: Open):
    streams = await opening()
    raws = [b"no event at all", msgspec.json.encode(edit(1)), msgspec.json.encode(edit(2))]
    for offset, raw in enumerate(raws):
        problem = ValueError("a field that nobody knew" if offset == 1 else "another one")
        letter = build_error(
            emitter_id="test", stream=names.PAGE_CHANGE, offset=offset, raw=raw, error=problem
        )
        identifier = event_id("letter", offset)
        value = msgspec.json.encode(letter)
        await streams.append([Outgoing(names.DEAD_LETTER, identifier, "", value)])

    span = Span(names.DEAD_LETTER, 0, LATER, "nobody knew")
    assert await replay(streams, span, "run 1") == Replayed(1, 0)
    assert await replay(streams, replace(span, reason=None), "run 1") == Replayed(2, 1)
    assert await replay(streams, replace(span, end=1), "run 2") == Replayed(0, 0)


@pytest.mark.parametrize(
    ("partitions", "window"), [(1, 10_000), (4, 10_000), (8, 5_000), (40, 1_000), (400, 1_000)]
)
def test_partitions_share_what_a_process_keeps(partitions: int, window: int) -> None:
    assert window_of(partitions) == window
    assert partitions * window <= MOST or window == 1_000


def test_a_window_that_is_asked_for_is_not_widened() -> None:
    assert window_of(1, 7) == 7
