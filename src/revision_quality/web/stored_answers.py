"""Answers for one model out of a score store."""

from collections.abc import Sequence

from msgspec import Struct

from revision_quality.events.prediction_error import Outcome
from revision_quality.models.base import Model
from revision_quality.views.change import State
from revision_quality.views.row import REVISION_HIDDEN
from revision_quality.views.score_store import ModelOutcome, Removal, RevisionScores, ScoreStore
from revision_quality.web.answering import REVISION_MISSING, Answer, NotScored, Scored


class StoredAnswers(Struct, frozen=True):
    """What `store` knows of `model`; a failure is no answer for good."""

    store: ScoreStore
    model: Model

    async def answers(self, wiki_id: str, rev_ids: Sequence[int]) -> dict[int, Answer]:
        """Return final answers by rev_id, without what is not known. Raises StoreError."""
        if not rev_ids:
            return {}
        found = await self.store.scores(wiki_id, rev_ids)
        answers = {rev_id: self._answer(known) for rev_id, known in found.items()}
        return {rev_id: answer for rev_id, answer in answers.items() if answer}

    def _answer(self, known: RevisionScores) -> Answer | None:
        if known.removed:
            return _removed(known.rev_id, known.removed)
        outcome = known.of(self.model.name, self.model.version)
        return _told(known.rev_id, outcome) if outcome else None


def _removed(rev_id: int, why: Removal) -> NotScored:
    if why is Removal.DELETED:
        message = f"The page of revision {rev_id} is deleted."
        return NotScored(rev_id, Outcome.NOT_SCORABLE, REVISION_MISSING, message)
    message = "The text of this revision is hidden."
    return NotScored(rev_id, Outcome.NOT_SCORABLE, REVISION_HIDDEN, message)


def _told(rev_id: int, outcome: ModelOutcome) -> Answer | None:
    if outcome.state is State.SCORED and outcome.score is not None:
        decision = bool(outcome.prediction)
        name, version = outcome.model_name, outcome.model_version
        return Scored(rev_id, outcome.score, decision, name, version)
    if outcome.state is State.NOT_SCORABLE:
        reason, message = outcome.reason or "", outcome.message or ""
        return NotScored(rev_id, Outcome.NOT_SCORABLE, reason, message)
    return None
