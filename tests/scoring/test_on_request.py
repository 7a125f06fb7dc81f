"""A score that somebody asks for is made once, whoever asks and however often."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from pathlib import Path

import pytest

from revision_quality.errors import StoreError, WikiRefusedError, WikiUnavailableError
from revision_quality.events import streams as names
from revision_quality.events.page_change import PageChange
from revision_quality.events.prediction import PredictionChange, decode_prediction
from revision_quality.events.prediction_error import (
    Outcome,
    PredictionError,
)
from revision_quality.models.base import Prediction, Unscored
from revision_quality.scoring.model_rule import ModelRule
from revision_quality.scoring.on_request import AskedWiki, NoSuchRevision, OnRequest
from revision_quality.scoring.outcome import outgoing_outcome
from revision_quality.streams.base import Consumed, Outgoing
from revision_quality.streams.sqlite import SqliteStreams
from revision_quality.wiki.reader import Unreadable
from revision_quality.wiki.revision import Revision
from tests.events.examples import at, page_change, prediction, prediction_error, revision
from tests.scoring.asked import WIKI, FakeEdits, House
from tests.scoring.fakes import FakeModel

DOWN = WikiUnavailableError("the wiki does not answer")


class FullStreams(SqliteStreams):
    """Can be told that its disk is full."""

    is_full = False

    async def append(
        self, events: Iterable[Outgoing], consumed: Sequence[Consumed] = ()
    ) -> list[Outgoing]:
        if self.is_full:
            raise StoreError("the disk is full")
        return await super().append(events, consumed)


@pytest.fixture
async def streams(tmp_path: Path) -> AsyncIterator[FullStreams]:
    async with FullStreams(tmp_path / "streams.sqlite") as opened:
        yield opened


@pytest.fixture
def house(streams: FullStreams) -> House:
    changes = [page_change(rev_id=rev_id) for rev_id in range(10, 15)]
    return House(streams, FakeModel(), *changes)


def score_of(answer: PredictionChange | PredictionError | NoSuchRevision) -> float:
    assert isinstance(answer, PredictionChange)
    return answer.score


def reason_of(answer: PredictionChange | PredictionError | NoSuchRevision) -> str:
    assert isinstance(answer, PredictionError)
    return answer.error.reason


async def until_asked(edits: FakeEdits, times: int = 1) -> None:
    async with asyncio.timeout(60):
        while len(edits.requests) < times:  # noqa: ASYNC110
            await asyncio.sleep(0.001)


async def test_an_edit_nobody_scored_is_read_scored_and_published(house: House) -> None:
    answers = await house.ask(12, 10)

    assert [score_of(answer) for answer in answers] == [0.25, 0.25]
    assert house.edits.requests == [[10, 12]]
    assert sorted(await house.published()) == [(10, 0.25), (12, 0.25)]
    record, *_ = await house.streams.read(names.PREDICTION, 0, 1)
    assert decode_prediction(record.value).meta.dt == at(60)


async def test_answers_come_in_the_order_of_the_question(house: House) -> None:
    house.model = FakeModel(lambda all_: [Prediction((one.rev_id or 0) / 100) for one in all_])
    house.on_request = OnRequest(
        house.streams,
        ModelRule(model=house.model),
        {WIKI: AskedWiki(house.edits, house.reader)}.get,
    )

    answers = await house.ask(13, 10, 99, 12, 13)

    assert [getattr(answer, "score", None) for answer in answers] == [0.13, 0.1, None, 0.12, 0.13]
    assert answers[2] == NoSuchRevision(99)
    assert await house.ask() == []


async def test_one_scored_before_is_answered_without_the_wiki_or_the_model(house: House) -> None:
    scored = prediction(page_change(rev_id=10), 0.75)
    refused = prediction_error(page_change(rev_id=11), "not_wikitext")
    await house.streams.append([outgoing_outcome(scored), outgoing_outcome(refused)])

    answers = await house.ask(10, 11)

    assert score_of(answers[0]) == 0.75
    assert reason_of(answers[1]) == "not_wikitext"
    assert (house.edits.requests, house.reader.batches, house.model.asked) == ([], [], [])
    assert len(await house.published()) == 2


async def test_a_score_of_another_version_of_the_model_is_no_answer(house: House) -> None:
    old = prediction(page_change(rev_id=10), 0.75, version="0")
    await house.streams.append([outgoing_outcome(old)])

    assert score_of((await house.ask(10))[0]) == 0.25
    assert sorted(await house.published()) == [(10, 0.25), (10, 0.75)]


async def test_only_what_is_not_known_is_asked_of_the_wiki(house: House) -> None:
    await house.ask(10)

    await house.ask(10, 11)

    assert house.edits.requests == [[10], [11]]
    assert house.model.asked == [10, 11]


async def test_two_who_ask_at_once_share_one_reading_and_one_score(house: House) -> None:
    house.edits.gate.clear()
    first = asyncio.create_task(house.ask(10, 11))
    await until_asked(house.edits)
    second = asyncio.create_task(house.ask(11, 12))
    await until_asked(house.edits, 2)
    house.edits.gate.set()

    assert [score_of(one) for one in await first] == [0.25, 0.25]
    assert [score_of(one) for one in await second] == [0.25, 0.25]
    assert house.edits.requests == [[10, 11], [12]]
    assert sorted(house.model.asked) == [10, 11, 12]
    assert sorted(await house.published()) == [(10, 0.25), (11, 0.25), (12, 0.25)]


async def test_one_who_gives_up_does_not_take_the_other_along(house: House) -> None:
    house.edits.gate.clear()
    first = asyncio.create_task(house.ask(10))
    await until_asked(house.edits)
    second = asyncio.create_task(house.ask(10))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.wait([first])
    house.edits.gate.set()

    assert score_of((await second)[0]) == 0.25
    assert first.cancelled()
    assert house.edits.requests == [[10]]


async def test_a_score_is_published_even_if_all_who_asked_have_gone(house: House) -> None:
    house.edits.gate.clear()
    asking = asyncio.create_task(house.ask(10))
    await until_asked(house.edits)
    asking.cancel()
    await asyncio.wait([asking])
    house.edits.gate.set()

    async with asyncio.timeout(60):
        while not await house.published():  # noqa: ASYNC110
            await asyncio.sleep(0.002)
    assert await house.published() == [(10, 0.25)]


async def test_a_wiki_that_is_down_fails_all_who_wait_and_the_next_may_try(house: House) -> None:
    house.edits.failures = [DOWN]
    house.edits.gate.clear()
    asking = [asyncio.create_task(house.ask(10)) for _ in range(3)]
    await until_asked(house.edits)
    house.edits.gate.set()

    for one in asking:
        with pytest.raises(WikiUnavailableError, match="does not answer"):
            await one
    assert await house.published() == []

    assert score_of((await house.ask(10))[0]) == 0.25
    assert house.edits.requests == [[10], [10]]


async def test_an_edit_that_fails_is_not_published_and_tried_again(house: House) -> None:
    house.reader.failing[10] = WikiRefusedError("the wiki answers no", "internal")

    failed, scored = await house.ask(10, 11)

    assert isinstance(failed, PredictionError)
    assert (failed.error.state, failed.error.reason) == (Outcome.FAILED, "wiki_error")
    assert score_of(scored) == 0.25
    assert await house.published() == [(11, 0.25)]

    house.reader.failing.clear()
    assert score_of((await house.ask(10))[0]) == 0.25
    assert len(await house.published()) == 2


async def test_a_failure_in_the_stream_is_no_answer_for_good(house: House) -> None:
    failed = prediction_error(page_change(rev_id=10), "wiki_error", Outcome.FAILED)
    await house.streams.append([outgoing_outcome(failed)])

    assert score_of((await house.ask(10))[0]) == 0.25


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (page_change("create"), "page_creation"),
        (page_change("move"), "page_move"),
        (page_change(revision=revision(10, is_content_visible=False)), "revision_hidden"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_one_that_can_have_no_score_is_published_once_and_not_read(
    streams: FullStreams, change: PageChange, reason: str
) -> None:
    house = House(streams, FakeModel(), change)

    for _ in range(2):
        assert reason_of((await house.ask(10))[0]) == reason

    assert await house.published() == [(10, reason)]
    assert house.reader.batches == []
    assert house.edits.requests == [[10]]


async def test_what_the_model_refuses_for_good_is_published(streams: FullStreams) -> None:
    too_large = Unscored("text_too_large", "It is too large.", is_final=True)
    house = House(streams, FakeModel(lambda all_: [too_large] * len(all_)), page_change())

    assert reason_of((await house.ask(10))[0]) == "text_too_large"
    assert await house.published() == [(10, "text_too_large")]


async def test_a_revision_that_the_wiki_lacks_is_asked_for_again(house: House) -> None:
    assert await house.ask(99) == [NoSuchRevision(99)]
    house.edits.changes[99] = page_change(rev_id=99)
    house.reader.unreadable[99] = [Unreadable("revision_missing", "No revision 99.")]
    assert await house.ask(99) == [NoSuchRevision(99)]
    assert await house.published() == []

    house.reader.unreadable.clear()
    assert score_of((await house.ask(99))[0]) == 0.25


async def test_an_event_is_scored_without_asking_for_the_edit(house: House) -> None:
    change = page_change(rev_id=20)

    answer = await house.on_request.answer_event(change)

    assert score_of(answer) == 0.25
    assert house.edits.requests == []
    record, *rest = await house.streams.read(names.PREDICTION, 0, 10)
    event = decode_prediction(record.value)
    assert rest == []
    assert (event.page, event.performer, event.dt) == (change.page, change.performer, change.dt)
    assert event.meta.request_id == change.meta.request_id


async def test_an_event_and_a_question_meet(house: House) -> None:
    change = page_change(rev_id=10)

    answers = await asyncio.gather(
        house.on_request.answer_event(change), house.ask(10), house.on_request.answer_event(change)
    )

    assert score_of(answers[0]) == score_of(answers[1][0]) == score_of(answers[2]) == 0.25
    assert house.model.asked == [10]
    assert len(await house.published()) == 1


async def test_a_score_that_cannot_be_published_is_no_answer(
    house: House, streams: FullStreams
) -> None:
    streams.is_full = True
    with pytest.raises(StoreError, match="full"):
        await house.ask(10)

    streams.is_full = False
    assert score_of((await house.ask(10))[0]) == 0.25


async def test_it_knows_its_wikis(house: House) -> None:
    assert house.on_request.knows(WIKI)
    assert not house.on_request.knows("otherwiki")


async def test_the_score_of_a_text_is_the_models(streams: FullStreams) -> None:
    seen: list[Revision] = []

    def rule(revisions: Sequence[Revision]) -> list[Prediction]:
        seen.extend(revisions)
        return [Prediction(0.5)] * len(revisions)

    house = House(streams, FakeModel(rule), page_change())
    answer = (await house.ask(10))[0]

    assert isinstance(answer, PredictionChange)
    assert (seen[0].text, seen[0].parent.text) == ("after", "before")
    assert answer.predicted_classification.predictions == ("true",)


async def test_a_wiki_that_left_the_settings_meanwhile_is_unavailable(house: House) -> None:
    with pytest.raises(WikiUnavailableError, match="gone_wiki is not in the settings"):
        await house.on_request.answers("gone_wiki", [10])
