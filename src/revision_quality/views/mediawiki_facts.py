"""What the events of the streams tell the extension RevisionQuality's tables of one wiki."""

from msgspec import Struct

from revision_quality.clock import unix_seconds
from revision_quality.events import streams as names
from revision_quality.events.page_change import PageChangeKind, decode_page_change
from revision_quality.events.prediction_error import decode_prediction_error
from revision_quality.streams.base import Record
from revision_quality.views import ores_facts
from revision_quality.views.change import State

STREAMS = (*ores_facts.STREAMS, names.PREDICTION_ERROR)
"""What the tables are made of; a model that publishes elsewhere adds its stream."""

_EDITS = (PageChangeKind.CREATE, PageChangeKind.EDIT)


class Unscored(Struct, frozen=True, kw_only=True):
    """An edit without a score: pending, not scorable or failed. `rev_dt` is in Unix seconds."""

    rev_id: int
    rev_dt: int
    state: State
    namespace: int = 0
    is_bot: bool = False


Fact = ores_facts.Fact | Unscored


def read_fact(record: Record, wiki_id: str) -> Fact | None:
    """Return what an event tells of `wiki_id`, None if nothing. Raises InvalidEventError."""
    if record.stream == names.PREDICTION_ERROR:
        return _of_error(record, wiki_id)
    fact = ores_facts.read_fact(record, wiki_id)
    if fact is None and record.stream == names.PAGE_CHANGE:
        return _of_edit(record, wiki_id)
    return fact


def _of_edit(record: Record, wiki_id: str) -> Unscored | None:
    if wiki_id.encode() not in record.value:
        return None
    event = decode_page_change(record.value)
    if event.wiki_id != wiki_id or event.is_canary or event.page_change_kind not in _EDITS:
        return None
    editor = event.revision.editor or event.performer
    return Unscored(
        rev_id=event.revision.rev_id,
        rev_dt=unix_seconds(event.revision.rev_dt),
        state=State.PENDING,
        namespace=event.page.namespace_id or 0,
        is_bot=bool(editor and editor.is_bot),
    )


def _of_error(record: Record, wiki_id: str) -> Unscored | None:
    event = decode_prediction_error(record.value)
    if event.wiki_id != wiki_id or event.page_change_kind not in _EDITS:
        return None
    return Unscored(
        rev_id=event.revision.rev_id,
        rev_dt=unix_seconds(event.revision.rev_dt),
        state=State(event.error.state),
        namespace=event.page.namespace_id or 0,
    )
