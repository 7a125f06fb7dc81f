"""What comes of an edit can be published and read, however large the edit's event is."""

import json

import pytest

from revision_quality.events.decoding import MAX_EVENT_BYTES
from revision_quality.events.page_change import PageChange, decode_page_change
from revision_quality.events.prediction import decode_prediction
from revision_quality.events.prediction_error import Outcome, decode_prediction_error
from revision_quality.models.base import Prediction
from revision_quality.scoring.not_scored import NotScored
from revision_quality.scoring.outcome import outcome_event, outgoing_outcome
from revision_quality.streams.kafka.place import MAX_MESSAGE_BYTES
from tests.events.examples import page_change, raw_change
from tests.scoring.fakes import FakeModel

STREAM = "scores"
ENVELOPE = 1024
"""What Kafka adds to an event at most: its key, its headers, its batch."""


@pytest.fixture(scope="module")
def largest() -> PageChange:
    event = raw_change()
    room = MAX_EVENT_BYTES - len(json.dumps(event))
    event["revision"]["comment"] += "x" * room
    raw = json.dumps(event).encode()
    assert len(raw) == MAX_EVENT_BYTES
    return decode_page_change(raw)


def test_the_score_of_the_largest_event_can_be_published_and_read(largest: PageChange):
    event = outcome_event(largest, Prediction(1 / 3), FakeModel(), STREAM)
    raw = outgoing_outcome(event).value

    assert len(raw) <= MAX_MESSAGE_BYTES - ENVELOPE
    assert decode_prediction(raw).revision.comment == largest.revision.comment


def test_the_reason_why_the_largest_event_failed_can_be_published_and_read(largest: PageChange):
    """A model may put the whole text into what it says."""
    outcome = NotScored(Outcome.FAILED, "model_error", "no\x01" * 2_000_000)
    raw = outgoing_outcome(outcome_event(largest, outcome, FakeModel(), STREAM)).value

    assert len(raw) <= MAX_MESSAGE_BYTES - ENVELOPE
    assert decode_prediction_error(raw).error.message.startswith("no\x01no")


def test_a_reason_with_half_a_character_can_be_published():
    outcome = NotScored(Outcome.FAILED, "model_error", "not found: caf\udce9.bin")
    raw = outgoing_outcome(outcome_event(page_change(), outcome, FakeModel(), STREAM)).value

    assert decode_prediction_error(raw).error.message == "not found: caf?.bin"
