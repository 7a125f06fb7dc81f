"""What a batch of events tells of changes: all that can be read without the database."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any, TypeGuard

from revision_quality.clock import unix_seconds
from revision_quality.events import streams as names
from revision_quality.events.page_change import PageChange, PageChangeKind, decode_page_change
from revision_quality.events.prediction import PredictionChange, decode_prediction
from revision_quality.events.prediction_error import PredictionError, decode_prediction_error
from revision_quality.events.revision_change import (
    TagsChange,
    VisibilityChange,
    decode_tags_change,
    decode_visibility_change,
)
from revision_quality.events.verdict import VerdictEvent, decode_verdict
from revision_quality.scoring.model_rule import ModelKey
from revision_quality.streams.base import Record
from revision_quality.views import bulk, model_scores, verdicts
from revision_quality.views import row as rows
from revision_quality.views.incoming import Key, key_of, without_nul
from revision_quality.views.readable import take_each
from revision_quality.views.row import Row
from revision_quality.views.row_values import values_of

Outcome = PredictionChange | PredictionError
Event = PageChange | Outcome | TagsChange | VisibilityChange


class ChangeEvents:
    """The events of some records, those that cannot be read left out.

    `of_edits` are those of each edit, in their order; `edits` these edits and `pages` their pages,
    both sorted; `deletions` when pages were deleted, Unix seconds.
    """

    def __init__(self, records: Sequence[Record]) -> None:
        self.of_edits: defaultdict[Key, list[Event]] = defaultdict(list)
        self._pages: set[Key] = set()
        self.deletions: dict[Key, int] = {}
        self.verdicts: list[verdicts.GivenVerdict] = []
        self._new: dict[Key, bulk.Values] = {}
        take_each(records, self._add, "the changes view")
        self.edits = sorted(self.of_edits)
        self.pages = sorted(self._pages)

    def _add(self, record: Record) -> None:
        event = _DECODERS.get(record.stream, decode_prediction)(without_nul(record.value))
        _TAKEN[type(event)](self, event)

    def take_verdict(self, event: VerdictEvent) -> None:
        """Take what a patroller says."""
        key_of(event.wiki_id, event.rev_id)
        self.verdicts.append(verdicts.given(event))

    def take_told(self, event: TagsChange | VisibilityChange) -> None:
        """Take what is told of an edit later."""
        self.of_edits[key_of(event.database, event.rev_id)].append(event)
        self._pages.add((event.database, event.page_id))

    def take_outcome(self, event: Outcome) -> None:
        """Take what a model made of an edit."""
        self.of_edits[key_of(event.wiki_id, event.revision.rev_id)].append(event)
        self._pages.add((event.wiki_id, event.page.page_id))

    def take_page_change(self, event: PageChange) -> None:
        """Take an edit, or what else happened to a page."""
        key = key_of(event.wiki_id, event.revision.rev_id)
        if event.is_canary or event.page_change_kind is PageChangeKind.UNDELETE:
            return
        page = (event.wiki_id, event.page.page_id)
        if event.page_change_kind is PageChangeKind.DELETE:
            deleted_dt = unix_seconds(event.dt)
            self.deletions[page] = max(deleted_dt, self.deletions.get(page, deleted_dt))
            return
        self.of_edits[key].append(event)
        self._pages.add(page)

    def take_out(self, is_other: Callable[[str, str], bool]) -> list[model_scores.ModelScore]:
        """Take out what other models made of edits, and return it."""
        taken: list[model_scores.ModelScore] = []
        for key, events in list(self.of_edits.items()):
            kept: list[Event] = []
            for event in events:
                if _is_outcome(event) and is_other(*_model(event)):
                    taken.append(model_scores.of_event(event))
                else:
                    kept.append(event)
            if len(kept) < len(events):
                self._new.pop(key, None)
                self.of_edits[key] = kept
            if not kept:
                del self.of_edits[key]
        self.edits = sorted(self.of_edits)
        return taken

    def make_rows(self) -> None:
        """Make the rows of edits of which nothing else is known."""
        for key in self.of_edits:
            self._new[key] = self._made(key)

    def new(self, key: Key) -> bulk.Values:
        """Return the row of an edit of which nothing else is known; its number is 0."""
        return self._new.get(key) or self._made(key)

    def _made(self, key: Key) -> bulk.Values:
        return values_of(self.row(key, Row(*key, seq=0)), 0)

    def row(self, key: Key, row: Row) -> Row:
        """Return the row of an edit as it is after its events."""
        for event in self.of_edits.get(key, ()):
            row = _FUNCTIONS[type(event)](row, event)
        return row


def _is_outcome(event: Event) -> TypeGuard[Outcome]:
    return isinstance(event, PredictionChange | PredictionError)


def _model(event: Outcome) -> ModelKey:
    told = event.predicted_classification if isinstance(event, PredictionChange) else event.error
    return told.model_name, told.model_version


def _page_change(row: Row, event: PageChange) -> Row:
    if event.page_change_kind is PageChangeKind.VISIBILITY_CHANGE:
        return rows.with_page_visibility_change(row, event)
    return rows.with_edit(row, event)


_DECODERS: dict[str, Any] = {
    names.PAGE_CHANGE: decode_page_change,
    names.PREDICTION: decode_prediction,
    names.PREDICTION_ERROR: decode_prediction_error,
    names.TAGS_CHANGE: decode_tags_change,
    names.VISIBILITY_CHANGE: decode_visibility_change,
    names.VERDICT: decode_verdict,
}
_TAKEN: dict[type, Callable[[ChangeEvents, Any], None]] = {
    PageChange: ChangeEvents.take_page_change,
    PredictionChange: ChangeEvents.take_outcome,
    PredictionError: ChangeEvents.take_outcome,
    TagsChange: ChangeEvents.take_told,
    VisibilityChange: ChangeEvents.take_told,
    VerdictEvent: ChangeEvents.take_verdict,
}
_FUNCTIONS: dict[type, Any] = {
    PageChange: _page_change,
    PredictionChange: rows.with_prediction,
    PredictionError: rows.with_error,
    TagsChange: rows.with_tags,
    VisibilityChange: rows.with_visibility_change,
}
