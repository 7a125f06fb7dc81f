"""A new model version shows once no edit would lose its score by it; old scores are removed."""

import asyncio
from collections.abc import Iterator, Sequence

import pytest
from msgspec.structs import replace

from revision_quality.errors import StoreError, WikiUnavailableError
from revision_quality.events.prediction_error import PredictionError
from revision_quality.views.asked_scores import AskedScores
from revision_quality.views.ores_upkeep import OresUpkeep
from revision_quality.views.score_store import Removal, RevisionScores, outcome_of_prediction
from tests.events.examples import MODEL, VERSION, page_change, prediction, prediction_error
from tests.fakes import FakeClock
from tests.views.examples import records
from tests.views.ores_house import RISK, TARGET, House

NEW = replace(TARGET, version="2")
REVISIONS = range(10, 15)


@pytest.fixture
def house(url: str) -> Iterator[House]:
    made = House(url)
    made.make()
    yield made
    made.database.close_now()


class Known:
    """Scores of the new version that grow; `failures` come first."""

    def __init__(self, *rev_ids: int, failures: Sequence[Exception] = ()) -> None:
        self.rev_ids = list(rev_ids)
        self.failures = list(failures)
        self.asked: list[int] = []

    async def scores(self, wiki_id: str, rev_ids: Sequence[int]) -> dict[int, RevisionScores]:
        if self.failures:
            raise self.failures.pop()
        self.asked += rev_ids
        return {each: scored(each) for each in rev_ids if each in self.rev_ids}


def scored(rev_id: int) -> RevisionScores:
    event = prediction(page_change(rev_id=rev_id), 0.75, version=NEW.version)
    outcomes = (outcome_of_prediction(event),)
    return RevisionScores(wiki_id="my_wiki", rev_id=rev_id, outcomes=outcomes)


async def with_old_scores(house: House) -> None:
    for rev_id in REVISIONS:
        house.edit(rev_id)
    events = [prediction(page_change(rev_id=rev_id), 0.9) for rev_id in REVISIONS]
    await house.view().apply(records(events))


async def pass_through(upkeep: OresUpkeep) -> None:
    """Go on until it rests."""
    while await upkeep.step() < 1:
        pass


async def test_the_first_version_is_current_at_once_and_filled_from_what_is_known(house):
    for rev_id in REVISIONS:
        house.edit(rev_id)
    house.edit(20, bot=1)
    store = Known(*REVISIONS, 20)

    await pass_through(OresUpkeep(house.view(NEW), {MODEL: store}))

    assert house.current() == [(RISK, "2")]
    assert house.shown() == list(REVISIONS)
    assert store.asked == sorted(REVISIONS, reverse=True)


async def test_a_new_version_is_filled_before_it_is_current_and_the_filter_is_never_emptier(house):
    await with_old_scores(house)
    view, store = house.view(NEW), Known(10, 11)
    upkeep = OresUpkeep(view, {MODEL: store})
    shown = []

    for rev_id in range(20, 23):
        house.edit(rev_id)
        event = prediction(page_change(rev_id=rev_id), 0.6, version=NEW.version)
        await view.apply(records([event], rev_id))
        await pass_through(upkeep)
        shown.append((house.current(), house.shown()))
        store.rev_ids += [12, 13] if rev_id == 20 else [14]

    old, new = [(RISK, VERSION)], [(RISK, "2")]
    assert shown == [
        (old, [*REVISIONS, 20]),
        (old, [*REVISIONS, 20, 21]),
        (new, [*REVISIONS, 20, 21, 22]),
    ]
    assert house.shown(0.8) == []


async def test_scores_of_the_new_version_may_come_by_the_stream(house):
    await with_old_scores(house)
    view = house.view(NEW)
    upkeep = OresUpkeep(view, {MODEL: Known()})
    await pass_through(upkeep)
    assert house.current() == [(RISK, VERSION)]

    edits = [page_change(rev_id=rev_id) for rev_id in REVISIONS]
    await view.apply(records([prediction(edit, 0.7, version="2") for edit in edits]))
    await pass_through(upkeep)

    assert house.current() == [(RISK, "2")]
    assert house.shown() == house.shown(0.7) == list(REVISIONS)


async def test_an_edit_that_cannot_be_scored_holds_nothing_up(house):
    await with_old_scores(house)

    class Answers:
        async def __call__(self, wiki_id: str, rev_ids: Sequence[int]) -> list[object]:
            return [answer(rev_id) for rev_id in rev_ids]

    upkeep = OresUpkeep(house.view(NEW), {MODEL: AskedScores(Answers())})
    await pass_through(upkeep)

    assert house.current() == [(RISK, "2")]
    assert house.shown() == [10, 13, 14]


def answer(rev_id: int) -> object:
    """One is not scorable, one is not there any more."""
    edit = page_change(rev_id=rev_id)
    if rev_id == 11:
        return as_version(prediction_error(edit), NEW.version)
    return None if rev_id == 12 else prediction(edit, 0.75, version=NEW.version)


def as_version(event: PredictionError, version: str) -> PredictionError:
    return replace(event, error=replace(event.error, model_version=version))


async def test_what_is_answered_is_a_score_store(house):
    async def answers(_: str, rev_ids: Sequence[int]) -> list[object]:
        return [answer(rev_id) for rev_id in rev_ids]

    found = await AskedScores(answers).scores("my_wiki", [10, 11, 12])

    outcomes = [found[each].of(MODEL, "2") for each in (10, 11)]
    assert [outcome and outcome.score for outcome in outcomes] == [0.75, None]
    assert found[12].removed is Removal.DELETED


async def test_back_to_the_earlier_version_is_the_same(house):
    await with_old_scores(house)
    await pass_through(OresUpkeep(house.view(NEW), {MODEL: Known(*REVISIONS)}))
    assert house.current() == [(RISK, "2")]

    await pass_through(OresUpkeep(house.view(), {MODEL: Known()}))

    assert house.current() == [(RISK, VERSION)]
    assert house.shown(0.9) == list(REVISIONS)


async def test_a_version_that_somebody_else_made_current_is_put_right(house):
    await with_old_scores(house)
    upkeep = OresUpkeep(house.view(), {MODEL: Known()})
    await pass_through(upkeep)
    house.sql("UPDATE {p}ores_model SET oresm_is_current = 0")
    house.sql(
        "INSERT INTO {p}ores_model (oresm_name, oresm_version, oresm_is_current)"
        f" VALUES ('{RISK}', '3', 1)"
    )
    assert house.shown() == []

    await pass_through(upkeep)
    await pass_through(upkeep)

    assert house.current() == [(RISK, VERSION)]
    assert house.shown() == list(REVISIONS)


async def test_scores_go_with_their_recent_changes_and_new_ones_have_time_to_be_listed(house):
    await with_old_scores(house)
    house.edit(20, source=None)
    view = house.view()
    await view.apply(records([prediction(page_change(rev_id=20))]))
    upkeep = OresUpkeep(view, {MODEL: Known()})
    await pass_through(upkeep)
    house.sql("DELETE FROM {p}recentchanges WHERE rc_this_oldid IN (10, 12)")

    await pass_through(upkeep)

    assert [row[0] for row in house.rows()] == [11, 13, 14, 20]


async def test_all_steps_are_taken_however_many_rows_there_are(house, monkeypatch):
    for name in ("LISTED", "ASKED", "PURGED"):
        monkeypatch.setattr(f"revision_quality.views.ores_upkeep.{name}", 2)
    await with_old_scores(house)
    upkeep = OresUpkeep(house.view(NEW), {MODEL: Known(*REVISIONS)})
    await pass_through(upkeep)
    assert (house.current(), house.shown()) == ([(RISK, "2")], list(REVISIONS))
    house.sql("DELETE FROM {p}recentchanges WHERE rc_this_oldid <> 14")

    await pass_through(upkeep)

    assert {row[0] for row in house.rows()} == {14}


async def test_it_goes_on_when_a_store_or_the_wiki_has_failed(house):
    await with_old_scores(house)
    failures = [StoreError("full"), WikiUnavailableError("away")]
    store, clock = Known(*REVISIONS, failures=failures), FakeClock()

    running = asyncio.create_task(OresUpkeep(house.view(NEW), {MODEL: store}, clock).run())
    async with asyncio.timeout(60):
        await until_current(house, "2")
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    assert clock.slept[:2] == [60, 60]
    assert house.shown() == list(REVISIONS)


async def until_current(house: House, version: str) -> None:
    while True:
        if house.current() == [(RISK, version)]:
            return
        await asyncio.sleep(0.01)
