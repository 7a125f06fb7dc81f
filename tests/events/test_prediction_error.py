"""An edit without a score says why."""

import json

import msgspec
import pytest

from revision_quality.errors import InvalidEventError
from revision_quality.events import streams as names
from revision_quality.events.prediction_error import (
    Outcome,
    decode_prediction_error,
    prediction_error_id,
)
from tests.events.examples import MODEL, VERSION, page_change, prediction, prediction_error


def test_the_reason_is_published_with_the_edit():
    event = prediction_error(page_change("create"), "page_creation")

    assert event.meta.stream == names.PREDICTION_ERROR
    assert event.meta.id == prediction_error_id("my_wiki", 10, MODEL, VERSION)
    assert event.meta.id != prediction(page_change()).meta.id
    assert (event.error.state, event.error.reason) == (Outcome.NOT_SCORABLE, "page_creation")
    assert event.revision.comment == "typo"


@pytest.mark.parametrize("state", Outcome)
def test_an_error_written_and_read_again_is_the_same(state):
    event = prediction_error(page_change(), state=state)

    assert decode_prediction_error(msgspec.json.encode(event)) == event


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"error": None}, r"\$.error"),
        ({"$schema": "/error/2.1.0"}, r"\$schema is '/error/2.1.0', expected"),
        ({"wiki_id": 5}, r"\$.wiki_id"),
    ],
)
def test_what_is_no_error_event_is_refused(change, expected):
    event = json.loads(msgspec.json.encode(prediction_error(page_change())))

    with pytest.raises(InvalidEventError, match=expected):
        decode_prediction_error(json.dumps(event | change).encode())
