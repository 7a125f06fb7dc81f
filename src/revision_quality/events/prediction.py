"""prediction_classification_change: the score of an edit, the canonical record.

Source: the schema `/mediawiki/page/prediction_classification_change/1.x`. The event is built by a
pick-list from the page_change event: copying it whole was refused by EventGate each time that
page_change grew a field (Phabricator T426807, T405067).
"""

from collections.abc import Mapping
from typing import Annotated, Any

from msgspec import Meta as Constraint
from msgspec import Struct, convert, field

from revision_quality.errors import InvalidEventError
from revision_quality.events.decoding import MAX_OUTCOME_BYTES, EventDecoder
from revision_quality.events.meta import Meta, Number, Timestamp, event_id
from revision_quality.events.page_change import (
    ChangelogKind,
    PageChange,
    PageChangeKind,
    PageEntity,
    PriorPage,
    RevisionFacts,
    UserEntity,
)

SCHEMA = "/mediawiki/page/prediction_classification_change/1.3.0"
SCHEMA_PREFIX = "/mediawiki/page/prediction_classification_change/1."

Probability = Annotated[float, Constraint(ge=0, le=1)]


class PredictionRevision(RevisionFacts, frozen=True, kw_only=True, omit_defaults=True):
    """The scored revision, without content slots and revert, which the schema has not."""

    rev_id: Number
    rev_dt: Timestamp


class PredictionPriorState(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What was before, as far as page_change said it."""

    page: PriorPage | None = None
    revision: RevisionFacts | None = None


class EditEvent(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What a prediction and a prediction error tell of the edit itself."""

    schema: str = field(name="$schema")
    meta: Meta
    dt: Timestamp
    wiki_id: str
    page_change_kind: PageChangeKind
    changelog_kind: ChangelogKind
    page: PageEntity
    revision: PredictionRevision
    performer: UserEntity | None = None
    comment: str | None = None
    created_redirect_page: PageEntity | None = None
    prior_state: PredictionPriorState | None = None


class PredictedClassification(Struct, frozen=True, kw_only=True, gc=False):
    """The model's answer; `probabilities` holds "true" and "false", P(reverted) and its rest."""

    model_name: str
    model_version: str
    predictions: tuple[str, ...]
    probabilities: dict[str, Probability]


class PredictionChange(EditEvent, frozen=True, kw_only=True, omit_defaults=True):
    """The event."""

    predicted_classification: PredictedClassification

    @property
    def score(self) -> float:
        """P(reverted), 0 to 1."""
        return self.predicted_classification.probabilities["true"]


class _Received(Struct, frozen=True, gc=False):
    dt: Timestamp | None = None


class _ScoredPage(Struct, frozen=True, gc=False):
    page_id: Number


class _ScoredRevision(Struct, frozen=True, gc=False):
    rev_id: Number
    rev_dt: Timestamp


class _Answer(Struct, frozen=True, gc=False):
    model_name: str
    model_version: str
    probabilities: dict[str, Probability]


class PredictedScore(Struct, frozen=True, kw_only=True, gc=False):
    """What a prediction says of the score alone, for those who read nothing else of many."""

    schema: str = field(name="$schema")
    meta: _Received
    wiki_id: str
    page: _ScoredPage
    revision: _ScoredRevision
    predicted_classification: _Answer

    @property
    def score(self) -> float:
        """P(reverted), 0 to 1."""
        return self.predicted_classification.probabilities["true"]


def prediction_id(wiki_id: str, rev_id: int, model_name: str, model_version: str) -> str:
    """Return the `meta.id` of the prediction event of this score, which identifies it."""
    return event_id("prediction", wiki_id, rev_id, model_name, model_version)


def build_prediction(
    change: PageChange, *, stream: str, model_name: str, model_version: str, score: float
) -> PredictionChange:
    """Build the event that publishes `score` for the edit of `change`."""
    identifier = prediction_id(change.wiki_id, change.revision.rev_id, model_name, model_version)
    return PredictionChange(
        **pick(change, schema=SCHEMA, stream=stream, identifier=identifier),
        predicted_classification=PredictedClassification(
            model_name=model_name,
            model_version=model_version,
            predictions=("true",) if score >= 0.5 else ("false",),
            probabilities={"true": score, "false": 1 - score},
        ),
    )


def pick(change: PageChange, *, schema: str, stream: str, identifier: str) -> dict[str, Any]:
    """Pick the fields of an EditEvent out of a page_change event.

    `meta.dt` stays empty: it is the time of receipt, which the stream's keeper sets.
    """
    prior = change.prior_state
    return {
        "schema": schema,
        "meta": Meta(
            stream=stream,
            id=identifier,
            domain=change.meta.domain,
            uri=change.meta.uri,
            request_id=change.meta.request_id,
        ),
        "dt": change.dt,
        "wiki_id": change.wiki_id,
        "page_change_kind": change.page_change_kind,
        "changelog_kind": change.changelog_kind,
        "page": change.page,
        "revision": convert(change.revision, PredictionRevision, from_attributes=True),
        "performer": change.performer,
        "comment": change.comment,
        "created_redirect_page": change.created_redirect_page,
        "prior_state": prior and convert(prior, PredictionPriorState, from_attributes=True),
    }


_decode = EventDecoder(PredictionChange, "prediction", SCHEMA_PREFIX, MAX_OUTCOME_BYTES)
_decode_score = EventDecoder(PredictedScore, "prediction", SCHEMA_PREFIX, MAX_OUTCOME_BYTES)


def decode_prediction(raw: bytes) -> PredictionChange:
    """Read an event. Raises InvalidEventError naming the field and what was expected."""
    event = _decode(raw)
    _check(event.predicted_classification.probabilities)
    return event


def decode_score(raw: bytes) -> PredictedScore:
    """Read what an event says of the score, in a third of the time; what else it has may be wrong.

    Raises InvalidEventError naming the field and what was expected.
    """
    event = _decode_score(raw)
    _check(event.predicted_classification.probabilities)
    return event


def _check(probabilities: Mapping[str, float]) -> None:
    if "true" not in probabilities:
        raise InvalidEventError('predicted_classification.probabilities lacks "true"')
