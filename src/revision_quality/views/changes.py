"""The changes view: every edit with its state and score, in one SQL table."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
import structlog
from msgspec.structs import asdict, replace
from sqlalchemy import Connection, RowMapping, Select, delete, insert, select, tuple_, update

from revision_quality.bell import Bell
from revision_quality.errors import InvalidEventError, StoreError
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
from revision_quality.streams.base import START, Record
from revision_quality.views import row as rows
from revision_quality.views.change import Change, State, UserLevel
from revision_quality.views.database import Database
from revision_quality.views.row import Row
from revision_quality.views.tables import change_counts, changes, metadata, page_deletions, progress

SCHEMA_VERSION = 1

STREAMS = (
    names.PAGE_CHANGE,
    names.PREDICTION,
    names.PREDICTION_ERROR,
    names.TAGS_CHANGE,
    names.VISIBILITY_CHANGE,
)
"""What the view is made of."""

_KEYS_PER_QUERY = 200
_COLUMNS = tuple(column.name for column in changes.columns)
_PUBLIC_FIELDS = tuple(field for field in Change.__struct_fields__)

Key = tuple[str, int]
CountKey = tuple[str, str]

_log = structlog.get_logger()


class ChangesView:
    """Keeps `changes` in step with the streams, and reads it.

    The events of a batch and the position behind them become visible in one transaction. One
    process writes a database; any number reads it.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._bell = Bell()
        try:
            database.write_now(_create)
        except StoreError:
            database.close_now()
            raise

    async def position(self, stream: str) -> int:
        """Return the offset up to which `stream` is in the view."""
        return await self._database.read(lambda connection: _value(connection, stream))

    async def apply(self, records: Sequence[Record]) -> int:
        """Bring events into the view, with their streams' positions. Returns the rows changed."""
        if not records:
            return 0
        changed = await self._database.write(lambda connection: _apply(connection, records))
        if changed:
            self._bell.ring()
        return changed

    async def purge(self, before: int, limit: int = 1000) -> int:
        """Delete up to `limit` rows of edits older than `before`, Unix seconds; return how many."""
        return await self._database.write(lambda connection: _purge(connection, before, limit))

    async def rows(self, statement: Select[Any]) -> list[Change]:
        """Read the rows that a statement on the table `changes` selects."""
        return await self._database.read(
            lambda connection: [
                _change(found) for found in connection.execute(statement).mappings()
            ]
        )

    async def since(self, seq: int, limit: int) -> list[Change]:
        """Read up to `limit` rows written after `seq`, in that order, deleted ones too."""
        return await self.rows(
            select(changes).where(changes.c.seq > seq).order_by(changes.c.seq).limit(limit)
        )

    async def last_seq(self) -> int:
        """Return the number of the last write."""
        return await self._database.read(lambda connection: _value(connection, "seq"))

    async def wait(self, seq: int, timeout: float) -> int:  # noqa: ASYNC109
        """Return the number of the last write as soon as it is above `seq`, or after `timeout`."""
        rings = self._bell.rings
        last = await self.last_seq()
        if last > seq:
            return last
        await self._bell.wait(rings, timeout)
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


def _create(connection: Connection) -> None:
    metadata.create_all(connection)
    version = _value(connection, "schema")
    if version == START:
        connection.execute(insert(progress).values(name="schema", value=SCHEMA_VERSION))
    elif version != SCHEMA_VERSION:
        raise StoreError(
            f"the views in {connection.engine.url!r} have schema {version}, this revq knows"
            f" {SCHEMA_VERSION}: drop them, they are rebuilt from the streams"
        )


def _apply(connection: Connection, records: Sequence[Record]) -> int:
    batch = _Batch(connection)
    for record in records:
        try:
            batch.add(record)
        except InvalidEventError as error:
            _log.warning(
                "unreadable event left out of the changes view",
                stream=record.stream,
                offset=record.offset,
                error=str(error),
            )
    changed = batch.write()
    for stream, offset in {record.stream: record.offset for record in records}.items():
        _set_value(connection, stream, offset)
    return changed


class _Batch:
    """The rows that a batch of events touches, read once and written once."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._events: list[tuple[Key, Any]] = []
        self._deletions: dict[Key, int] = {}

    def add(self, record: Record) -> None:
        """Read one event. Raises InvalidEventError."""
        event = _DECODERS[record.stream](record.value)
        if isinstance(event, PageChange):
            self._add_page_change(event)
        elif record.stream in (names.TAGS_CHANGE, names.VISIBILITY_CHANGE):
            self._events.append(((event.database, event.rev_id), event))
        else:
            self._events.append(((event.wiki_id, event.revision.rev_id), event))

    def _add_page_change(self, event: PageChange) -> None:
        if event.is_canary or event.page_change_kind is PageChangeKind.UNDELETE:
            return
        if event.page_change_kind is PageChangeKind.DELETE:
            page = (event.wiki_id, event.page.page_id)
            deleted_dt = int(event.dt.timestamp())
            self._deletions[page] = max(deleted_dt, self._deletions.get(page, 0))
            return
        self._events.append(((event.wiki_id, event.revision.rev_id), event))

    def write(self) -> int:
        """Write the rows that the events change; return how many."""
        old = self._stored(key for key, _ in self._events)
        new = dict(old)
        for key, event in self._events:
            row = new.get(key) or Row(wiki_id=key[0], rev_id=key[1], seq=0)
            new[key] = _FUNCTIONS[type(event)](row, event)
        self._delete_pages(old, new)
        changed = [row for key, row in new.items() if row != old.get(key)]
        self._save(changed, old)
        return len(changed)

    def _delete_pages(self, old: dict[Key, Row], new: dict[Key, Row]) -> None:
        for (wiki_id, page_id), deleted_dt in self._deletions.items():
            for row in self._rows_of_page(wiki_id, page_id):
                key = (wiki_id, row.rev_id)
                old.setdefault(key, row)
                new.setdefault(key, row)
            self._remember_deletion(wiki_id, page_id, deleted_dt)
        deletions = self._known_deletions({(row.wiki_id, row.page_id) for row in new.values()})
        for key, row in new.items():
            if row.timestamp and row.timestamp <= deletions.get((row.wiki_id, row.page_id), -1):
                new[key] = rows.with_deletion(row)

    def _stored(self, keys: Iterable[Key]) -> dict[Key, Row]:
        found = {}
        for part in _parts(set(keys)):
            statement = select(changes).where(tuple_(changes.c.wiki_id, changes.c.rev_id).in_(part))
            for mapping in self._connection.execute(statement).mappings():
                row = _row(mapping)
                found[row.wiki_id, row.rev_id] = row
        return found

    def _rows_of_page(self, wiki_id: str, page_id: int) -> list[Row]:
        statement = select(changes).where(
            changes.c.wiki_id == wiki_id, changes.c.page_id == page_id
        )
        return [_row(mapping) for mapping in self._connection.execute(statement).mappings()]

    def _remember_deletion(self, wiki_id: str, page_id: int, deleted_dt: int) -> None:
        same_page = (page_deletions.c.wiki_id == wiki_id) & (page_deletions.c.page_id == page_id)
        known = self._connection.execute(
            select(page_deletions.c.deleted_dt).where(same_page)
        ).scalar()
        if known is None:
            self._connection.execute(
                insert(page_deletions).values(
                    wiki_id=wiki_id, page_id=page_id, deleted_dt=deleted_dt
                )
            )
        elif known < deleted_dt:
            self._connection.execute(
                update(page_deletions).where(same_page).values(deleted_dt=deleted_dt)
            )

    def _known_deletions(self, pages: set[Key]) -> dict[Key, int]:
        found = {}
        for part in _parts(pages):
            statement = select(page_deletions).where(
                tuple_(page_deletions.c.wiki_id, page_deletions.c.page_id).in_(part)
            )
            for wiki_id, page_id, deleted_dt in self._connection.execute(statement):
                found[wiki_id, page_id] = deleted_dt
        return found

    def _save(self, changed: Sequence[Row], old: Mapping[Key, Row]) -> None:
        if not changed:
            return
        seq = _value(self._connection, "seq")
        values = [
            _values(replace(row, seq=seq + number)) for number, row in enumerate(changed, start=1)
        ]
        replaced = [key for row in changed if (key := (row.wiki_id, row.rev_id)) in old]
        for part in _parts(replaced):
            self._connection.execute(
                delete(changes).where(tuple_(changes.c.wiki_id, changes.c.rev_id).in_(part))
            )
        self._connection.execute(insert(changes), values)
        counts = Counter(map(_counted, changed))
        counts.subtract(_counted(old[key]) for key in replaced)
        _add_counts(self._connection, counts)
        _set_value(self._connection, "seq", seq + len(changed))


_DECODERS: dict[str, Any] = {
    names.PAGE_CHANGE: decode_page_change,
    names.PREDICTION: decode_prediction,
    names.PREDICTION_ERROR: decode_prediction_error,
    names.TAGS_CHANGE: decode_tags_change,
    names.VISIBILITY_CHANGE: decode_visibility_change,
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
    columns = changes.c
    oldest = (
        select(columns.wiki_id, columns.rev_id, columns.state, columns.deleted)
        .where(columns.timestamp < before)
        .order_by(columns.timestamp)
        .limit(limit)
    )
    purged = connection.execute(oldest).all()
    for part in _parts((row.wiki_id, row.rev_id) for row in purged):
        connection.execute(delete(changes).where(tuple_(columns.wiki_id, columns.rev_id).in_(part)))
    gone = Counter(_counted(row) for row in purged)
    _add_counts(connection, Counter({key: -number for key, number in gone.items()}))
    return len(purged)


def _counted(row: Any) -> CountKey | None:
    return None if row.deleted else (row.wiki_id, str(row.state))


def _add_counts(connection: Connection, counts: Counter[CountKey | None]) -> None:
    for key, number in counts.items():
        if key is None or not number:
            continue
        same = (change_counts.c.wiki_id == key[0]) & (change_counts.c.state == key[1])
        added = update(change_counts).where(same).values(number=change_counts.c.number + number)
        if not connection.execute(added).rowcount:
            connection.execute(
                insert(change_counts).values(wiki_id=key[0], state=key[1], number=number)
            )


def _value(connection: Connection, name: str) -> int:
    value = connection.execute(select(progress.c.value).where(progress.c.name == name)).scalar()
    return START if value is None else int(value)


def _set_value(connection: Connection, name: str, value: int) -> None:
    connection.execute(delete(progress).where(progress.c.name == name))
    connection.execute(insert(progress).values(name=name, value=value))


def _parts(keys: Iterable[Key]) -> Iterable[list[Key]]:
    ordered = sorted(keys)
    return (
        ordered[start : start + _KEYS_PER_QUERY]
        for start in range(0, len(ordered), _KEYS_PER_QUERY)
    )


def _values(row: Row) -> dict[str, Any]:
    values = asdict(row)
    values["tags"] = msgspec.json.encode(row.tags).decode()
    values["state"] = str(row.state)
    values["user_level"] = str(row.user_level)
    return values


def _row(mapping: RowMapping) -> Row:
    return Row(**_fields(mapping, _COLUMNS))


def _change(mapping: RowMapping) -> Change:
    return Change(**_fields(mapping, _PUBLIC_FIELDS))


def _fields(mapping: RowMapping, fields: Sequence[str]) -> dict[str, Any]:
    values = {field: mapping[field] for field in fields}
    values["tags"] = tuple(msgspec.json.decode(values["tags"]))
    values["state"] = State(values["state"])
    values["user_level"] = UserLevel(values["user_level"])
    return values
