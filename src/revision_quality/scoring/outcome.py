"""The events that publish what became of an edit."""

import msgspec

from revision_quality.events.error import MOST_MESSAGE
from revision_quality.events.page_change import PageChange
from revision_quality.events.prediction import PredictionChange, build_prediction
from revision_quality.events.prediction_error import (
    ErrorDetail,
    PredictionError,
    build_prediction_error,
)
from revision_quality.models.base import Model, Prediction
from revision_quality.scoring.not_scored import NotScored
from revision_quality.streams.base import Outgoing, page_key

OutcomeEvent = PredictionChange | PredictionError


def outcome_event(
    change: PageChange, outcome: Prediction | NotScored, model: Model, prediction_stream: str
) -> OutcomeEvent:
    """Build the prediction or the prediction error of an edit."""
    if isinstance(outcome, Prediction):
        return build_prediction(
            change,
            stream=prediction_stream,
            model_name=model.name,
            model_version=model.version,
            score=outcome.score,
        )
    detail = ErrorDetail(
        model_name=model.name,
        model_version=model.version,
        state=outcome.state,
        reason=outcome.reason,
        message=_writable(outcome.message[:MOST_MESSAGE]),
    )
    return build_prediction_error(change, detail)


def _writable(message: str) -> str:
    """Return a message without half characters, as what Python decoded loosely has them."""
    return message.encode("utf-8", "replace").decode()


def outgoing_outcome(event: OutcomeEvent) -> Outgoing:
    """Write an outcome for its stream."""
    key = page_key(event.wiki_id, event.page.page_id)
    return Outgoing(event.meta.stream, str(event.meta.id), key, msgspec.json.encode(event))
