"""What the events of the streams tell a store of scores: outcomes, hidden texts, deleted pages."""

from msgspec import Struct

from revision_quality.clock import unix_seconds
from revision_quality.errors import InvalidEventError
from revision_quality.events import streams as names
from revision_quality.events.page_change import (
    PageChange,
    PageChangeKind,
    RevisionEntity,
    decode_page_change,
)
from revision_quality.events.prediction import (
    PredictionChange,
    PredictionRevision,
    decode_prediction,
)
from revision_quality.events.prediction_error import PredictionError, decode_prediction_error
from revision_quality.events.revision_change import VisibilityChange, decode_visibility_change
from revision_quality.streams.base import Record
from revision_quality.views.score_store import (
    ModelOutcome,
    outcome_of_error,
    outcome_of_prediction,
)

_LONGEST_NAME = 255


class RevisionFact(Struct, frozen=True, kw_only=True):
    """What an event tells of a revision: an outcome, or None if its text is hidden.

    A text that was hidden once never gets its scores back, as in the changes view. `rev_dt` is the
    edit's time in Unix seconds.
    """

    wiki_id: str
    page_id: int
    rev_id: int
    rev_dt: int
    outcome: ModelOutcome | None = None


class PageDeletion(Struct, frozen=True, kw_only=True):
    """A page that was deleted at `deleted_dt`, Unix seconds, with all edits until then."""

    wiki_id: str
    page_id: int
    deleted_dt: int


Fact = RevisionFact | PageDeletion


def read_fact(record: Record) -> Fact | None:
    """Return what an event tells, None if nothing; a stream without a name of its own has scores.

    Raises InvalidEventError, also for a name that no store can have as a key.
    """
    if record.stream == names.PAGE_CHANGE:
        fact = _of_page_change(decode_page_change(record.value))
    elif record.stream == names.VISIBILITY_CHANGE:
        fact = _of_visibility_change(decode_visibility_change(record.value))
    elif record.stream == names.PREDICTION_ERROR:
        error = decode_prediction_error(record.value)
        fact = _of_outcome(error, outcome_of_error(error))
    else:
        prediction = decode_prediction(record.value)
        fact = _of_outcome(prediction, outcome_of_prediction(prediction))
    if fact is not None:
        _check_names(fact)
    return fact


def _of_page_change(event: PageChange) -> Fact | None:
    if event.is_canary or event.page_change_kind is PageChangeKind.UNDELETE:
        return None
    if event.page_change_kind is PageChangeKind.DELETE:
        return PageDeletion(
            wiki_id=event.wiki_id,
            page_id=event.page.page_id,
            deleted_dt=unix_seconds(event.dt),
        )
    return _of_revision(event, event.revision, None) if _is_hidden(event.revision) else None


def _of_visibility_change(event: VisibilityChange) -> RevisionFact | None:
    if event.visibility.text:
        return None
    return RevisionFact(
        wiki_id=event.database,
        page_id=event.page_id,
        rev_id=event.rev_id,
        rev_dt=unix_seconds(event.rev_timestamp),
    )


def _of_outcome(event: PredictionChange | PredictionError, outcome: ModelOutcome) -> RevisionFact:
    return _of_revision(event, event.revision, None if _is_hidden(event.revision) else outcome)


def _of_revision(
    event: PageChange | PredictionChange | PredictionError,
    revision: RevisionEntity | PredictionRevision,
    outcome: ModelOutcome | None,
) -> RevisionFact:
    return RevisionFact(
        wiki_id=event.wiki_id,
        page_id=event.page.page_id,
        rev_id=revision.rev_id,
        rev_dt=unix_seconds(revision.rev_dt),
        outcome=outcome,
    )


def _is_hidden(revision: RevisionEntity | PredictionRevision) -> bool:
    return revision.is_content_visible is False


def _check_names(fact: Fact) -> None:
    outcome = fact.outcome if isinstance(fact, RevisionFact) else None
    found = {"wiki_id": fact.wiki_id}
    if outcome is not None:
        found |= {"model_name": outcome.model_name, "model_version": outcome.model_version}
    for field, name in found.items():
        if len(name) > _LONGEST_NAME:
            raise InvalidEventError(f"{field} has more than {_LONGEST_NAME} characters")
