"""The changes view: every edit with its state and score, in one SQL table."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from operator import itemgetter
from typing import Any, NamedTuple, TypeVar

import msgspec
from msgspec.structs import astuple, replace
from sqlalchemy import Connection, RowMapping, Select, insert, select

from revision_quality.bell import Bell
from revision_quality.errors import StoreError
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
from revision_quality.scoring.model_rule import ModelKey, other_than
from revision_quality.streams.base import Record
from revision_quality.views import bulk, change_tags, change_writes, model_scores, verdicts
from revision_quality.views import row as rows
from revision_quality.views.ahead import ahead
from revision_quality.views.bulk_update import update
from revision_quality.views.change import Change, State
from revision_quality.views.change_rows import (
    FIELDS,
    NO_TAGS,
    STATES,
    USER_LEVELS,
    change_of,
    tags_of,
)
from revision_quality.views.database import Database
from revision_quality.views.deletions import known_deletions, remember_deletions
from revision_quality.views.edit_fate import EditFate, read_fates
from revision_quality.views.facets import EVERY_WIKI, facets_of
from revision_quality.views.incoming import Key, key_of, without_nul
from revision_quality.views.progress import place_of, position_of, set_positions, take_turn
from revision_quality.views.readable import take_each
from revision_quality.views.row import Row
from revision_quality.views.schema import bring_up_to_date
from revision_quality.views.shown_model import Coverage, add_shown, coverage, in_order, shown
from revision_quality.views.tables import (
    change_counts,
    change_facets,
    changes,
)
from revision_quality.views.user_key import user_key_of

STREAMS = (
    names.PAGE_CHANGE,
    names.PREDICTION,
    names.PREDICTION_ERROR,
    names.TAGS_CHANGE,
    names.VISIBILITY_CHANGE,
    names.VERDICT,
)
"""What the view is made of."""

_SHOWN_AT_ONCE = 5000
_ROWS_IN_A_PART = 1000
"""Rows that are made while the server writes as many."""
_POLL_SECONDS = 0.5
"""How soon a write by another process is seen; one in this process is seen at once."""

_COLUMNS = Row.__struct_fields__
_SEQ, _TAGS, _STATE, _USER_LEVEL, _DELETED = map(
    _COLUMNS.index, ("seq", "tags", "state", "user_level", "deleted")
)
_SEQ_OF = itemgetter(_SEQ)
_KEY, _FACTS = slice(_SEQ), slice(_SEQ + 1, None)
_PAGE = itemgetter(0, _COLUMNS.index("page_id"))
_FACETS = changes.c.keys().index("facets")
CountKey = tuple[str, str]
Replaced = tuple[bulk.Values | None, Row]
"""A row, and the values in whose place it comes."""
T = TypeVar("T")


class ChangesView:
    """Keeps `changes` in step with the streams, and reads it.

    The events of a batch and the position behind them become visible in one transaction. Any
    number of processes writes and reads a database: the writers take turns, and events that two of
    them bring change nothing the second time.

    Of several `models`, those of the settings in their order, one is shown: the first, until
    another one is promoted. What the others make of edits is kept beside, in the same transactions.
    """

    def __init__(self, database: Database, models: Sequence[ModelKey] = ()) -> None:
        self._database = database
        self._models = tuple(models)
        self.bell = Bell()
        """Rings after each write to a row by this process."""
        try:
            database.write_now(bring_up_to_date)
        except StoreError:
            database.close_now()
            raise

    @property
    def database(self) -> Database:
        """Where its tables are, and those of the views beside it; it closes with the view."""
        return self._database

    async def position(self, stream: str, partition: int = 0) -> int:
        """Return the offset up to which a partition of `stream` is in the view."""
        name = place_of(stream, partition)
        return await self._database.read(lambda connection: position_of(connection, name))

    async def apply(self, records: Sequence[Record]) -> int:
        """Bring events into the view, with their streams' positions. Returns the rows changed."""
        if not records:
            return 0
        changed = await self._database.write(
            lambda connection: _apply(connection, records, self._models)
        )
        if changed:
            self.bell.ring()
        return changed

    async def promote(self, model: ModelKey, now: int, least: float) -> Coverage:
        """Show another model's scores, all at once, if it has enough of the recent changes.

        Returns its coverage; below `least` nothing is changed. What was shown is kept beside, so
        that it can be shown again. `now` is in Unix milliseconds.
        """
        found = await self._database.write(
            lambda connection: _promote(connection, model, now, least)
        )
        self.bell.ring()
        return found

    async def purge(self, before: int, limit: int = 1000) -> int:
        """Delete up to `limit` rows of edits older than `before`, Unix seconds; return how many."""
        return await self._database.write(lambda connection: _purge(connection, before, limit))

    async def rows(self, statement: Select[Any]) -> list[Change]:
        """Read the rows that a statement on the table `changes` selects."""
        return await self._database.read(
            lambda connection: list(map(_change, connection.execute(statement).mappings()))
        )

    async def read(self, function: Callable[[Connection], T]) -> T:
        """Run `function` on a connection that only reads."""
        return await self._database.read(function)

    async def write(self, function: Callable[[Connection], T]) -> T:
        """Run `function` in a transaction of its own."""
        return await self._database.write(function)

    async def since(self, seq: int, limit: int) -> list[Change]:
        """Read up to `limit` rows written after `seq`, in that order, deleted ones too.

        Of the last `change_writes.KEPT` writes and no older ones.
        """
        found = await self._database.read(
            lambda connection: change_writes.written_since(connection, seq, limit, FIELDS)
        )
        return list(map(change_of, found))

    async def last_seq(self) -> int:
        """Return the number of the last write."""
        return await self._database.read(lambda connection: position_of(connection, "seq"))

    async def wait(self, seq: int, timeout: float) -> int:  # noqa: ASYNC109
        """Return the number of the last write as soon as it is above `seq`, or after `timeout`."""
        try:
            async with asyncio.timeout(timeout):
                while True:
                    rings = self.bell.rings
                    last = await self.last_seq()
                    if last > seq:
                        return last
                    await self.bell.wait(rings, _POLL_SECONDS)
        except TimeoutError:
            return await self.last_seq()

    async def counts(self) -> dict[tuple[str, str], int]:
        """Count the rows by (wiki_id, state)."""
        return await self._database.read(
            lambda connection: {
                (wiki_id, state): number
                for wiki_id, state, number in connection.execute(select(change_counts))
                if number
            }
        )

    async def close(self) -> None:
        """Finish what is under way and close the database."""
        await self._database.close()


def _apply(connection: Connection, records: Sequence[Record], models: Sequence[ModelKey]) -> int:
    take_turn(connection)
    batch = _Batch(connection, _is_other(connection, models))
    take_each(records, batch.add, "the changes view")
    changed = batch.write()
    set_positions(
        connection, {place_of(each.stream, each.partition): each.offset for each in records}
    )
    return changed


def _is_other(connection: Connection, models: Sequence[ModelKey]) -> Callable[[str, str], bool]:
    """Return what tells that an outcome is of a model that is not shown now."""
    if len(models) < 2:
        return _nobody
    first, *others = in_order(models, shown(connection))
    return other_than(first, others)


def _nobody(name: str, version: str) -> bool:
    return False


def _promote(connection: Connection, model: ModelKey, now: int, least: float) -> Coverage:
    take_turn(connection)
    found = coverage(connection, model)
    if found.share < least:
        return found
    after: Key = ("", 0)
    while some := model_scores.page(connection, model, after, _SHOWN_AT_ONCE):
        after = some[-1].edit
        _Batch(connection, _nobody).show(model, some)
    add_shown(connection, model, now, found.share)
    return found


class _Batch:
    """The rows that a batch of events touches, read once and written once."""

    def __init__(self, connection: Connection, is_other: Callable[[str, str], bool]) -> None:
        self._connection = connection
        self._is_other = is_other
        self._others: list[model_scores.ModelScore] = []
        self._events: dict[Key, list[Any]] = defaultdict(list)
        self._pages: set[Key] = set()
        self._deletions: dict[Key, int] = {}
        self._verdicts: list[verdicts.GivenVerdict] = []
        self._gone: set[Key] = set()
        self._withheld: set[Key] = set()

    def add(self, record: Record) -> None:
        """Read one event. Raises InvalidEventError."""
        event = _DECODERS.get(record.stream, decode_prediction)(without_nul(record.value))
        _TAKEN[type(event)](self, event)

    def take_verdict(self, event: VerdictEvent) -> None:
        """Take what a patroller says."""
        key_of(event.wiki_id, event.rev_id)
        self._verdicts.append(verdicts.given(event))

    def take_told(self, event: TagsChange | VisibilityChange) -> None:
        """Take what is told of an edit later."""
        self._events[key_of(event.database, event.rev_id)].append(event)
        self._pages.add((event.database, event.page_id))

    def take_outcome(self, event: PredictionChange | PredictionError) -> None:
        """Take what a model made of an edit."""
        key = key_of(event.wiki_id, event.revision.rev_id)
        if self._is_other(*_model(event)):
            self._others.append(model_scores.of_event(event))
        else:
            self._events[key].append(event)
            self._pages.add((event.wiki_id, event.page.page_id))

    def take_page_change(self, event: PageChange) -> None:
        """Take an edit, or what else happened to a page."""
        key = key_of(event.wiki_id, event.revision.rev_id)
        if event.is_canary or event.page_change_kind is PageChangeKind.UNDELETE:
            return
        page = (event.wiki_id, event.page.page_id)
        if event.page_change_kind is PageChangeKind.DELETE:
            deleted_dt = int(event.dt.timestamp())
            self._deletions[page] = max(deleted_dt, self._deletions.get(page, 0))
            return
        self._events[key].append(event)
        self._pages.add(page)

    def write(self) -> int:
        """Write the rows that the events change; return how many."""
        connection = self._connection
        judged = {(one.wiki_id, one.rev_id) for one in self._verdicts}
        told = {one.edit for one in self._others}
        old = _stored(connection, judged | told | self._events.keys()) | self._of_deleted_pages()
        added = self._events.keys() - old.keys()
        remember_deletions(connection, self._deletions)
        known = _Known(
            read_fates(connection, added),
            # One may come before its edit.
            verdicts.take(connection, self._verdicts, added),
            known_deletions(connection, self._pages | set(map(_PAGE, old.values()))),
        )
        written = _save(connection, self._rows(old, known), len(old.keys() | self._events))
        verdicts.forget(connection, self._gone)
        self._keep_beside(self._gone | self._withheld)
        return written

    def _rows(self, old: Mapping[Key, bulk.Values], known: "_Known") -> Iterator[Replaced]:
        for key in {**self._events, **old}:
            before = old.get(key)
            row = _row(before) if before else Row(*key, seq=0)
            for event in self._events.get(key, ()):
                row = _FUNCTIONS[type(event)](row, event)
            row = known.bring_into(row, key)
            if row.deleted:
                self._gone.add(key)
            elif row.score_withheld:
                self._withheld.add(key)
            yield before, row

    def _keep_beside(self, hidden: set[Key]) -> None:
        """Keep what other models say, of nothing that is deleted or was hidden."""
        model_scores.forget(self._connection, hidden)
        others = [one for one in self._others if one.edit not in hidden]
        model_scores.take(self._connection, others)

    def show(self, model: ModelKey, scores: Sequence[model_scores.ModelScore]) -> None:
        """Put a model's outcomes into the rows, and what these had beside.

        A row whose score the model has not keeps the one that it has.
        """
        stored = _stored(self._connection, [one.edit for one in scores])
        old = {key: _row(values) for key, values in stored.items()}
        new: dict[Key, Row] = {}
        for one in scores:
            row = old.get(one.edit)
            if row is None or row.deleted or row.score_withheld:
                continue
            if row.state is State.SCORED and one.score is None:
                continue
            new[one.edit] = rows.with_model_score(row, one)
        replaced = [
            model_scores.of_change(old[key], old[key].scored_dt)
            for key in new
            if old[key].model_name is not None
        ]
        model_scores.remove(self._connection, model, new)
        model_scores.write(self._connection, replaced)
        _save(self._connection, ((stored[key], row) for key, row in new.items()), len(new))

    def _of_deleted_pages(self) -> dict[Key, bulk.Values]:
        pair = ("wiki_id", "page_id")
        found = bulk.read(self._connection, changes, self._deletions, by=pair)
        return {values[_KEY]: values for values in found}


class _Known(NamedTuple):
    """What else the database knows of the edits of a batch, and of its pages."""

    fates: Mapping[Key, EditFate]
    tallies: Mapping[Key, verdicts.Tally]
    deletions: Mapping[Key, int]

    def bring_into(self, row: Row, key: Key) -> Row:
        """Return the row with it; the row of a deleted page has nothing else."""
        deleted_dt = self.deletions.get((key[0], row.page_id))
        if deleted_dt is not None and row.timestamp and row.timestamp <= deleted_dt:
            return rows.with_deletion(row)
        if (fate := self.fates.get(key)) is not None:
            row = rows.with_fate(row, fate)
        if (tally := self.tallies.get(key)) is not None and not row.deleted:
            row = replace(row, verdicts=tally.number, verdict=tally.latest)
        return row


def mark_fates(connection: Connection, fates: Mapping[Key, EditFate]) -> int:
    """Bring what became of edits into the rows that are there; return how many change.

    Part of a write whose turn it is.
    """
    old = _stored(connection, fates)
    return _save(
        connection,
        ((values, rows.with_fate(_row(values), fates[key])) for key, values in old.items()),
        len(old),
    )


def _stored(connection: Connection, keys: Iterable[Key]) -> dict[Key, bulk.Values]:
    return {values[_KEY]: values for values in bulk.read(connection, changes, set(keys))}


def _save(connection: Connection, new: Iterable[Replaced], number: int) -> int:
    """Write those of a number of rows that differ from what was there; return how many."""
    first = position_of(connection, "seq") + 1
    written: list[bulk.Values] = []
    replaced: list[bulk.Values] = []
    parts = _parts(new, first)
    for part in ahead(parts) if number > _ROWS_IN_A_PART else parts:
        bulk.add(connection, changes, part.added)
        update(connection, changes, part.changed, part.replaced)
        written += part.added + part.changed
        replaced += part.replaced
    if written:
        note_facets(connection, written)
        _keep_tags_in_step(connection, written, replaced)
        counts = Counter(map(_counted, written))
        counts.subtract(map(_counted, replaced))
        _add_counts(connection, counts)
        last = first + len(written) - 1
        change_writes.note(
            connection, [values[_KEY] for values in sorted(written, key=_SEQ_OF)], last
        )
        set_positions(connection, {"seq": last})
    return len(written)


class _Part(NamedTuple):
    """Some of the rows to write, those that were there beside what was there."""

    added: list[bulk.Values]
    changed: list[bulk.Values]
    replaced: list[bulk.Values]


def _parts(new: Iterable[Replaced], seq: int) -> Iterator[_Part]:
    rest = iter(new)
    while some := list(islice(rest, _ROWS_IN_A_PART)):
        part = _Part([], [], [])
        for before, row in some:
            values = values_of(row, seq)
            if before is None:
                part.added.append(values)
            elif values[_FACTS] != before[_FACTS]:
                part.changed.append(values)
                part.replaced.append(before)
            else:
                continue
            seq += 1
        yield part


def _keep_tags_in_step(
    connection: Connection, written: Iterable[bulk.Values], replaced: Iterable[bulk.Values]
) -> None:
    tagged = {values[_KEY]: _row(values) for values in replaced if values[_TAGS] != NO_TAGS}
    now = [_row(values) for values in written if values[_TAGS] != NO_TAGS or values[_KEY] in tagged]
    change_tags.keep_in_step(connection, now, tagged)


_DECODERS: dict[str, Any] = {
    names.PAGE_CHANGE: decode_page_change,
    names.PREDICTION: decode_prediction,
    names.PREDICTION_ERROR: decode_prediction_error,
    names.TAGS_CHANGE: decode_tags_change,
    names.VISIBILITY_CHANGE: decode_visibility_change,
    names.VERDICT: decode_verdict,
}
_TAKEN: dict[type, Callable[[_Batch, Any], None]] = {
    PageChange: _Batch.take_page_change,
    PredictionChange: _Batch.take_outcome,
    PredictionError: _Batch.take_outcome,
    TagsChange: _Batch.take_told,
    VisibilityChange: _Batch.take_told,
    VerdictEvent: _Batch.take_verdict,
}


def _page_change(row: Row, event: PageChange) -> Row:
    if event.page_change_kind is PageChangeKind.VISIBILITY_CHANGE:
        return rows.with_page_visibility_change(row, event)
    return rows.with_edit(row, event)


_FUNCTIONS: dict[type, Any] = {
    PageChange: _page_change,
    PredictionChange: rows.with_prediction,
    PredictionError: rows.with_error,
    TagsChange: rows.with_tags,
    VisibilityChange: rows.with_visibility_change,
}


def _purge(connection: Connection, before: int, limit: int) -> int:
    take_turn(connection)
    columns = changes.c
    oldest = (
        select(
            *(columns.wiki_id, columns.rev_id, columns.state, columns.deleted),
            *(columns.timestamp, columns.tags),
        )
        .where(columns.timestamp < before)
        .order_by(columns.timestamp)
        .limit(limit)
    )
    purged = connection.execute(oldest).all()
    keys = [(row.wiki_id, row.rev_id) for row in purged]
    bulk.delete_keys(connection, changes, keys)
    entries = [change_tags.entries_of(row, tags_of(row.tags)) for row in purged]
    change_tags.remove(connection, set().union(*entries))
    verdicts.forget(connection, keys)
    model_scores.purge(connection, before)
    verdicts.purge(connection, before)
    gone = Counter((row.wiki_id, row.state) for row in purged if not row.deleted)
    _add_counts(connection, Counter({key: -number for key, number in gone.items()}))
    return len(purged)


def note_facets(connection: Connection, values: Iterable[bulk.Values]) -> None:
    """Note facets that no row had before."""
    pairs = {(row[0], row[_FACETS]) for row in values if row[_FACETS] is not None}
    pairs |= {(EVERY_WIKI, facets) for _, facets in pairs}
    pairs -= set(bulk.read(connection, change_facets, pairs))
    added = [{"wiki_id": wiki_id, "facets": facets} for wiki_id, facets in sorted(pairs)]
    if added:
        connection.execute(insert(change_facets), added)


def _counted(values: bulk.Values) -> CountKey | None:
    return None if values[_DELETED] else (values[0], values[_STATE])


def _add_counts(connection: Connection, counts: Counter[CountKey | None]) -> None:
    values = [
        {"wiki_id": key[0], "state": key[1], "number": number}
        for key, number in counts.items()
        if key is not None and number
    ]
    if values:
        connection.execute(bulk.upsert(connection, change_counts, "number", bulk.total), values)


def _model(event: PredictionChange | PredictionError) -> ModelKey:
    told = event.predicted_classification if isinstance(event, PredictionChange) else event.error
    return told.model_name, told.model_version


def values_of(row: Row, seq: int) -> bulk.Values:
    """Return the values of a row as the table has its columns, with the number of its write."""
    values = list(astuple(row))
    values[_SEQ] = seq
    values[_TAGS] = msgspec.json.encode(row.tags).decode() if row.tags else NO_TAGS
    # The member's `value` is looked up by code in Python.
    values[_STATE] = str.__str__(row.state)
    values[_USER_LEVEL] = str.__str__(row.user_level)
    values += (facets_of(row), user_key_of(row))
    return tuple(values)


def _row(values: bulk.Values) -> Row:
    fields = list(values[: len(_COLUMNS)])
    fields[_TAGS] = tags_of(fields[_TAGS])
    fields[_STATE] = STATES[fields[_STATE]]
    fields[_USER_LEVEL] = USER_LEVELS[fields[_USER_LEVEL]]
    # MariaDB and SQLite have numbers for booleans, which are equal to them.
    return Row(*fields)


def _change(mapping: RowMapping) -> Change:
    return change_of([mapping[field] for field in FIELDS])
