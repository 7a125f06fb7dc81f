"""Edits in, an outcome for each: a score, or why there is none."""

import math
from collections.abc import Sequence

from msgspec import Struct

from revision_quality.errors import WikiError
from revision_quality.events.page_change import PageChange
from revision_quality.events.prediction_error import Outcome
from revision_quality.models.base import Model, Prediction, Unscored
from revision_quality.wiki.reader import RevisionReader, Unreadable
from revision_quality.wiki.revision import Revision


class NotScored(Struct, frozen=True):
    """Why an edit has no score: `reason` is a code, `message` a sentence."""

    state: Outcome
    reason: str
    message: str


class Scorer:
    """Reads edits and asks a model."""

    def __init__(self, model: Model) -> None:
        self.model = model

    async def score(
        self, reader: RevisionReader, changes: Sequence[PageChange]
    ) -> list[Prediction | NotScored]:
        """Return one outcome for each edit, in their order.

        Raises WikiError if the wiki does not answer at all. If it answers, but not for some of
        these edits, those fail and the others are scored.
        """
        found = await self._read(reader, changes)
        revisions = [item for item in found if isinstance(item, Revision)]
        answers = iter(await self._predict(revisions))
        return [next(answers) if isinstance(item, Revision) else item for item in found]

    async def _read(
        self, reader: RevisionReader, changes: Sequence[PageChange]
    ) -> list[Revision | NotScored]:
        try:
            found = await reader.read(changes)
        except WikiError as error:
            await reader.check()
            if len(changes) == 1:
                return [NotScored(Outcome.FAILED, "wiki_error", str(error))]
            middle = len(changes) // 2
            return [
                *await self._read(reader, changes[:middle]),
                *await self._read(reader, changes[middle:]),
            ]
        return [_unreadable(item) if isinstance(item, Unreadable) else item for item in found]

    async def _predict(self, revisions: Sequence[Revision]) -> list[Prediction | NotScored]:
        if not revisions:
            return []
        try:
            answers = await self.model.predict(revisions)
            return [_checked(answer) for _, answer in zip(revisions, answers, strict=True)]
        except Exception as error:
            if len(revisions) == 1:
                message = f"The model failed with {type(error).__name__}: {error}"
                return [NotScored(Outcome.FAILED, "model_error", message)]
            return [answer for one in revisions for answer in await self._predict([one])]


def _unreadable(item: Unreadable) -> NotScored:
    return NotScored(Outcome.NOT_SCORABLE, item.reason, item.message)


def _checked(answer: Prediction | Unscored) -> Prediction | NotScored:
    if isinstance(answer, Unscored):
        state = Outcome.NOT_SCORABLE if answer.is_final else Outcome.FAILED
        return NotScored(state, answer.reason, answer.message)
    if not (math.isfinite(answer.score) and 0 <= answer.score <= 1):
        message = f"The model answered {answer.score}, which is no probability."
        return NotScored(Outcome.FAILED, "model_error", message)
    return answer
