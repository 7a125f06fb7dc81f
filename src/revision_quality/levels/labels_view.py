"""The labels view: what became of every edit, and the counts by which levels are chosen.

It is made of the streams of edits, tags, hidings and verdicts and of the scores of all models, and
stands beside the changes view in one database, whose rows it tells what was reverted. Edits are
counted from the first on: those whose waiting time is not over are told apart by their day, when
the counts are read.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from msgspec.structs import astuple
from sqlalchemy import Connection, select

from revision_quality.bell import Bell
from revision_quality.events import streams as names
from revision_quality.events.page_change import PageChange, PageChangeKind, decode_page_change
from revision_quality.events.prediction import PredictionChange, decode_prediction
from revision_quality.events.revision_change import (
    TagsChange,
    VisibilityChange,
    decode_tags_change,
    decode_visibility_change,
)
from revision_quality.events.verdict import VerdictEvent, decode_verdict
from revision_quality.levels.edit import (
    WAIT_SECONDS,
    Edit,
    labelled,
    with_page_change,
    with_prediction,
    with_tags,
    with_verdict,
    with_visibility,
)
from revision_quality.levels.page_ends import read_ends
from revision_quality.levels.page_rows import (
    MARGIN,
    Page,
    by_page,
    read_around,
    read_edits,
    read_near,
    read_pages,
)
from revision_quality.levels.scores import (
    EditScores,
    NamedModel,
    Score,
    latest,
    note_models,
    read_scores,
    write_scores,
)
from revision_quality.levels.tally import Tally, add_counts
from revision_quality.streams.base import Record
from revision_quality.views import bulk
from revision_quality.views.bulk import delete_keys
from revision_quality.views.changes import mark_fates
from revision_quality.views.database import Database
from revision_quality.views.deletions import known_deletions, remember_deletions
from revision_quality.views.edit_fate import EditFate
from revision_quality.views.incoming import Key, key_of, without_nul
from revision_quality.views.progress import place_in, position_of, set_positions, take_turn
from revision_quality.views.readable import take_each
from revision_quality.views.tables import edit_labels, edit_scores

STREAMS = (names.PAGE_CHANGE, names.TAGS_CHANGE, names.VISIBILITY_CHANGE, names.VERDICT)
"""What the view is made of, beside the streams of scores."""

VIEW = "labels"

_HORIZON = "labels horizon"
"""The number of `progress` that says, in Unix seconds, since when edits are kept singly."""

Event = PageChange | PredictionChange | TagsChange | VisibilityChange | VerdictEvent


class LabelsView:
    """Keeps labels and counts in step with the streams.

    `wait` is the waiting time of a label in seconds. `bell` rings when rows of the changes view
    have changed. Raises StoreError where the database fails.
    """

    def __init__(self, database: Database, bell: Bell, *, wait: int = WAIT_SECONDS) -> None:
        self._database = database
        self._bell = bell
        self._wait = wait

    async def position(self, stream: str, partition: int = 0) -> int:
        """Return the offset up to which a partition of `stream` is in the view."""
        name = place_in(VIEW, stream, partition)
        return await self._database.read(lambda connection: position_of(connection, name))

    async def apply(self, records: Sequence[Record]) -> int:
        """Bring events into the view, with their positions. Returns the edits changed."""
        if not records:
            return 0
        changed, marked = await self._database.write(
            lambda connection: _apply(connection, records, self._wait)
        )
        if marked:
            self._bell.ring()
        return changed

    async def purge(self, before: int, limit: int = 1000) -> int:
        """Forget up to `limit` edits older than `before`, Unix seconds; they stay counted.

        Events of forgotten edits change nothing any more. Returns how many were forgotten.
        """
        return await self._database.write(lambda connection: _purge(connection, before, limit))


def _apply(connection: Connection, records: Sequence[Record], wait: int) -> tuple[int, int]:
    take_turn(connection)
    batch = _Batch(connection, wait)
    take_each(records, batch.add, "the labels view")
    changed = batch.write()
    positions = {place_in(VIEW, each.stream, each.partition): each.offset for each in records}
    set_positions(connection, positions)
    return changed


class _Batch:
    """The edits that a batch of events touches, with those beside them, read and written once."""

    def __init__(self, connection: Connection, wait: int) -> None:
        self._connection = connection
        self._wait = wait
        self._horizon = position_of(connection, _HORIZON)
        self._events: list[tuple[Key, Event]] = []
        self._deletions: dict[Page, int] = {}
        self._scores: defaultdict[Key, list[Score]] = defaultdict(list)
        self._models: dict[tuple[str, str], NamedModel] = {}
        self._old: dict[Key, Edit] = {}
        self._new: dict[Key, Edit | None] = {}

    def add(self, record: Record) -> None:
        """Read one event. Raises InvalidEventError."""
        event = _DECODERS.get(record.stream, decode_prediction)(without_nul(record.value))
        _TAKEN[type(event)](self, event)

    def take_told(self, event: TagsChange | VisibilityChange) -> None:
        """Take what is told of an edit later."""
        self._add(key_of(event.database, event.rev_id), event, event.rev_timestamp)

    def take_verdict(self, event: VerdictEvent) -> None:
        """Take what a patroller says, if it tells the edit's place."""
        if event.page_id is not None and event.rev_dt is not None:
            self._add(key_of(event.wiki_id, event.rev_id), event, event.rev_dt)

    def take_prediction(self, event: PredictionChange) -> None:
        """Take a score."""
        key = key_of(event.wiki_id, event.revision.rev_id)
        self._add_score(key, event)
        self._add(key, event, event.revision.rev_dt)

    def take_page_change(self, event: PageChange) -> None:
        """Take an edit, or what else happened to a page."""
        key = key_of(event.wiki_id, event.revision.rev_id)
        if event.is_canary or event.page_change_kind is PageChangeKind.UNDELETE:
            return
        if event.page_change_kind is PageChangeKind.DELETE:
            page, deleted_dt = (event.wiki_id, event.page.page_id), int(event.dt.timestamp())
            self._deletions[page] = max(deleted_dt, self._deletions.get(page, 0))
        else:
            self._add(key, event, event.revision.rev_dt)

    def _add(self, key: Key, event: Event, edited: datetime) -> None:
        if edited.timestamp() >= self._horizon:
            self._events.append((key, event))

    def _add_score(self, key: Key, event: PredictionChange) -> None:
        told = event.predicted_classification
        named = told.model_name, told.model_version
        model = self._models.get(named) or self._models.setdefault(named, NamedModel(*named))
        scored_dt = int(event.meta.dt.timestamp() * 1000) if event.meta.dt else 0
        self._scores[key].append(Score(model.number, event.score, scored_dt))

    def write(self) -> tuple[int, int]:
        """Write what the events change; return how many edits, and how many changes' rows."""
        note_models(self._connection, self._models.values())
        self._bring_in()
        self._label_again()
        self._delete_pages()
        changed = {key for key, edit in self._new.items() if edit != self._old.get(key)}
        self._save_scores_and_counts(changed)
        edits = [edit for key in sorted(changed) if (edit := self._new[key])]
        bulk.write(self._connection, edit_labels, list(map(astuple, edits)))
        delete_keys(self._connection, edit_labels, (key for key in changed if not self._new[key]))
        return len(changed), mark_fates(self._connection, self._changed_fates(changed))

    def _bring_in(self) -> None:
        self._old = read_edits(self._connection, {key for key, _ in self._events})
        self._new = dict(self._old)
        for key, event in self._events:
            edit = self._new.get(key) or Edit(wiki_id=key[0], rev_id=key[1])
            self._new[key] = _FUNCTIONS[type(event)](edit, event)

    def _label_again(self) -> None:
        """Label the edits of every page of which one has changed."""
        pages = by_page(
            edit for key, edit in self._new.items() if edit and edit != self._old.get(key)
        )
        changed = {page: [edit.rev_id for edit in edits] for page, edits in pages.items()}
        around = read_around(self._connection, changed)
        ends = read_ends(self._connection, pages, around, self._old)
        for page, edits in ends.items():
            new = labelled(edits, self._wait)[-len(pages[page]) :]
            self._new |= {(edit.wiki_id, edit.rev_id): edit for edit in new}
        rest = pages.keys() - ends
        near = read_near(self._connection, {page: around[page] for page in rest if page in around})
        self._old |= near
        self._new = {**near, **self._new}
        for page, edits in by_page(filter(None, self._new.values()), rest).items():
            for edit in _labelled_near(edits, changed[page], self._wait):
                self._new[edit.wiki_id, edit.rev_id] = edit

    def _delete_pages(self) -> None:
        remember_deletions(self._connection, self._deletions)
        of_pages = read_pages(self._connection, self._deletions)
        self._old |= of_pages
        self._new = {**of_pages, **self._new}
        pages = {(edit.wiki_id, edit.page_id) for edit in self._new.values() if edit}
        deleted = known_deletions(self._connection, pages)
        for key, edit in self._new.items():
            if edit and edit.timestamp <= deleted.get((edit.wiki_id, edit.page_id), -1):
                self._new[key] = None

    def _save_scores_and_counts(self, changed: set[Key]) -> None:
        keys = changed | {key for key in self._scores if key in self._new}
        stored = read_scores(self._connection, keys & self._old.keys())
        tally, left = Tally(), dict[Key, EditScores]()
        for key in keys:
            old, new = self._old.get(key), self._new[key]
            before = stored.get(key, {})
            after = latest(before, self._scores.get(key, ())) if _is_scorable(new) else {}
            if after != before:
                left[key] = after
            tally.replace(old, before, new, after)
        write_scores(self._connection, left)
        add_counts(self._connection, tally)

    def _changed_fates(self, changed: Iterable[Key]) -> dict[Key, EditFate]:
        return {
            key: _fate(edit)
            for key in changed
            if (edit := self._new[key]) and _fate(edit) != _fate(self._old.get(key))
        }


def _labelled_near(edits: Sequence[Edit], rev_ids: Sequence[int], wait: int) -> Iterable[Edit]:
    """Label edits of a page, as far as they are near enough to `rev_ids` to have changed."""
    order = [edit.rev_id for edit in edits]
    first = order[max(0, bisect_left(order, min(rev_ids)) - MARGIN // 2)]
    last = order[min(len(order), bisect_right(order, max(rev_ids)) + MARGIN // 2) - 1]
    return (edit for edit in labelled(edits, wait) if first <= edit.rev_id <= last)


def _is_scorable(edit: Edit | None) -> bool:
    return edit is not None and not edit.text_hidden


def _fate(edit: Edit | None) -> EditFate:
    return EditFate(edit.undone_by, edit.undone_dt) if edit else EditFate()


_DECODERS: dict[str, Any] = {
    names.PAGE_CHANGE: decode_page_change,
    names.TAGS_CHANGE: decode_tags_change,
    names.VISIBILITY_CHANGE: decode_visibility_change,
    names.VERDICT: decode_verdict,
}

_TAKEN: dict[type, Callable[[_Batch, Any], None]] = {
    PageChange: _Batch.take_page_change,
    PredictionChange: _Batch.take_prediction,
    TagsChange: _Batch.take_told,
    VerdictEvent: _Batch.take_verdict,
    VisibilityChange: _Batch.take_told,
}

_FUNCTIONS: dict[type, Any] = {
    PageChange: with_page_change,
    PredictionChange: with_prediction,
    TagsChange: with_tags,
    VerdictEvent: with_verdict,
    VisibilityChange: with_visibility,
}


def _purge(connection: Connection, before: int, limit: int) -> int:
    take_turn(connection)
    set_positions(connection, {_HORIZON: before})
    columns = edit_labels.c
    oldest = (
        select(columns.wiki_id, columns.rev_id)
        .where(columns.timestamp < before)
        .order_by(columns.timestamp)
        .limit(limit)
    )
    keys = [(wiki_id, rev_id) for wiki_id, rev_id in connection.execute(oldest)]
    delete_keys(connection, edit_labels, keys)
    delete_keys(connection, edit_scores, keys)
    return len(keys)
