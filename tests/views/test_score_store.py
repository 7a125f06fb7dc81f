"""Of several outcomes one counts, and the streams answer as a store does."""

from pathlib import Path

import msgspec
import pytest

from revision_quality.events import streams as names
from revision_quality.events.prediction_error import Outcome
from revision_quality.streams.base import Outgoing
from revision_quality.streams.sqlite import SqliteStreams
from revision_quality.views.change import State
from revision_quality.views.score_store import (
    ModelOutcome,
    ScoringModel,
    StreamScores,
    best,
    outcome_of_error,
    outcome_of_prediction,
)
from tests.events.examples import MODEL, VERSION, page_change, prediction, prediction_error

EDIT = page_change()
OTHER_STREAM = "my_model.v1"
MODELS = (ScoringModel(MODEL, VERSION), ScoringModel(MODEL, "2", OTHER_STREAM))


def outcome(state: State, scored_dt: int, version: str = "1") -> ModelOutcome:
    return ModelOutcome(
        model_name="m", model_version=version, state=state, scored_dt=scored_dt, reason="r"
    )


@pytest.mark.parametrize(
    ("outcomes", "left"),
    [
        ([], []),
        ([(State.SCORED, 1), (State.SCORED, 2)], [(State.SCORED, 2)]),
        ([(State.SCORED, 1), (State.FAILED, 2)], [(State.SCORED, 1)]),
        ([(State.FAILED, 2), (State.NOT_SCORABLE, 1)], [(State.NOT_SCORABLE, 1)]),
        ([(State.FAILED, 1, "2"), (State.SCORED, 2)], [(State.SCORED, 2), (State.FAILED, 1, "2")]),
    ],
)
def test_one_outcome_of_each_version_counts(outcomes, left):
    told = [outcome(*each) for each in outcomes]

    assert best(told) == best(told[::-1]) == tuple(outcome(*each) for each in left)


async def test_the_streams_answer_for_the_models_that_they_are_told_of(tmp_path: Path):
    score, other = prediction(EDIT, 0.75), prediction(EDIT, version="2")
    refused = prediction_error(page_change(rev_id=11))
    failed = prediction_error(page_change(rev_id=12), "wiki_error", Outcome.FAILED)
    stored = [
        (names.PREDICTION, score),
        (names.PREDICTION, prediction(EDIT, version="3")),
        (OTHER_STREAM, other),
        (names.PREDICTION_ERROR, refused),
        (names.PREDICTION_ERROR, failed),
    ]
    async with SqliteStreams(tmp_path / "streams.sqlite") as streams:
        await streams.append(
            Outgoing(stream, event.meta.id or "", "", msgspec.json.encode(event))
            for stream, event in stored
        )
        found = await StreamScores(streams, MODELS).scores("my_wiki", [10, 11, 12, 13])

    assert set(found) == {10, 11, 12}
    assert found[10].outcomes == (outcome_of_prediction(score), outcome_of_prediction(other))
    assert found[11].outcomes == (outcome_of_error(refused),)
    assert found[12].of(MODEL, VERSION) == outcome_of_error(failed)
    assert found[12].of(MODEL, "2") is None
    first = found[10].of(MODEL, VERSION)
    assert first is not None
    assert (first.score, first.prediction) == (0.75, True)
