"""The changes view: every edit with its state and score, in one SQL table."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from operator import itemgetter
from typing import Any, NamedTuple, TypeVar

from msgspec.structs import replace
from sqlalchemy import Connection, RowMapping, Select, insert, select

from revision_quality.bell import Bell
from revision_quality.errors import StoreError
from revision_quality.events import streams as names
from revision_quality.scoring.model_rule import ModelKey, other_than
from revision_quality.streams.base import Record
from revision_quality.views import bulk, change_tags, change_writes, model_scores, verdicts
from revision_quality.views import row as rows
from revision_quality.views.ahead import ahead
from revision_quality.views.bulk_update import update
from revision_quality.views.change import Change, State
from revision_quality.views.change_events import ChangeEvents
from revision_quality.views.change_rows import FIELDS, NO_TAGS, change_of, tags_of
from revision_quality.views.database import Database
from revision_quality.views.deletions import known_deletions, remember_deletions
from revision_quality.views.edit_fate import EditFate, read_fates
from revision_quality.views.facets import EVERY_WIKI
from revision_quality.views.incoming import Key
from revision_quality.views.progress import place_of, position_of, set_positions, take_turn
from revision_quality.views.row import Row
from revision_quality.views.row_values import (
    DELETED,
    FACETS,
    FACTS,
    KEY,
    PAGE,
    SEQ,
    STATE,
    TAGS,
    WITHHELD,
    numbered,
    row_of,
    values_of,
)
from revision_quality.views.schema import bring_up_to_date
from revision_quality.views.shown_model import Coverage, add_shown, coverage, in_order, shown
from revision_quality.views.tables import (
    change_counts,
    change_facets,
    changes,
)

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

_SEQ_OF = itemgetter(SEQ)
CountKey = tuple[str, str]
Replaced = tuple[bulk.Values | None, bulk.Values]
"""What is there of a row, and what comes in its place, without a number."""
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
        self._are_new = True
        """Whether edits are likely to be new: their rows can then be made before they are asked."""
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
        return await self._bring(records, lambda: ChangeEvents(records))

    def prepare(self, records: Sequence[Record]) -> Callable[[], Awaitable[int]]:
        """Return what brings events into the view, which are read, and new rows made, at once."""
        events = ChangeEvents(records)
        if self._are_new:
            events.make_rows()
        return lambda: self._bring(records, lambda: events)

    async def _bring(self, records: Sequence[Record], events: Callable[[], ChangeEvents]) -> int:
        if not records:
            return 0
        written = await self._database.write(
            lambda connection: _write(connection, records, events(), self._models)
        )
        self._are_new = 2 * written.added >= written.rows
        if written.rows:
            self.bell.ring()
        return written.rows

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


class _Written(NamedTuple):
    """How many rows were written, and how many edits of these are new."""

    rows: int
    added: int


def _write(
    connection: Connection,
    records: Sequence[Record],
    events: ChangeEvents,
    models: Sequence[ModelKey],
) -> _Written:
    take_turn(connection)
    others: list[model_scores.ModelScore] = []
    if len(models) > 1:
        first, *rest = in_order(models, shown(connection))
        others = events.take_out(other_than(first, rest))
    written = _Batch(connection, events, others).write()
    set_positions(
        connection, {place_of(each.stream, each.partition): each.offset for each in records}
    )
    return written


def _promote(connection: Connection, model: ModelKey, now: int, least: float) -> Coverage:
    take_turn(connection)
    found = coverage(connection, model)
    if found.share < least:
        return found
    after: Key = ("", 0)
    while some := model_scores.page(connection, model, after, _SHOWN_AT_ONCE):
        after = some[-1].edit
        _show(connection, model, some)
    add_shown(connection, model, now, found.share)
    return found


class _Batch:
    """The rows that a batch of events touches, read once and written once."""

    def __init__(
        self, connection: Connection, events: ChangeEvents, others: list[model_scores.ModelScore]
    ) -> None:
        self._connection = connection
        self._events = events
        self._others = others
        self._gone: set[Key] = set()
        self._withheld: set[Key] = set()

    def write(self) -> "_Written":
        """Write the rows that the events change."""
        connection, events = self._connection, self._events
        judged = {(one.wiki_id, one.rev_id) for one in events.verdicts}
        told = {one.edit for one in self._others}
        more = (judged | told) - events.of_edits.keys()
        old = _stored(connection, [*events.edits, *more]) | self._of_deleted_pages()
        added = [key for key in events.edits if key not in old]
        remember_deletions(connection, events.deletions)
        known = _Known(
            read_fates(connection, added),
            # One may come before its edit.
            verdicts.take(connection, events.verdicts, added),
            known_deletions(connection, dict.fromkeys([*events.pages, *map(PAGE, old.values())])),
        )
        written = _save(connection, self._rows(old, known), len(old) + len(added))
        verdicts.forget(connection, self._gone)
        self._keep_beside(self._gone | self._withheld)
        return _Written(written, len(added))

    def _rows(self, old: Mapping[Key, bulk.Values], known: "_Known") -> Iterator[Replaced]:
        for key in {**self._events.of_edits, **old}:
            before = old.get(key)
            if before is None:
                values = self._events.new(key)
                if any(known):
                    values = values_of(known.bring_into(row_of(values), key), 0)
            else:
                row = self._events.row(key, row_of(before))
                values = values_of(known.bring_into(row, key), 0)
            if values[DELETED]:
                self._gone.add(key)
            elif values[WITHHELD]:
                self._withheld.add(key)
            yield before, values

    def _keep_beside(self, hidden: set[Key]) -> None:
        """Keep what other models say, of nothing that is deleted or was hidden."""
        model_scores.forget(self._connection, hidden)
        others = [one for one in self._others if one.edit not in hidden]
        model_scores.take(self._connection, others)

    def _of_deleted_pages(self) -> dict[Key, bulk.Values]:
        pair = ("wiki_id", "page_id")
        found = bulk.read(self._connection, changes, self._events.deletions, by=pair)
        return {values[KEY]: values for values in found}


def _show(
    connection: Connection, model: ModelKey, scores: Sequence[model_scores.ModelScore]
) -> None:
    """Put a model's outcomes into the rows, and what these had beside.

    A row whose score the model has not keeps the one that it has.
    """
    stored = _stored(connection, [one.edit for one in scores])
    old = {key: row_of(values) for key, values in stored.items()}
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
    model_scores.remove(connection, model, new)
    model_scores.write(connection, replaced)
    _save(connection, ((stored[key], values_of(row, 0)) for key, row in new.items()), len(new))


class _Known(NamedTuple):
    """What else the database knows of the edits of a batch, and of its pages."""

    fates: Mapping[Key, EditFate]
    tallies: Mapping[Key, verdicts.Tally]
    deletions: Mapping[Key, int]

    def bring_into(self, row: Row, key: Key) -> Row:
        """Return the row with it; the row of a deleted page has nothing else."""
        deleted_dt = self.deletions.get((key[0], row.page_id))
        if deleted_dt is not None and row.timestamp <= deleted_dt:
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
        (
            (values, values_of(rows.with_fate(row_of(values), fates[key]), 0))
            for key, values in old.items()
        ),
        len(old),
    )


def _stored(connection: Connection, keys: Iterable[Key]) -> dict[Key, bulk.Values]:
    return {values[KEY]: values for values in bulk.read(connection, changes, keys)}


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
            connection, [values[KEY] for values in sorted(written, key=_SEQ_OF)], last
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
        for before, values in some:
            if before is None:
                part.added.append(numbered(values, seq))
            elif values[FACTS] != before[FACTS]:
                part.changed.append(numbered(values, seq))
                part.replaced.append(before)
            else:
                continue
            seq += 1
        yield part


def _keep_tags_in_step(
    connection: Connection, written: Iterable[bulk.Values], replaced: Iterable[bulk.Values]
) -> None:
    tagged = {values[KEY]: row_of(values) for values in replaced if values[TAGS] != NO_TAGS}
    now = [
        row_of(values)
        for values in written
        if values[TAGS] != NO_TAGS or (tagged and values[KEY] in tagged)
    ]
    change_tags.keep_in_step(connection, now, tagged)


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
    places = [change_tags.places_of(row, tags_of(row.tags)) for row in purged]
    change_tags.remove(connection, set().union(*places))
    verdicts.forget(connection, keys)
    model_scores.purge(connection, before)
    verdicts.purge(connection, before)
    gone = Counter((row.wiki_id, row.state) for row in purged if not row.deleted)
    _add_counts(connection, Counter({key: -number for key, number in gone.items()}))
    return len(purged)


def note_facets(connection: Connection, values: Iterable[bulk.Values]) -> None:
    """Note facets that no row had before."""
    pairs = {(row[0], row[FACETS]) for row in values if row[FACETS] is not None}
    pairs |= {(EVERY_WIKI, facets) for _, facets in pairs}
    pairs -= set(bulk.read(connection, change_facets, pairs))
    added = [{"wiki_id": wiki_id, "facets": facets} for wiki_id, facets in sorted(pairs)]
    if added:
        connection.execute(insert(change_facets), added)


def _counted(values: bulk.Values) -> CountKey | None:
    return None if values[DELETED] else (values[0], values[STATE])


def _add_counts(connection: Connection, counts: Counter[CountKey | None]) -> None:
    values = [
        {"wiki_id": key[0], "state": key[1], "number": number}
        for key, number in counts.items()
        if key is not None and number
    ]
    if values:
        connection.execute(bulk.upsert(connection, change_counts, "number", bulk.total), values)


def _change(mapping: RowMapping) -> Change:
    return change_of([mapping[field] for field in FIELDS])
