"""The changes view as a score store: what it shows of a revision, nothing of what is gone."""

import pytest
from msgspec.structs import replace

from revision_quality.views.change import Change, State
from revision_quality.views.score_store import Removal
from revision_quality.views.view_scores import ViewScores

SCORED = Change(
    wiki_id="my_wiki",
    rev_id=7,
    seq=1,
    timestamp=100,
    state=State.SCORED,
    score=0.75,
    model_name="a model",
    model_version="1",
)


class Rows:
    """A view of one row."""

    def __init__(self, row: Change) -> None:
        self._row = row

    async def rows(self, statement):
        return [self._row]


async def told(row: Change):
    return (await ViewScores(Rows(row)).scores("my_wiki", [7]))[7]


async def test_a_score_is_told_with_its_model_and_decision():
    outcome = (await told(SCORED)).of("a model", "1")

    assert outcome is not None
    assert (outcome.state, outcome.score, outcome.prediction) == (State.SCORED, 0.75, True)


async def test_why_there_is_no_score_is_told():
    row = replace(SCORED, state=State.NOT_SCORABLE, score=None, reason="page_creation", message="M")

    outcome = (await told(row)).of("a model", "1")

    assert outcome is not None
    assert (outcome.score, outcome.prediction) == (None, None)
    assert (outcome.reason, outcome.message) == ("page_creation", "M")


@pytest.mark.parametrize(
    ("fields", "removed"),
    [
        ({"deleted": True}, Removal.DELETED),
        ({"content_hidden": True}, Removal.HIDDEN),
        ({"state": State.PENDING, "score": None, "model_name": None}, None),
    ],
)
async def test_what_is_gone_or_not_there_yet_has_no_outcome(fields, removed):
    found = await told(replace(SCORED, **fields))

    assert (found.outcomes, found.removed) == ((), removed)
