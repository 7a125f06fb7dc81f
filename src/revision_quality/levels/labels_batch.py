"""The edits that a batch of events touches, with those beside them, read and written once."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeGuard

from msgspec.structs import astuple
from sqlalchemy import Connection

from revision_quality.levels.edit import Edit, Page, after_deletion, placed
from revision_quality.levels.labelling import in_order, labelled, labelled_alone
from revision_quality.levels.page_ends import read_ends
from revision_quality.levels.page_rows import (
    AFTER,
    BEFORE,
    read_around,
    read_edits,
    read_pages,
)
from revision_quality.levels.scores import (
    EditScores,
    latest,
    note_models,
    read_scores,
    write_scores,
)
from revision_quality.levels.tally import Tally, add_counts
from revision_quality.levels.told import Told, with_event
from revision_quality.views import bulk
from revision_quality.views.bulk_update import update
from revision_quality.views.changes import mark_fates
from revision_quality.views.deletions import known_deletions, remember_deletions
from revision_quality.views.edit_fate import EditFate
from revision_quality.views.incoming import Key
from revision_quality.views.tables import edit_labels


class LabelsBatch:
    """Brings what is told into the tables; `wait` is the waiting time of a label in seconds."""

    def __init__(self, connection: Connection, told: Told, wait: int) -> None:
        self._connection = connection
        self._told = told
        self._wait = wait
        self._old: dict[Key, Edit] = {}
        self._new: dict[Key, Edit | None] = {}

    def write(self) -> tuple[int, int]:
        """Write what changes; return how many edits, and how many changes' rows."""
        note_models(self._connection, self._told.models)
        self._bring_in()
        self._delete_pages()
        self._label_again()
        changed = self._changed()
        self._write_scores_and_counts(changed)
        self._write_edits(changed)
        return len(changed), mark_fates(self._connection, self._changed_fates(changed))

    def _bring_in(self) -> None:
        events, places = self._told.events, self._told.places
        # Not a set: in the order of the events, which is nearly that of the keys, they sort fast.
        keys = dict.fromkeys(key for key, _ in events) | dict.fromkeys(places)
        self._old = read_edits(self._connection, keys)
        self._new = dict(self._old)
        for key, event in events:
            self._new[key] = with_event(self._new.get(key) or Edit(*key), event)
        for key, place in places.items():
            edit = self._new.get(key)
            if edit is None or not edit.is_known:
                self._new[key] = placed(edit or Edit(*key), *place)

    def _label_again(self) -> None:
        """Label the edits of pages that changed; of one that lost some, all that are left."""
        changed = set(self._changed())
        cut = {
            old.page
            for key in changed
            if _is_known(old := self._old.get(key)) and not _is_known(self._new[key])
        }
        pages = _by_page(
            edit for key, edit in self._new.items() if edit and (key in changed or edit.page in cut)
        )
        grown = {page: edits for page, edits in pages.items() if page not in cut}
        ends = read_ends(self._connection, grown, self._old.keys())
        for page, edits in ends.items():
            if len(new := pages[page]) == 1:
                self._new[new[0].key] = labelled_alone(new[0])
            else:
                self._take(labelled(edits, self._wait)[-len(new) :])
        self._label_near({page: edits for page, edits in pages.items() if page not in ends})

    def _label_near(self, pages: Mapping[Page, Sequence[Edit]]) -> None:
        """Label the edits of pages near those that change."""
        near = read_around(self._connection, pages)
        self._old = {**near, **self._old}
        here = ((key, self._new.get(key, edit)) for key, edit in near.items())
        there = {key: edit for key, edit in here if edit}
        there |= {edit.key: edit for edits in pages.values() for edit in edits}
        for page, edits in _by_page(there.values()).items():
            if page in pages:
                found = _labelled_near(edits, pages[page], self._wait)
                self._take(edit for edit in found if edit is not there[edit.key])

    def _take(self, edits: Iterable[Edit]) -> None:
        for edit in edits:
            self._new[edit.key] = edit

    def _delete_pages(self) -> None:
        remember_deletions(self._connection, self._told.deletions)
        of_pages = read_pages(self._connection, self._told.deletions)
        self._old |= of_pages
        self._new = {**of_pages, **self._new}
        deleted = known_deletions(
            self._connection, {edit.page for edit in self._new.values() if edit}
        )
        for key, edit in self._new.items() if deleted else ():
            if edit and edit.page in deleted and edit.timestamp <= deleted[edit.page]:
                self._new[key] = after_deletion(edit)

    def _changed(self) -> list[Key]:
        old = self._old
        return [
            key
            for key, edit in self._new.items()
            # Of most that were there nothing changes, and they are the same objects.
            if edit is not (before := old.get(key)) and edit != before
        ]

    def _write_scores_and_counts(self, changed: Sequence[Key]) -> None:
        scores = self._told.scores
        keys = dict.fromkeys(changed) | {key: None for key in scores if key in self._new}
        stored = read_scores(self._connection, [key for key in keys if key in self._old])
        tally, found = Tally(), dict[Key, EditScores]()
        for key in sorted(keys):
            old, new = self._old.get(key), self._new[key]
            before, told = stored.get(key, {}), scores.get(key, ())
            after = latest(before, told) if new and not new.text_hidden else {}
            if after != before:
                found[key] = after
            tally.replace(old, before, new, after)
        write_scores(self._connection, found, stored)
        add_counts(self._connection, tally)

    def _write_edits(self, changed: Sequence[Key]) -> None:
        added, there, before = list[bulk.Values](), list[bulk.Values](), list[bulk.Values]()
        for key in sorted(changed):
            if (edit := self._new[key]) is None:
                continue
            if old := self._old.get(key):
                there.append(astuple(edit))
                before.append(astuple(old))
            else:
                added.append(astuple(edit))
        bulk.add(self._connection, edit_labels, added)
        update(self._connection, edit_labels, there, before)
        gone = (key for key in changed if not self._new[key])
        bulk.delete_keys(self._connection, edit_labels, gone)

    def _changed_fates(self, changed: Iterable[Key]) -> dict[Key, EditFate]:
        return {
            key: EditFate(*_undone(edit))
            for key in changed
            if (edit := self._new[key]) and _undone(edit) != _undone(self._old.get(key))
        }


def _is_known(edit: Edit | None) -> TypeGuard[Edit]:
    return edit is not None and edit.is_known


def _undone(edit: Edit | None) -> tuple[int, int]:
    return (edit.undone_by, edit.undone_dt) if edit else (0, 0)


def _by_page(edits: Iterable[Edit]) -> dict[Page, list[Edit]]:
    """Put edits together by their page, in the order of their revisions."""
    pages: defaultdict[Page, list[Edit]] = defaultdict(list)
    for edit in edits:
        pages[edit.page].append(edit)
    return {page: in_order(of_page) for page, of_page in pages.items()}


def _labelled_near(edits: Sequence[Edit], changed: Sequence[Edit], wait: int) -> list[Edit]:
    """Label edits of a page, as far as they are near enough to those that change; in order both."""
    order = [edit.rev_id for edit in edits]
    first = max(0, bisect_left(order, changed[0].rev_id) - BEFORE)
    last = min(len(order), bisect_right(order, changed[-1].rev_id) + AFTER) - 1
    return [edit for edit in labelled(edits, wait) if order[first] <= edit.rev_id <= order[last]]
