"""What a batch of events tells: of edits, of their scores, and of pages that were deleted."""

from collections import defaultdict
from collections.abc import Callable
from datetime import datetime
from typing import Any

from revision_quality.clock import unix_seconds
from revision_quality.events import streams as names
from revision_quality.events.page_change import PageChange, PageChangeKind, decode_page_change
from revision_quality.events.prediction import decode_score
from revision_quality.events.revision_change import (
    TagsChange,
    VisibilityChange,
    decode_tags_change,
    decode_visibility_change,
)
from revision_quality.events.verdict import VerdictEvent, decode_verdict
from revision_quality.levels.edit import (
    Edit,
    Page,
    with_page_change,
    with_tags,
    with_verdict,
    with_visibility,
)
from revision_quality.levels.scores import NamedModel, Score
from revision_quality.streams.base import Record
from revision_quality.views.incoming import Key, key_of, without_nul

Event = PageChange | TagsChange | VisibilityChange | VerdictEvent


class Told:
    """Takes events one by one; those of edits older than `horizon`, Unix seconds, tell nothing.

    `events` are those of edits, in their order, but for the scores; `places` the page and the time
    of edits with scores; `deletions` when pages were deleted, Unix seconds.
    """

    def __init__(self, horizon: int) -> None:
        self._horizon = horizon
        self._numbers: dict[tuple[str, str], int] = {}
        self.events: list[tuple[Key, Event]] = []
        self.scores: defaultdict[Key, list[Score]] = defaultdict(list)
        self.places: dict[Key, tuple[int, datetime]] = {}
        self.deletions: dict[Page, int] = {}

    @property
    def models(self) -> list[NamedModel]:
        """The models that scores are of."""
        return [NamedModel(*named) for named in self._numbers]

    def add(self, record: Record) -> None:
        """Read one event. Raises InvalidEventError."""
        take = _TAKEN.get(record.stream, Told._take_prediction)
        take(self, without_nul(record.value))

    def _take_page_change(self, value: bytes) -> None:
        event = decode_page_change(value)
        key = key_of(event.wiki_id, event.revision.rev_id)
        if event.is_canary or event.page_change_kind is PageChangeKind.UNDELETE:
            return
        if event.page_change_kind is PageChangeKind.DELETE:
            page, deleted_dt = (event.wiki_id, event.page.page_id), unix_seconds(event.dt)
            self.deletions[page] = max(deleted_dt, self.deletions.get(page, deleted_dt))
        else:
            self._add(key, event, event.revision.rev_dt)

    def _take_prediction(self, value: bytes) -> None:
        event = decode_score(value)
        revision, told, received = event.revision, event.predicted_classification, event.meta.dt
        key = key_of(event.wiki_id, revision.rev_id)
        named = told.model_name, told.model_version
        if named not in self._numbers:
            self._numbers[named] = NamedModel(*named).number
        scored_dt = int(received.timestamp() * 1000) if received else 0
        self.scores[key].append(Score(self._numbers[named], event.score, scored_dt))
        if revision.rev_dt.timestamp() >= self._horizon:
            self.places[key] = event.page.page_id, revision.rev_dt

    def _take_tags(self, value: bytes) -> None:
        self._take_later(decode_tags_change(value))

    def _take_visibility(self, value: bytes) -> None:
        self._take_later(decode_visibility_change(value))

    def _take_later(self, event: TagsChange | VisibilityChange) -> None:
        self._add(key_of(event.database, event.rev_id), event, event.rev_timestamp)

    def _take_verdict(self, value: bytes) -> None:
        event = decode_verdict(value)
        if event.page_id is not None and event.rev_dt is not None:
            self._add(key_of(event.wiki_id, event.rev_id), event, event.rev_dt)

    def _add(self, key: Key, event: Event, edited: datetime) -> None:
        if edited.timestamp() >= self._horizon:
            self.events.append((key, event))


_TAKEN: dict[str, Callable[[Told, bytes], None]] = {
    names.PAGE_CHANGE: Told._take_page_change,
    names.TAGS_CHANGE: Told._take_tags,
    names.VISIBILITY_CHANGE: Told._take_visibility,
    names.VERDICT: Told._take_verdict,
}

_FUNCTIONS: dict[type, Callable[[Edit, Any], Edit]] = {
    PageChange: with_page_change,
    TagsChange: with_tags,
    VerdictEvent: with_verdict,
    VisibilityChange: with_visibility,
}


def with_event(edit: Edit, event: Event) -> Edit:
    """Return the edit with what an event tells of it."""
    return _FUNCTIONS[type(event)](edit, event)
