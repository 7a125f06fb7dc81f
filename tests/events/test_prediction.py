"""A prediction carries what the schema has of the edit, the score, and an id of its own."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from revision_quality.errors import InvalidEventError
from revision_quality.events import streams as names
from revision_quality.events.page_change import decode_page_change
from revision_quality.events.prediction import (
    SCHEMA,
    PredictionChange,
    build_prediction,
    decode_prediction,
    decode_score,
    prediction_id,
)
from tests.events.examples import MODEL, VERSION, page_change, prediction, raw_change, revision
from tests.events.test_page_change import FIXTURES, fixture


def written(event: PredictionChange) -> dict[str, Any]:
    return json.loads(msgspec.json.encode(event))


def test_a_score_is_published_with_both_probabilities():
    event = written(prediction(page_change(), 0.75))

    assert event["$schema"] == SCHEMA
    assert event["meta"]["stream"] == names.PREDICTION
    assert event["predicted_classification"] == {
        "model_name": MODEL,
        "model_version": VERSION,
        "predictions": ["true"],
        "probabilities": {"true": 0.75, "false": 0.25},
    }


@pytest.mark.parametrize(
    ("score", "decision"), [(0, "false"), (0.4999, "false"), (0.5, "true"), (1, "true")]
)
def test_the_models_own_decision_is_at_one_half(score, decision):
    event = prediction(page_change(), score)

    assert event.predicted_classification.predictions == (decision,)
    assert event.score == score


@pytest.mark.parametrize("name", sorted(FIXTURES))
def test_only_fields_of_the_schema_are_picked(name):
    change = decode_page_change(fixture(name))

    event = written(prediction(change))

    assert set(event) <= {
        *("$schema", "meta", "dt", "wiki_id", "page_change_kind", "changelog_kind", "page"),
        *("performer", "comment", "revision", "created_redirect_page", "prior_state"),
        "predicted_classification",
    }
    for part in (event["revision"], event.get("prior_state", {}).get("revision", {})):
        assert "content_slots" not in part
        assert "revert" not in part
    assert event["revision"]["rev_id"] == change.revision.rev_id
    assert event["page"]["page_title"] == change.page.page_title


def test_the_score_of_a_move_tells_of_the_page_before_only_what_differs():
    event = written(prediction(decode_page_change(fixture("move"))))

    assert event["prior_state"]["page"] == {"page_title": "Old_name", "namespace_id": 0}
    assert event["created_redirect_page"]["page_title"] == "Old_name"
    assert event["comment"] == "better name"


def test_a_performer_who_is_absent_stays_absent():
    raw = raw_change(revision=revision(10, editor=None))
    del raw["performer"], raw["revision"]["editor"]
    change = decode_page_change(json.dumps(raw).encode())

    event = written(prediction(change))

    assert "performer" not in event
    assert "editor" not in event["revision"]


def test_the_same_score_has_the_same_id_and_any_other_another():
    ids = [
        prediction(page_change(rev_id=10)).meta.id,
        prediction(page_change(rev_id=10), 0.9, second=99).meta.id,
        prediction_id("my_wiki", 10, MODEL, VERSION),
    ]
    others = [
        prediction_id("my_wiki", 11, MODEL, VERSION),
        prediction_id("other", 10, MODEL, VERSION),
        prediction_id("my_wiki", 10, "other", VERSION),
        prediction_id("my_wiki", 10, MODEL, "2"),
        prediction_id("my_wiki", 1, f"0{MODEL}", VERSION),
    ]

    assert len(set(ids)) == 1
    assert len({*ids, *others}) == 6


@pytest.mark.parametrize("name", sorted(FIXTURES))
def test_a_prediction_written_and_read_again_is_the_same(name):
    event = prediction(decode_page_change(fixture(name)))

    assert decode_prediction(msgspec.json.encode(event)) == event


@pytest.mark.parametrize("name", sorted(FIXTURES))
def test_the_score_alone_is_read_as_with_the_rest(name):
    event = prediction(decode_page_change(fixture(name)), 0.25)

    alone = decode_score(msgspec.json.encode(event))

    assert (alone.wiki_id, alone.score, alone.meta.dt) == (event.wiki_id, 0.25, event.meta.dt)
    assert alone.page.page_id == event.page.page_id
    assert alone.revision.rev_id == event.revision.rev_id
    assert alone.revision.rev_dt == event.revision.rev_dt
    assert alone.predicted_classification.model_name == MODEL
    assert alone.predicted_classification.model_version == VERSION


@given(st.floats(0, 1))
def test_any_score_written_and_read_again_is_the_same(score):
    event = build_prediction(
        page_change(), stream="s", model_name=MODEL, model_version=VERSION, score=score
    )

    assert decode_prediction(msgspec.json.encode(event)).score == score


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"$schema": "/mediawiki/page/change/1.2.0"}, r"\$schema is .*expected"),
        ({"predicted_classification": {}}, "predicted_classification"),
        ({"predicted_classification": None}, "predicted_classification"),
    ],
)
def test_what_is_no_prediction_is_refused(change, expected):
    raw = json.dumps(written(prediction(page_change())) | change).encode()

    for decode in (decode_prediction, decode_score):
        with pytest.raises(InvalidEventError, match=expected):
            decode(raw)


@pytest.mark.parametrize(
    ("probabilities", "expected"),
    [
        ({"false": 0.5}, 'probabilities lacks "true"'),
        ({"true": 1.5, "false": 0}, r"`float` <= 1.0 - at `\$.predicted_classification"),
        ({"true": -0.1}, r"`float` >= 0.0 - at `\$.predicted_classification"),
        ({"true": "high"}, "Expected `float`, got `str`"),
    ],
)
def test_a_prediction_without_a_probability_is_refused(probabilities, expected):
    event = written(prediction(page_change()))
    event["predicted_classification"]["probabilities"] = probabilities

    for decode in (decode_prediction, decode_score):
        with pytest.raises(InvalidEventError, match=expected):
            decode(json.dumps(event).encode())
