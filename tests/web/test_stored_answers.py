"""Answers out of a score store: final ones only, and nothing of what was removed."""

import pytest

from revision_quality.events.prediction_error import Outcome
from revision_quality.views.change import State
from revision_quality.views.score_store import ModelOutcome, Removal, RevisionScores
from revision_quality.web.answering import NotScored, Scored
from revision_quality.web.stored_answers import StoredAnswers
from tests.scoring.fakes import FakeModel

MODEL = FakeModel()


class Store:
    """Knows one revision."""

    def __init__(self, known: RevisionScores) -> None:
        self._known = known

    async def scores(self, wiki_id, rev_ids):
        return {rev_id: self._known for rev_id in rev_ids if rev_id == self._known.rev_id}


def outcome(state: State, version: str = MODEL.version, **fields: object) -> ModelOutcome:
    return ModelOutcome(
        model_name=MODEL.name, model_version=version, state=state, scored_dt=1, **fields
    )


def known(*outcomes: ModelOutcome, removed: Removal | None = None) -> RevisionScores:
    return RevisionScores(wiki_id="my_wiki", rev_id=7, outcomes=outcomes, removed=removed)


@pytest.mark.parametrize(
    ("found", "answer"),
    [
        (
            known(outcome(State.SCORED, score=0.75, prediction=True)),
            Scored(7, 0.75, True, MODEL.name, MODEL.version),
        ),
        (
            known(outcome(State.NOT_SCORABLE, reason="page_creation", message="New.")),
            NotScored(7, Outcome.NOT_SCORABLE, "page_creation", "New."),
        ),
        (known(outcome(State.FAILED, reason="wiki_error", message="No.")), None),
        (known(outcome(State.SCORED, "another", score=0.5, prediction=True)), None),
        (known(), None),
        (
            known(removed=Removal.DELETED),
            NotScored(
                7, Outcome.NOT_SCORABLE, "revision_missing", "The page of revision 7 is deleted."
            ),
        ),
        (
            known(removed=Removal.HIDDEN),
            NotScored(
                7, Outcome.NOT_SCORABLE, "revision_hidden", "The text of this revision is hidden."
            ),
        ),
    ],
)
async def test_what_is_final_is_an_answer(found, answer):
    answers = await StoredAnswers(Store(found), MODEL).answers("my_wiki", [7, 8])

    assert answers == ({7: answer} if answer else {})
