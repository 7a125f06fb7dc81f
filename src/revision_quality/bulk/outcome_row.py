"""One edit in a part: its key, what became of it, its score."""

from datetime import datetime

from msgspec import Struct

from revision_quality.models.base import Prediction
from revision_quality.scoring.not_scored import NotScored
from revision_quality.views.change import State


class OutcomeRow(Struct, frozen=True, kw_only=True):
    """`state` is scored, not_scorable or failed; `reason` a code, None where scored.

    `score` is P(reverted), 0 to 1, None where there is none. `rev_id`, `page_id` and `rev_dt` are
    None only where the input has none that can be read.
    """

    wiki_id: str
    rev_id: int | None
    page_id: int | None
    rev_dt: datetime | None
    state: str
    reason: str | None
    score: float | None


def outcome_row(
    wiki_id: str,
    rev_id: int | None,
    page_id: int | None,
    rev_dt: datetime | None,
    outcome: Prediction | NotScored,
) -> OutcomeRow:
    """Return the row of an edit."""
    return OutcomeRow(
        wiki_id=wiki_id,
        rev_id=rev_id,
        page_id=page_id,
        rev_dt=rev_dt,
        state=State.SCORED if isinstance(outcome, Prediction) else outcome.state,
        reason=None if isinstance(outcome, Prediction) else outcome.reason,
        score=outcome.score if isinstance(outcome, Prediction) else None,
    )
