"""prediction_error: an edit that got no score, and why.

prediction_classification_change has no place for this, so it has a stream and a schema of its own.
"""

from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from revision_quality.events.decoding import MAX_OUTCOME_BYTES, EventDecoder
from revision_quality.events.meta import event_id
from revision_quality.events.page_change import PageChange
from revision_quality.events.prediction import EditEvent, pick
from revision_quality.events.streams import PREDICTION_ERROR

SCHEMA = "/revision_quality/prediction_error/1.0.0"
SCHEMA_PREFIX = "/revision_quality/prediction_error/1."


class Outcome(StrEnum):
    """NOT_SCORABLE is final: no model will ever score this edit. FAILED may be tried again."""

    NOT_SCORABLE = "not_scorable"
    FAILED = "failed"


class ErrorDetail(Struct, frozen=True, kw_only=True):
    """Why there is no score: `reason` is a code, `message` a sentence."""

    model_name: str
    model_version: str
    state: Outcome
    reason: str
    message: str


class PredictionError(EditEvent, frozen=True, kw_only=True, omit_defaults=True):
    """The event."""

    error: ErrorDetail


def prediction_error_id(wiki_id: str, rev_id: int, model_name: str, model_version: str) -> str:
    """Return the `meta.id` of the prediction error of this edit and model."""
    return event_id("prediction_error", wiki_id, rev_id, model_name, model_version)


def as_retry(event: PredictionError, retry_id: str | None) -> PredictionError:
    """Return the error of a further attempt, which `retry_id` asked for: an event of its own.

    Under the first attempt's id it would be a repetition, and the old reason would stay.
    """
    identifier = event_id("prediction_error of a retry", str(event.meta.id), str(retry_id))
    return replace(event, meta=replace(event.meta, id=identifier))


def build_prediction_error(change: PageChange, error: ErrorDetail) -> PredictionError:
    """Build the event that says why the edit of `change` has no score."""
    identifier = prediction_error_id(
        change.wiki_id, change.revision.rev_id, error.model_name, error.model_version
    )
    fields = pick(change, schema=SCHEMA, stream=PREDICTION_ERROR, identifier=identifier)
    return PredictionError(**fields, error=error)


_decode = EventDecoder(PredictionError, "prediction_error", SCHEMA_PREFIX, MAX_OUTCOME_BYTES)


def decode_prediction_error(raw: bytes) -> PredictionError:
    """Read an event. Raises InvalidEventError naming the field and what was expected."""
    return _decode(raw)
