"""What is known of a revision that somebody asks for, whatever the protocol.

Scores are in the streams for good; the changes view knows which of them are not to be told any
more, because the text was hidden or the page deleted since.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from msgspec import Struct
from sqlalchemy import select

from revision_quality.errors import InvalidEventError, WikiError
from revision_quality.events.page_change import PageChange
from revision_quality.events.prediction import PredictionChange
from revision_quality.events.prediction_error import Outcome, PredictionError
from revision_quality.scoring import on_request
from revision_quality.scoring.on_request import OnRequest
from revision_quality.views.change import Change
from revision_quality.views.row import REVISION_HIDDEN
from revision_quality.views.tables import changes
from revision_quality.web.view import View

REVISION_MISSING = "revision_missing"


class Scored(Struct, frozen=True):
    """A score: P(reverted), 0 to 1; `prediction` is the model's own decision."""

    rev_id: int
    score: float
    prediction: bool
    model_name: str
    model_version: str


class NotScored(Struct, frozen=True):
    """Why there is no score: `reason` is a code, `message` a sentence."""

    rev_id: int
    state: Outcome
    reason: str
    message: str


Answer = Scored | NotScored


class Stored(Protocol):
    """Finds what is known already where the streams do not."""

    async def answers(self, wiki_id: str, rev_ids: Sequence[int]) -> Mapping[int, Answer]:
        """Return final answers by rev_id, without what is not known. Raises StoreError."""
        ...


class Answers:
    """Asks a store, the streams, the wiki and the model, less what is withheld."""

    def __init__(self, asked: OnRequest, view: View, stored: Stored | None = None) -> None:
        self._asked = asked
        self._view = view
        self._stored = stored

    async def rows(self, wiki_id: str, rev_ids: Sequence[int]) -> dict[int, Change]:
        """Return what the changes view has of these revisions. Raises StoreError."""
        statement = select(changes).where(
            changes.c.wiki_id == wiki_id, changes.c.rev_id.in_(set(rev_ids))
        )
        return {row.rev_id: row for row in await self._view.rows(statement)}

    async def of(self, wiki_id: str, rev_ids: Sequence[int]) -> list[Answer]:
        """Return one answer for each revision of a known wiki, in their order.

        Raises WikiError if the wiki does not answer, StoreError if the streams or the view fail.
        """
        rows = await self.rows(wiki_id, rev_ids)
        settled: dict[int, Answer] = {
            rev_id: answer for rev_id, row in rows.items() if (answer := _withheld(row))
        }
        if self._stored:
            settled = {**await self._stored.answers(wiki_id, rev_ids), **settled}
        rest = [rev_id for rev_id in rev_ids if rev_id not in settled]
        try:
            told = await self._asked.answers(wiki_id, rest)
        except InvalidEventError as error:
            raise WikiError(f"{wiki_id} tells of its revisions what cannot be read.") from error
        answers = settled | {
            rev_id: _read(rev_id, answer) for rev_id, answer in zip(rest, told, strict=True)
        }
        return [answers[rev_id] for rev_id in rev_ids]

    async def of_event(self, change: PageChange) -> Answer:
        """Return the answer for the edit of an event, and have it published. Raises as `of`."""
        rev_id = change.revision.rev_id
        row = (await self.rows(change.wiki_id, [rev_id])).get(rev_id)
        settled: Answer | None = _withheld(row) if row else None
        if settled is None and self._stored:
            settled = (await self._stored.answers(change.wiki_id, [rev_id])).get(rev_id)
        return settled or _read(rev_id, await self._asked.answer_event(change))


def _withheld(row: Change) -> NotScored | None:
    if row.deleted:
        message = f"The page of revision {row.rev_id} is deleted."
        return NotScored(row.rev_id, Outcome.NOT_SCORABLE, REVISION_MISSING, message)
    if row.content_hidden or row.reason == REVISION_HIDDEN:
        message = row.message or "The text of this revision is hidden."
        return NotScored(row.rev_id, Outcome.NOT_SCORABLE, REVISION_HIDDEN, message)
    return None


def _read(rev_id: int, answer: on_request.Answer) -> Answer:
    if isinstance(answer, PredictionChange):
        found = answer.predicted_classification
        return Scored(
            rev_id,
            answer.score,
            found.predictions == ("true",),
            found.model_name,
            found.model_version,
        )
    if isinstance(answer, PredictionError):
        error = answer.error
        return NotScored(rev_id, error.state, error.reason, error.message)
    message = f"The wiki has no revision {rev_id}."
    return NotScored(rev_id, Outcome.NOT_SCORABLE, REVISION_MISSING, message)
