"""What the Flink job does with an event, without Flink."""

import asyncio
import json
from typing import Any

import pytest

from revision_quality.errors import WikiUnavailableError
from revision_quality.events import streams as names
from revision_quality.events.prediction import prediction_id
from revision_quality.flink.edits import Edits
from revision_quality.flink.wiki_queue import LONG_PAUSE, WikiQueue
from revision_quality.models.base import Prediction
from revision_quality.scoring.matching import wanted
from revision_quality.scoring.model_rule import ModelRule
from revision_quality.scoring.not_scored import NotScored
from revision_quality.scoring.processor import BATCH, UNKNOWN_ATTEMPTS
from revision_quality.scoring.scorer import Scorer
from revision_quality.streams.base import Outgoing, Record
from revision_quality.wiki.reader import Unreadable
from tests.events.examples import at, page_change, raw_change
from tests.fakes import FakeClock
from tests.scoring.fakes import FakeModel, FakeReader

MISSING = Unreadable("revision_missing", "The wiki has no such revision.")


def record(event: Any) -> Record:
    value = event if isinstance(event, bytes) else json.dumps(event).encode()
    return Record(names.PAGE_CHANGE, 7, 0, value, 3)


def edits(reader: FakeReader, *rules: ModelRule) -> Edits:
    chosen = rules or (ModelRule(model=FakeModel()),)
    return Edits(chosen, {"my_wiki": reader}.get, clock=FakeClock(at(9999)))


def said(events: list[Outgoing]) -> list[Any]:
    found = []
    for event in events:
        value = json.loads(event.value)
        made = value.get("predicted_classification") or value.get("error") or {}
        outcome = made.get("probabilities", {}).get("true") or made.get("reason")
        found.append((event.stream, outcome))
    return found


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (raw_change(), [(names.PREDICTION, 0.25)]),
        (raw_change("create"), [(names.PREDICTION_ERROR, "page_creation")]),
        (raw_change("move"), [(names.PREDICTION_ERROR, "page_move")]),
        (raw_change("delete"), []),
        (raw_change("visibility_change"), []),
        (raw_change(meta={"stream": "s", "domain": "canary"}), []),
        (raw_change(wiki_id="elsewhere"), [(names.PREDICTION_ERROR, "unknown_wiki")]),
        (raw_change(page={}), [(names.DEAD_LETTER, None)]),
        (b"\xff", [(names.DEAD_LETTER, None)]),
        (b"", [(names.DEAD_LETTER, None)]),
    ],
)
async def test_every_event_has_its_outcome(event: Any, expected: list[Any]) -> None:
    published = await edits(FakeReader()).published(record(event))
    assert said(published) == expected


async def test_the_same_event_makes_the_same_events_again() -> None:
    first, again = [await edits(FakeReader()).published(record(raw_change())) for _ in range(2)]
    assert first == again
    assert first[0].id == prediction_id("my_wiki", 10, "revertrisk", "1")
    assert first[0].key == '{"wiki_id":"my_wiki","page_id":5}'

    letters = [await edits(FakeReader()).published(record(b"[")) for _ in range(2)]
    assert letters[0] == letters[1]
    assert json.loads(letters[0][0].value)["raw_event"] == "["


async def test_each_rule_scores_the_edits_that_it_wants() -> None:
    other = FakeModel(lambda revisions: [Prediction(0.75)] * len(revisions))
    rule = ModelRule(model=other, stream="other", wants=wanted({"page": {"namespace_id": 0}}))
    both = edits(FakeReader(), ModelRule(model=FakeModel()), rule)

    article = await both.published(record(raw_change()))
    talk = raw_change(page={"page_id": 5, "page_title": "Talk:A", "namespace_id": 1})

    assert said(article) == [(names.PREDICTION, 0.25), ("other", 0.75)]
    assert said(await both.published(record(talk))) == [(names.PREDICTION, 0.25)]


async def test_edits_of_a_wiki_that_has_not_said_yet_who_it_is_wait_for_it() -> None:
    clock, readers = FakeClock(at(9999)), dict[str, FakeReader]()
    scoring = Edits(
        (ModelRule(model=FakeModel()),),
        readers.get,
        is_expected=lambda domain: domain == "wiki.example",
        clock=clock,
        patience=10,
    )
    event = raw_change(meta={"stream": "s", "domain": "wiki.example"})

    late = await scoring.published(record(event))
    assert said(late) == [(names.PREDICTION_ERROR, "wiki_error")]
    assert clock.now() == at(9999 + 10)
    again = await scoring.published(record(event))
    assert said(again) == [(names.PREDICTION_ERROR, "wiki_error")]
    assert clock.now() == at(9999 + 10)

    readers["my_wiki"] = FakeReader()
    assert said(await scoring.published(record(event))) == [(names.PREDICTION, 0.25)]
    unknown = raw_change(wiki_id="elsewhere", meta={"stream": "s", "domain": "elsewhere.example"})
    assert said(await scoring.published(record(unknown))) == [
        (names.PREDICTION_ERROR, "unknown_wiki")
    ]


def queue(reader: FakeReader, clock: FakeClock) -> WikiQueue:
    return WikiQueue(Scorer(FakeModel()), reader, clock=clock, patience=10)


async def test_what_arrives_together_is_read_together() -> None:
    reader = FakeReader()
    waiting = queue(reader, FakeClock(at(9999)))
    number = 2 * BATCH + 3

    found = await asyncio.gather(
        *(waiting.outcome(page_change(rev_id=rev_id)) for rev_id in range(10, 10 + number))
    )

    assert found == [Prediction(0.25)] * number
    assert [len(batch) for batch in reader.batches] == [BATCH, BATCH, 3]


async def test_a_silence_within_patience_costs_nothing() -> None:
    reader = FakeReader()
    reader.failure, reader.failures_left = WikiUnavailableError("away", 3.0), 5
    assert await queue(reader, FakeClock(at(9999))).outcome(page_change()) == Prediction(0.25)


async def test_a_wiki_silent_for_long_fails_its_edits_until_it_answers() -> None:
    reader, clock = FakeReader(), FakeClock(at(9999))
    reader.failure = WikiUnavailableError("away", 3.0)
    waiting = queue(reader, clock)

    failed = await waiting.outcome(page_change())
    asked = len(reader.batches)
    at_once = await waiting.outcome(page_change(rev_id=11))

    assert isinstance(failed, NotScored)
    assert (failed.reason, failed.message) == ("wiki_error", "away")
    assert at_once == failed
    assert len(reader.batches) == asked

    await clock.sleep(LONG_PAUSE)
    assert await waiting.outcome(page_change(rev_id=12)) == failed
    assert len(reader.batches) == asked + 1

    reader.failure = None
    await clock.sleep(LONG_PAUSE)
    assert await waiting.outcome(page_change(rev_id=13)) == Prediction(0.25)
    assert await waiting.outcome(page_change(rev_id=14)) == Prediction(0.25)


async def test_a_revision_that_the_wiki_may_not_know_yet_is_asked_for_again() -> None:
    reader = FakeReader()
    reader.unreadable[10] = [MISSING, MISSING, MISSING]
    fresh = FakeClock(at(1))
    missing = await queue(reader, fresh).outcome(page_change(rev_id=10))
    assert isinstance(missing, NotScored)
    assert reader.batches == [[10]] * (UNKNOWN_ATTEMPTS + 1)

    reader.batches.clear()
    late = await queue(reader, FakeClock(at(9999))).outcome(page_change(rev_id=10))
    assert late == missing
    assert reader.batches == [[10]]
