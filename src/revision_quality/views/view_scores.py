"""The scores of the one model that the changes view shows, as a score store."""

from collections.abc import Sequence
from typing import Any, Protocol

from sqlalchemy import Select, select

from revision_quality.models.base import Prediction
from revision_quality.views.change import Change, State
from revision_quality.views.score_store import ModelOutcome, Removal, RevisionScores
from revision_quality.views.tables import changes


class _Rows(Protocol):
    async def rows(self, statement: Select[Any]) -> Sequence[Change]: ...


class ViewScores:
    """Finds scores in a changes view, for as long as it keeps its rows."""

    def __init__(self, view: _Rows) -> None:
        self._view = view

    async def scores(self, wiki_id: str, rev_ids: Sequence[int]) -> dict[int, RevisionScores]:
        """Return what is known by rev_id; unknown ones are left out. Raises StoreError."""
        statement = select(changes).where(
            changes.c.wiki_id == wiki_id, changes.c.rev_id.in_(set(rev_ids))
        )
        return {row.rev_id: _scores(row) for row in await self._view.rows(statement)}


def _scores(row: Change) -> RevisionScores:
    removed = Removal.DELETED if row.deleted else Removal.HIDDEN if row.content_hidden else None
    return RevisionScores(
        wiki_id=row.wiki_id,
        rev_id=row.rev_id,
        outcomes=() if removed else _outcomes(row),
        removed=removed,
    )


def _outcomes(row: Change) -> tuple[ModelOutcome, ...]:
    if row.state is State.PENDING or row.model_name is None or row.model_version is None:
        return ()
    outcome = ModelOutcome(
        model_name=row.model_name,
        model_version=row.model_version,
        state=row.state,
        scored_dt=row.timestamp * 1000,
        score=row.score,
        prediction=None if row.score is None else Prediction(row.score).prediction,
        reason=row.reason,
        message=row.message,
    )
    return (outcome,)
