"""What each event tells a store of scores."""

import msgspec
import pytest
from msgspec.structs import replace

from revision_quality.errors import InvalidEventError
from revision_quality.events import streams as names
from revision_quality.streams.base import Record
from revision_quality.views.score_facts import PageDeletion, RevisionFact, read_fact
from revision_quality.views.score_store import outcome_of_error, outcome_of_prediction
from tests.events.examples import (
    START,
    page_change,
    prediction,
    prediction_error,
    revision,
    tags_change,
    visibility_change,
)
from tests.views.examples import Event, records

EDIT = page_change()
HIDDEN_PARTS = revision(10, is_content_visible=False)
HIDDEN_EDIT = page_change(revision=HIDDEN_PARTS)
HIDDEN = RevisionFact(wiki_id="my_wiki", page_id=5, rev_id=10, rev_dt=int(START.timestamp()))
SCORE, ERROR = prediction(EDIT), prediction_error(EDIT)


@pytest.mark.parametrize(
    ("event", "told"),
    [
        (SCORE, replace(HIDDEN, outcome=outcome_of_prediction(SCORE))),
        (ERROR, replace(HIDDEN, outcome=outcome_of_error(ERROR))),
        (prediction(HIDDEN_EDIT), HIDDEN),
        (prediction_error(HIDDEN_EDIT), HIDDEN),
        (HIDDEN_EDIT, HIDDEN),
        (page_change("visibility_change", revision=HIDDEN_PARTS), HIDDEN),
        (visibility_change(10, text=False), HIDDEN),
        (visibility_change(10, user=False, comment=False), None),
        (EDIT, None),
        (page_change("undelete"), None),
        (
            page_change("delete", second=60),
            PageDeletion(wiki_id="my_wiki", page_id=5, deleted_dt=int(START.timestamp()) + 60),
        ),
        (page_change("delete", meta={"stream": names.PAGE_CHANGE, "domain": "canary"}), None),
    ],
)
def test_an_event_tells(event: Event, told):
    [record] = records([event])

    assert read_fact(record) == told


def test_a_score_is_read_from_whichever_stream_a_model_has():
    other = Record("my_model.v1", 7, 0, msgspec.json.encode(SCORE))

    assert read_fact(other) == read_fact(records([SCORE])[0])


@pytest.mark.parametrize(
    ("record", "error"),
    [
        (Record(names.PREDICTION, 1, 0, b"{"), "not a prediction event"),
        (records([tags_change(10, [])])[0], "not a prediction event"),
        (records([prediction(EDIT, version="1" * 256)])[0], "model_version has more than 255"),
        (records([page_change("delete", wiki_id="w" * 256)])[0], "wiki_id has more than 255"),
    ],
)
def test_what_cannot_be_stored_is_said(record: Record, error: str):
    with pytest.raises(InvalidEventError, match=error):
        read_fact(record)
