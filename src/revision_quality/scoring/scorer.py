"""Edits in, an outcome for each: a score, or why there is none."""

import asyncio
import time
from collections.abc import Sequence

from revision_quality.errors import ModelUnavailableError, WikiError, WikiUnavailableError
from revision_quality.events.page_change import PageChange
from revision_quality.events.prediction_error import Outcome
from revision_quality.models.base import Model, Prediction, Unscored
from revision_quality.scoring.model_rule import CONCURRENCY
from revision_quality.scoring.not_scored import NotScored
from revision_quality.tally import WORK_SECONDS, Timings
from revision_quality.wiki.reader import RevisionReader, Unreadable
from revision_quality.wiki.revision import Revision


class Scorer:
    """Reads edits and asks a model, up to `concurrency` times at once; `work` times the model."""

    def __init__(
        self, model: Model, concurrency: int = CONCURRENCY, work: Timings | None = None
    ) -> None:
        self.model = model
        self._work = Timings(WORK_SECONDS) if work is None else work
        self._slots = asyncio.Semaphore(concurrency)

    async def score(
        self, reader: RevisionReader, changes: Sequence[PageChange]
    ) -> list[Prediction | NotScored]:
        """Return one outcome for each edit, in their order.

        Raises WikiError if the wiki does not answer at all or asks to wait. If it answers, but not
        for some of these edits, those fail and the others are scored.
        """
        found = await self._read(reader, changes)
        revisions = [item for item in found if isinstance(item, Revision)]
        answers = iter(await self.predict(revisions))
        return [next(answers) if isinstance(item, Revision) else item for item in found]

    async def _read(
        self, reader: RevisionReader, changes: Sequence[PageChange]
    ) -> list[Revision | NotScored]:
        try:
            found = await reader.read(changes)
        except WikiError as error:
            await _check(reader, error)
            if len(changes) == 1:
                return [await self._read_again(reader, changes)]
            middle = len(changes) // 2
            return [
                *await self._read(reader, changes[:middle]),
                *await self._read(reader, changes[middle:]),
            ]
        return [_readable(item) for item in found]

    async def _read_again(
        self, reader: RevisionReader, changes: Sequence[PageChange]
    ) -> Revision | NotScored:
        """Read the one edit once more: the wiki may have come back between read and check."""
        try:
            (found,) = await reader.read(changes)
        except WikiError as error:
            await _check(reader, error)
            return NotScored(Outcome.FAILED, "wiki_error", str(error))
        return _readable(found)

    async def predict(self, revisions: Sequence[Revision]) -> list[Prediction | NotScored]:
        """Ask the model about revisions at hand: one outcome for each, in their order.

        Raises ModelUnavailableError.
        """
        if not revisions:
            return []
        try:
            async with self._slots:
                begun = time.perf_counter()
                answers = await self.model.predict(revisions)
                self._work.observe(time.perf_counter() - begun)
            return [_checked(answer) for _, answer in zip(revisions, answers, strict=True)]
        except ModelUnavailableError:
            raise
        except Exception as error:
            if len(revisions) == 1:
                message = f"The model failed with {type(error).__name__}: {error}"
                return [NotScored(Outcome.FAILED, "model_error", message)]
            return [answer for one in revisions for answer in await self.predict([one])]


async def _check(reader: RevisionReader, error: WikiError) -> None:
    """Raise if not the edits but the wiki is at fault."""
    if isinstance(error, WikiUnavailableError) and error.retry_after is not None:
        raise error
    await reader.check()


def _readable(item: Revision | Unreadable) -> Revision | NotScored:
    if isinstance(item, Unreadable):
        return NotScored(Outcome.NOT_SCORABLE, item.reason, item.message)
    return item


def _checked(answer: Prediction | Unscored) -> Prediction | NotScored:
    if isinstance(answer, Unscored):
        state = Outcome.NOT_SCORABLE if answer.is_final else Outcome.FAILED
        return NotScored(state, answer.reason, answer.message)
    # A model may have a number of NumPy's, which no event can be written with.
    score = float(answer.score)
    if not 0 <= score <= 1:
        message = f"The model answered {score}, which is no probability."
        return NotScored(Outcome.FAILED, "model_error", message)
    return Prediction(score)
