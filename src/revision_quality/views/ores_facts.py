"""What the events of the streams tell the ORES tables of one wiki."""

import msgspec
from msgspec import Struct

from revision_quality.clock import unix_seconds
from revision_quality.events import streams as names
from revision_quality.events.page_change import PageChange, PageChangeKind, decode_page_change
from revision_quality.events.prediction import PredictionChange, decode_prediction
from revision_quality.events.revision_change import decode_visibility_change
from revision_quality.streams.base import Record

STREAMS = (names.PAGE_CHANGE, names.VISIBILITY_CHANGE, names.PREDICTION)
"""What the tables are made of; a model that publishes elsewhere adds its stream."""


class Score(Struct, frozen=True, kw_only=True):
    """A score: `score` is P(reverted), 0 to 1, `prediction` the model's own decision.

    `rev_dt` is the edit's time in Unix seconds; namespace and bot flag are those of the event,
    which stand in for recent changes that do not have the edit yet.
    """

    rev_id: int
    rev_dt: int
    model_name: str
    model_version: str
    score: float
    prediction: bool
    namespace: int = 0
    is_bot: bool = False


class HiddenText(Struct, frozen=True):
    """A revision whose text was hidden."""

    rev_id: int


class DeletedPage(Struct, frozen=True):
    """A page that was deleted; `title` has no namespace, and underscores."""

    page_id: int
    namespace: int
    title: str


Fact = Score | HiddenText | DeletedPage


class _Whose(Struct, frozen=True):
    wiki_id: str = ""
    database: str = ""


_whose = msgspec.json.Decoder(_Whose)


def read_fact(record: Record, wiki_id: str) -> Fact | None:
    """Return what an event tells of `wiki_id`, None if nothing. Raises InvalidEventError.

    A stream without a name of its own holds scores.
    """
    if _is_of_another(record, wiki_id):
        return None
    if record.stream == names.PAGE_CHANGE:
        return _of_page_change(decode_page_change(record.value))
    if record.stream == names.VISIBILITY_CHANGE:
        event = decode_visibility_change(record.value)
        return None if event.visibility.text else HiddenText(event.rev_id)
    return _of_prediction(decode_prediction(record.value))


def _is_of_another(record: Record, wiki_id: str) -> bool:
    """Tell it without reading the whole event: of a farm's events few are of one wiki."""
    try:
        whose = _whose.decode(record.value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return wiki_id not in (whose.wiki_id, whose.database)


def _of_page_change(event: PageChange) -> Fact | None:
    if event.is_canary or event.page_change_kind is PageChangeKind.UNDELETE:
        return None
    if event.page_change_kind is PageChangeKind.DELETE:
        namespace = event.page.namespace_id or 0
        return DeletedPage(event.page.page_id, namespace, _title(event.page.page_title, namespace))
    return _hidden(event)


def _of_prediction(event: PredictionChange) -> Fact:
    editor = event.revision.editor or event.performer
    return _hidden(event) or Score(
        rev_id=event.revision.rev_id,
        rev_dt=unix_seconds(event.revision.rev_dt),
        model_name=event.predicted_classification.model_name,
        model_version=event.predicted_classification.model_version,
        score=event.score,
        prediction=event.predicted_classification.predictions == ("true",),
        namespace=event.page.namespace_id or 0,
        is_bot=bool(editor and editor.is_bot),
    )


def _hidden(event: PageChange | PredictionChange) -> HiddenText | None:
    is_hidden = event.revision.is_content_visible is False
    return HiddenText(event.revision.rev_id) if is_hidden else None


def _title(page_title: str, namespace: int) -> str:
    title = page_title.replace(" ", "_")
    return title.partition(":")[2] if namespace else title
