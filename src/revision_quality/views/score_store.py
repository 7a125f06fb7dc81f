"""What is known of a revision's scores, whoever keeps them."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

from msgspec import Struct

from revision_quality.events.prediction import PredictionChange, decode_prediction, prediction_id
from revision_quality.events.prediction_error import (
    PredictionError,
    decode_prediction_error,
    prediction_error_id,
)
from revision_quality.events.streams import PREDICTION, PREDICTION_ERROR
from revision_quality.streams.base import Index
from revision_quality.views.change import State

_STATES = (State.PENDING, State.FAILED, State.NOT_SCORABLE, State.SCORED)


class Removal(StrEnum):
    """Why a revision's scores are not told any more. DELETED is its page, HIDDEN its text."""

    DELETED = "deleted"
    HIDDEN = "hidden"


class ModelOutcome(Struct, frozen=True, kw_only=True):
    """What one version of a model made of a revision.

    `state` is scored, not_scorable or failed; `score` is P(reverted), 0 to 1, and `prediction` the
    model's own decision, set where it is scored; `reason` is a code and `message` a sentence, set
    where it is not. `scored_dt` is when the event was received, Unix milliseconds.
    """

    model_name: str
    model_version: str
    state: State
    scored_dt: int
    score: float | None = None
    prediction: bool | None = None
    reason: str | None = None
    message: str | None = None


class RevisionScores(Struct, frozen=True, kw_only=True):
    """All that is known of a revision: an outcome of each model version, none if removed."""

    wiki_id: str
    rev_id: int
    outcomes: tuple[ModelOutcome, ...] = ()
    removed: Removal | None = None

    def of(self, model_name: str, model_version: str) -> ModelOutcome | None:
        """Return the outcome of one version of a model."""
        wanted = (model_name, model_version)
        found = (one for one in self.outcomes if (one.model_name, one.model_version) == wanted)
        return next(found, None)


class ScoreStore(Protocol):
    """Finds scores by revision."""

    async def scores(self, wiki_id: str, rev_ids: Sequence[int]) -> dict[int, RevisionScores]:
        """Return what is known by rev_id; unknown ones are left out. Raises StoreError."""
        ...


class ScoringModel(Struct, frozen=True):
    """A model version and the stream that its scores are published in."""

    name: str
    version: str
    stream: str = PREDICTION


class StreamScores:
    """The scores that a log with an index finds, of these models only.

    The streams do not know what was hidden or deleted later: `removed` is never set.
    """

    def __init__(self, streams: Index, models: Sequence[ScoringModel]) -> None:
        self._streams = streams
        self._models = models

    async def scores(self, wiki_id: str, rev_ids: Sequence[int]) -> dict[int, RevisionScores]:
        """Return what is known by rev_id; unknown ones are left out. Raises StoreError."""
        found: dict[int, list[ModelOutcome]] = {}
        for model in self._models:
            for rev_id, outcome in (await self._of_model(model, wiki_id, rev_ids)).items():
                found.setdefault(rev_id, []).append(outcome)
        return {
            rev_id: RevisionScores(wiki_id=wiki_id, rev_id=rev_id, outcomes=best(outcomes))
            for rev_id, outcomes in found.items()
        }

    async def _of_model(
        self, model: ScoringModel, wiki_id: str, rev_ids: Sequence[int]
    ) -> dict[int, ModelOutcome]:
        key = (model.name, model.version)
        errors = {prediction_error_id(wiki_id, rev_id, *key): rev_id for rev_id in rev_ids}
        found = {
            errors[identifier]: outcome_of_error(decode_prediction_error(raw))
            for identifier, raw in (await self._streams.find(PREDICTION_ERROR, errors)).items()
        }
        predictions = {prediction_id(wiki_id, rev_id, *key): rev_id for rev_id in rev_ids}
        stored = await self._streams.find(model.stream, predictions)
        for identifier, raw in stored.items():
            found[predictions[identifier]] = outcome_of_prediction(decode_prediction(raw))
        return found


def outcome_of_prediction(event: PredictionChange) -> ModelOutcome:
    """Read a score out of its event."""
    found = event.predicted_classification
    return ModelOutcome(
        model_name=found.model_name,
        model_version=found.model_version,
        state=State.SCORED,
        scored_dt=_received(event),
        score=event.score,
        prediction=found.predictions == ("true",),
    )


def outcome_of_error(event: PredictionError) -> ModelOutcome:
    """Read out of its event why there is no score."""
    return ModelOutcome(
        model_name=event.error.model_name,
        model_version=event.error.model_version,
        state=State(event.error.state),
        scored_dt=_received(event),
        reason=event.error.reason,
        message=event.error.message,
    )


def best(outcomes: Sequence[ModelOutcome]) -> tuple[ModelOutcome, ...]:
    """Return one outcome of each model version: a score rather than a reason why there is none.

    The order is that of the changes view: scored, not_scorable, failed, and of two the later.
    """
    ranked = sorted(outcomes, key=lambda one: (_STATES.index(one.state), one.scored_dt))
    found = {(one.model_name, one.model_version): one for one in ranked}
    return tuple(found[key] for key in sorted(found))


def _received(event: PredictionChange | PredictionError) -> int:
    return int((event.meta.dt or event.dt).timestamp() * 1000)
