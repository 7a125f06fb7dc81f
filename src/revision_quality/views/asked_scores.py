"""Scores as a score store that has those made which there are not yet."""

from collections.abc import Awaitable, Callable, Sequence

from revision_quality.events.prediction import PredictionChange
from revision_quality.events.prediction_error import PredictionError
from revision_quality.views.score_store import (
    Removal,
    RevisionScores,
    outcome_of_error,
    outcome_of_prediction,
)

Answers = Callable[[str, Sequence[int]], Awaitable[Sequence[object]]]
"""Answers for revisions of a wiki, in their order: the event of a score, of an error, or anything
else for a revision that the wiki does not have (`scoring.on_request.OnRequest.answers`)."""


class AskedScores:
    """Finds the scores of one model by asking for them."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers

    async def scores(self, wiki_id: str, rev_ids: Sequence[int]) -> dict[int, RevisionScores]:
        """Return what is known by rev_id. Raises what the answers raise: StoreError, WikiError."""
        answers = await self._answers(wiki_id, rev_ids)
        return {
            rev_id: _scores(wiki_id, rev_id, answer)
            for rev_id, answer in zip(rev_ids, answers, strict=True)
        }


def _scores(wiki_id: str, rev_id: int, answer: object) -> RevisionScores:
    if isinstance(answer, PredictionChange):
        outcome = outcome_of_prediction(answer)
    elif isinstance(answer, PredictionError):
        outcome = outcome_of_error(answer)
    else:
        return RevisionScores(wiki_id=wiki_id, rev_id=rev_id, removed=Removal.DELETED)
    return RevisionScores(wiki_id=wiki_id, rev_id=rev_id, outcomes=(outcome,))
