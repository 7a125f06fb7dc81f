"""Alarms over a real database: learnt from the stream, kept over a restart, told to the webhook."""

import asyncio
from collections.abc import AsyncIterator
from random import Random
from typing import Any

import httpx
import msgspec
import pytest
from msgspec.structs import replace
from sqlalchemy import delete, text

from revision_quality.alarms.alarm import Kind
from revision_quality.alarms.drift import TERM
from revision_quality.alarms.stored import Alarms, series
from revision_quality.alarms.watch import AlarmLimits, AlarmWatch, flagged_from
from revision_quality.alarms.webhook import Webhook
from revision_quality.events import streams as names
from revision_quality.events.prediction import build_prediction
from revision_quality.events.prediction_error import Outcome
from revision_quality.levels.scores import NamedModel
from revision_quality.recent_changes.wiki_levels import WikiLevels
from revision_quality.streams.base import Record
from revision_quality.views.changes import ChangesView
from revision_quality.views.database import Database
from revision_quality.views.positions import ViewPositions
from revision_quality.views.tables import alarm_series
from tests.events.examples import START, at, page_change, prediction, prediction_error
from tests.fakes import FakeClock
from tests.recent_changes.examples import LEVELS
from tests.views.examples import open_view, records

NOW = int(START.timestamp() * 1000)


class House:
    """A views database with a watch and a webhook that answers as a test says."""

    def __init__(self, view: ChangesView, database: Database) -> None:
        self.view = view
        self.database = database
        self.clock = FakeClock(at(0))
        self.answers: list[int] = []
        self.posted: list[Any] = []
        self.offset = 0
        self.threshold = 0.5
        self.alarms = Alarms(view)
        client = httpx.AsyncClient(transport=httpx.MockTransport(self._answer))
        self.webhook = Webhook(database, client, "https://hook.example/a", self.clock)
        self.restart()

    def restart(self, **limits: Any) -> None:
        self.watch = AlarmWatch(
            self.database,
            ViewPositions(self.database, "alarms"),
            lambda model, wiki_id: self.threshold,
            AlarmLimits(**limits),
            self.clock,
        )

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.posted.append(msgspec.json.decode(request.content))
        return httpx.Response(self.answers.pop(0) if self.answers else 204)

    async def execute(self, statement: str) -> None:
        await self.database.write(lambda connection: connection.execute(text(statement)))

    async def scores(self, number: int, score: Any, wiki_id: str = "my_wiki") -> None:
        await self.watch.apply([self.record(score(), wiki_id) for _ in range(number)])

    def record(self, score: float, wiki_id: str) -> Record:
        self.offset += 1
        change = page_change(rev_id=self.offset)
        change = replace(
            change,
            wiki_id=wiki_id,
            performer=replace(change.performer, user_text=f"User {self.offset}"),
        )
        event = build_prediction(
            change, stream=names.PREDICTION, model_name="m", model_version="1", score=score
        )
        now = int(self.clock.now().timestamp() * 1000)
        return Record(names.PREDICTION, self.offset, now, msgspec.json.encode(event))

    async def active(self) -> set[tuple[Kind, str]]:
        found = await self.alarms.active()
        return {(alarm.subject.kind, alarm.subject.wiki_id) for alarm in found}


@pytest.fixture
async def house(url: str) -> AsyncIterator[House]:
    async with open_view(url) as view:
        database = Database(url)
        yield House(view, database)
        await database.close()


def ordinary(seed: int = 1) -> Any:
    random = Random(seed)
    return lambda: random.betavariate(0.4, 6)


async def test_a_drift_is_told_and_its_end(house: House) -> None:
    usual = ordinary()
    await house.scores(2000, usual)
    assert await house.active() == set()

    await house.scores(200, lambda: 0.97)
    assert await house.active() == {
        (kind, wiki) for kind in (Kind.SCORE_SHIFT, Kind.FLAG_RATE) for wiki in ("my_wiki", "")
    }
    assert await house.webhook.step() == 4
    assert {(told["kind"], told["state"]) for told in house.posted} == {
        ("score_shift", "raised"),
        ("flag_rate", "raised"),
    }

    await house.scores(300, usual)
    assert await house.active() == set()
    assert len(await house.alarms.ended_since(0)) == 4
    await house.webhook.step()
    assert [told["state"] for told in house.posted[4:]] == ["ended"] * 4
    assert await house.webhook.step() == 0


async def test_an_alarm_that_cannot_be_stored_is_told_later(house: House) -> None:
    await house.scores(2000, ordinary())
    await house.execute("ALTER TABLE alarms RENAME TO away")
    await house.scores(200, lambda: 0.97)
    await house.execute("ALTER TABLE away RENAME TO alarms")

    await house.watch.look()

    assert len(await house.alarms.active()) == 4
    assert await house.webhook.step() == 4


async def test_what_was_learnt_outlives_a_restart(house: House) -> None:
    await house.scores(2000, ordinary())
    await house.watch.look()
    assert await house.watch.position(names.PREDICTION) == 2000

    house.restart()
    await house.scores(200, lambda: 0.97)
    assert (Kind.FLAG_RATE, "my_wiki") in await house.active()
    house.restart()
    await house.scores(1, lambda: 0.97)
    assert len(await house.alarms.active()) == 4


async def test_only_what_was_learnt_since_is_written(house: House) -> None:
    await house.scores(2000, ordinary())
    await house.watch.look()
    assert len(await house.view.read(series)) == 2

    await house.database.write(lambda connection: connection.execute(delete(alarm_series)))
    await house.scores(TERM - 1, ordinary())
    await house.watch.look()
    assert await house.view.read(series) == {}
    assert await house.watch.position(names.PREDICTION) == 2000 + TERM - 1

    await house.scores(1, ordinary())
    await house.watch.look()
    assert len(await house.view.read(series)) == 2


async def test_old_events_are_learnt_from_and_raise_nothing(house: House) -> None:
    usual = ordinary()
    old = [house.record(usual(), "my_wiki") for _ in range(2000)]
    old += [house.record(0.97, "my_wiki") for _ in range(200)]
    house.clock.time = at(2 * 86400)

    await house.watch.apply(old)
    assert await house.active() == set()


async def test_what_stays_unusual_is_accepted_in_the_end(house: House) -> None:
    await house.scores(2000, ordinary())
    await house.scores(200, lambda: 0.97)
    house.clock.time = at(8 * 86400)

    await house.watch.look()
    assert await house.active() == set()


async def test_edits_that_get_no_score_are_told_once_they_are_late(house: House) -> None:
    await house.view.apply(records([page_change(rev_id=rev_id) for rev_id in range(10, 15)]))
    await house.watch.look()
    assert await house.active() == set()

    house.clock.time = at(11 * 60)
    await house.watch.look()
    assert await house.active() == {(Kind.NO_SCORES, "my_wiki")}

    await house.view.apply(records([prediction(page_change())], 6))
    await house.watch.look()
    assert await house.active() == set()


async def test_a_share_of_edits_that_failed_is_told(house: House) -> None:
    edits = [page_change(rev_id=rev_id) for rev_id in range(10, 210)]
    scored = [prediction(edit) for edit in edits[:190]]
    failed = [prediction_error(edit, state=Outcome.FAILED) for edit in edits[190:]]
    await house.view.apply(records([*edits, *scored, *failed]))
    house.clock.time = at(11 * 60)

    await house.watch.look()
    assert await house.active() == {(Kind.COVERAGE, "my_wiki")}


async def test_an_alarm_about_edits_that_nobody_makes_any_more_ends(house: House) -> None:
    edits = [page_change(rev_id=rev_id) for rev_id in range(10, 120)]
    await house.view.apply(records(edits))
    house.clock.time = at(11 * 60)
    await house.watch.look()
    assert await house.active() == {(Kind.NO_SCORES, "my_wiki"), (Kind.COVERAGE, "my_wiki")}

    house.clock.time = at(3 * 3600)
    await house.watch.look()
    assert (Kind.NO_SCORES, "my_wiki") in await house.active(), "they wait still"

    scores = [prediction(edit) for edit in edits[:100]]
    failed = [prediction_error(edit, state=Outcome.FAILED) for edit in edits[100:]]
    await house.view.apply(records([*scores, *failed], 200))
    await house.watch.look()
    assert await house.active() == {(Kind.COVERAGE, "my_wiki")}

    house.clock.time = at(25 * 3600)
    await house.watch.look()
    assert await house.active() == set()


async def test_the_webhook_is_told_until_it_takes_it(house: House) -> None:
    await house.view.apply(records([page_change(rev_id=rev_id) for rev_id in range(10, 15)]))
    house.clock.time = at(11 * 60)
    await house.watch.look()
    house.answers = [500, 302, 200]

    posting = asyncio.create_task(house.webhook.run())
    async with asyncio.timeout(20):
        while len(house.posted) < 3:  # noqa: ASYNC110 (what is waited for rings no bell)
            await asyncio.sleep(0.01)
    posting.cancel()
    await asyncio.gather(posting, return_exceptions=True)

    assert {told["id"] for told in house.posted} == {house.posted[0]["id"]}
    assert house.posted[0]["message"].startswith("my_wiki: no edit has got a score for 10 minutes")
    assert house.clock.slept[:2] == [5.0, 10.0]


def test_the_threshold_is_that_of_the_level_likelybad() -> None:
    model, bare, other = (NamedModel(name, "1") for name in ("m", "bare", "other"))
    tell = flagged_from({model: LEVELS, bare: WikiLevels(())})
    levels = {level.name: level.threshold for level in LEVELS.of("enwiki")}

    assert tell(model, "enwiki") == levels["likelybad"]
    assert (tell(bare, "enwiki"), tell(other, "enwiki")) == (0.5, 0.5)


async def test_a_level_that_is_chosen_anew_is_no_drift(house: House) -> None:
    usual = ordinary()
    await house.scores(2000, usual)

    for house.threshold in (0.05, 0.8, 0.2):
        await house.scores(200, usual)
        assert await house.active() == set()
    await house.scores(200, lambda: 0.4)
    assert (Kind.FLAG_RATE, "my_wiki") in await house.active()
