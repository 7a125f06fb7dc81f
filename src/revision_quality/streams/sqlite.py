"""The durable log in one SQLite file."""

import asyncio
import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any, Self, TypeVar
from uuid import UUID

import stamina

from revision_quality.bell import Bell
from revision_quality.clock import Clock, system_clock
from revision_quality.errors import StoreError
from revision_quality.events.streams import KEPT
from revision_quality.streams.base import (
    START,
    Claim,
    Consumed,
    Outgoing,
    Partition,
    Record,
    Work,
)

SCHEMA_VERSION = 1

_SCHEMA = """
CREATE TABLE stream (
  stream_id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE
);
CREATE TABLE event (
  offset INTEGER PRIMARY KEY AUTOINCREMENT,
  stream_id INTEGER NOT NULL REFERENCES stream,
  id BLOB NOT NULL,
  key TEXT NOT NULL,
  received INTEGER NOT NULL,
  value BLOB NOT NULL
);
CREATE UNIQUE INDEX event_id ON event (stream_id, id);
CREATE INDEX event_stream ON event (stream_id, offset);
CREATE TABLE position (
  consumer_group TEXT NOT NULL,
  stream_id INTEGER NOT NULL REFERENCES stream,
  offset INTEGER NOT NULL,
  PRIMARY KEY (consumer_group, stream_id)
) WITHOUT ROWID;
"""

_POLL_SECONDS = 0.25
"""How soon an append by another process is seen; one in this process is seen at once."""

_BUSY_SECONDS = 30.0
_IDS_PER_QUERY = 500
_UUID_LENGTH, _UUID_HYPHENS = 36, 4

T = TypeVar("T")


class SqliteStreams:
    """Streams in one file, in WAL mode: one writer thread, one reader thread, many processes.

    Offsets grow over all streams of the file, so those of one stream have gaps. An event is
    written once: one whose id its stream has already is left out. Commits are synchronous=FULL:
    what was appended outlives a power cut.
    """

    def __init__(self, path: Path, clock: Clock = system_clock) -> None:
        self._path = path
        self._clock = clock
        self._bell = Bell()
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="streams-writer")
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="streams-reader")
        self._stream_ids: dict[str, int] = {}
        with self._errors(), ExitStack() as opened:
            self._write_connection = opened.enter_context(closing(_connect(path)))
            _create(self._write_connection, path)
            self._read_connection = opened.enter_context(closing(_connect(path)))
            opened.pop_all()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def append(
        self, events: Iterable[Outgoing], consumed: Sequence[Consumed] = ()
    ) -> list[Outgoing]:
        """Append and commit in one transaction."""
        batch = list(events)
        written = await self._run(self._writer, lambda: self._append(batch, consumed))
        if written:
            self._bell.ring()
        return written

    async def partitions(self, stream: str) -> int:
        """Return 1: a file does not part its streams."""
        return 1

    async def read(
        self,
        stream: str,
        after: int,
        limit: int,
        partition: int = 0,
    ) -> list[Record]:
        """Read up to `limit` events behind offset `after`, in order; none at the end only."""
        if partition:
            return []

        def query() -> list[Record]:
            rows = self._read_connection.execute(
                "SELECT offset, received, value FROM event WHERE offset > ? AND"
                " stream_id = (SELECT stream_id FROM stream WHERE name = ?)"
                " ORDER BY offset LIMIT ?",
                (after, stream, limit),
            )
            return [Record(stream, *row) for row in rows]

        return await self._run(self._reader, query)

    async def position(self, group: str, stream: str, partition: int = 0) -> int:
        """Return the offset that `group` committed last, START if none."""
        if partition:
            return START
        return await self._number(
            "SELECT offset FROM position JOIN stream USING (stream_id)"
            " WHERE consumer_group = ? AND name = ?",
            (group, stream),
        )

    async def end(self, stream: str, partition: int = 0) -> int:
        """Return the offset of the last event of `stream`, START if it is empty."""
        if partition:
            return START
        return await self._number(
            "SELECT max(offset) FROM event"
            " WHERE stream_id = (SELECT stream_id FROM stream WHERE name = ?)",
            (stream,),
        )

    async def join(
        self, group: str, streams: Sequence[str], outcomes: Sequence[str] = ()
    ) -> "SqliteMember":
        """Become the only member of `group`; a second one would do everything again."""
        claims = [
            Claim(Partition(stream), await self.position(group, stream)) for stream in streams
        ]
        return SqliteMember(self, group, claims)

    async def known(self, stream: str, ids: Iterable[str]) -> set[str]:
        """Return those of `ids` that are in `stream` already."""
        return {identifier for (identifier,) in await self._select_by_id("id", stream, ids)}

    async def find(self, stream: str, ids: Iterable[str]) -> dict[str, bytes]:
        """Return the events of `stream` with these ids, by id; those that it lacks are left out."""
        return dict(await self._select_by_id("id, value", stream, ids))

    async def _select_by_id(
        self, columns: str, stream: str, ids: Iterable[str]
    ) -> list[tuple[Any, ...]]:
        wanted = [_bytes_of(text) for text in ids]

        def query() -> list[tuple[Any, ...]]:
            found: list[tuple[Any, ...]] = []
            for start in range(0, len(wanted), _IDS_PER_QUERY):
                part = wanted[start : start + _IDS_PER_QUERY]
                rows = self._read_connection.execute(
                    f"SELECT {columns} FROM event WHERE"  # noqa: S608, columns are ours
                    " stream_id = (SELECT stream_id FROM stream WHERE name = ?)"
                    f" AND id IN ({','.join('?' * len(part))})",
                    (stream, *part),
                )
                found += [(str(UUID(bytes=row[0])), *row[1:]) for row in rows]
            return found

        return await self._run(self._reader, query)

    async def purge(self, before: int, limit: int = 1000) -> int:
        """Delete up to `limit` of the oldest events received before `before`, in Unix ms.

        Streams that are KEPT lose none. What was received while the clock was ahead stays until its
        time has come, and holds up no other. Returns how many were deleted.
        """
        now = int(self._clock.now().timestamp() * 1000)

        def delete() -> int:
            with self._write_connection:
                return self._write_connection.execute(
                    "DELETE FROM event WHERE received < ? AND offset IN ("
                    "SELECT offset FROM event WHERE stream_id NOT IN ("
                    "SELECT stream_id FROM stream WHERE name IN (SELECT value FROM json_each(?)))"
                    " AND received <= ? ORDER BY offset LIMIT ?)",
                    (before, json.dumps(list(KEPT)), max(now, before), limit),
                ).rowcount

        return await self._run(self._writer, delete)

    def appended(self) -> int:
        """Return a number that grows with every append of this process."""
        return self._bell.rings

    async def wait(self, appended: int, seconds: float) -> None:
        """Return as soon as something was appended since `appended`, or may have been elsewhere."""
        await self._bell.wait(appended, min(seconds, _POLL_SECONDS))

    async def close(self) -> None:
        """Finish what is under way and close the file."""
        for executor, connection in (
            (self._reader, self._read_connection),
            (self._writer, self._write_connection),
        ):
            await self._run(executor, connection.close)
            executor.shutdown(wait=True)

    def _append(self, batch: list[Outgoing], consumed: Sequence[Consumed]) -> list[Outgoing]:
        received = int(self._clock.now().timestamp() * 1000)
        connection = self._write_connection
        written = []
        with self._forgetting_on_rollback(), connection:
            connection.execute("BEGIN IMMEDIATE")
            for event in batch:
                cursor = connection.execute(
                    "INSERT OR IGNORE INTO event (stream_id, id, key, received, value)"
                    " VALUES (?, ?, ?, ?, ?)",
                    (
                        self._stream_id(event.stream),
                        _bytes_of(event.id),
                        event.key,
                        received,
                        event.value,
                    ),
                )
                if cursor.rowcount:
                    written.append(event)
            for position in consumed:
                connection.execute(
                    "INSERT OR REPLACE INTO position VALUES (?, ?, ?)",
                    (position.group, self._stream_id(position.stream), position.offset),
                )
        return written

    @contextmanager
    def _forgetting_on_rollback(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self._stream_ids.clear()
            raise

    def _stream_id(self, name: str) -> int:
        if name not in self._stream_ids:
            connection = self._write_connection
            connection.execute("INSERT OR IGNORE INTO stream (name) VALUES (?)", (name,))
            row = connection.execute("SELECT stream_id FROM stream WHERE name = ?", (name,))
            self._stream_ids[name] = row.fetchone()[0]
        return self._stream_ids[name]

    async def _number(self, sql: str, parameters: tuple[object, ...]) -> int:
        def query() -> int:
            row = self._read_connection.execute(sql, parameters).fetchone()
            return START if row is None or row[0] is None else int(row[0])

        return await self._run(self._reader, query)

    async def _run(self, executor: ThreadPoolExecutor, function: Callable[[], T]) -> T:
        with self._errors():
            return await asyncio.get_running_loop().run_in_executor(executor, function)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise StoreError(f"streams file {self._path}: {error}") from error


class SqliteMember:
    """The only member of its group: it has every stream whole, for good."""

    def __init__(self, streams: SqliteStreams, group: str, claims: Sequence[Claim]) -> None:
        self._streams = streams
        self._group = group
        self._bell = Bell()
        self.claims = tuple(claims)

    def changes(self) -> int:
        """Return a number that never grows."""
        return self._bell.rings

    async def wait(self, changes: int, seconds: float) -> None:
        """Return after `seconds`: claims never change."""
        await self._bell.wait(changes, seconds)

    async def publish(self, work: Work) -> bool:
        """Append the events and commit the position in one transaction; return True."""
        consumed = Consumed(self._group, work.claim.partition.stream, work.position)
        await self._streams.append(work.events, [consumed])
        return True

    async def known(self, stream: str, ids: Iterable[str]) -> set[str]:
        """Return those of `ids` that are in `stream` already."""
        return await self._streams.known(stream, ids)

    async def close(self) -> None:
        """Leave the group."""


def _bytes_of(identifier: str) -> bytes:
    """Return the 16 bytes of a UUID as events write it; a UUID object takes ten times as long."""
    is_usual = len(identifier) == _UUID_LENGTH and identifier.count("-") == _UUID_HYPHENS
    return bytes.fromhex(identifier.replace("-", "")) if is_usual else UUID(identifier).bytes


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )
    with ExitStack() as opened:
        opened.enter_context(closing(connection))
        _use_wal(connection)
        connection.execute("PRAGMA synchronous = FULL")
        opened.pop_all()
    return connection


def _use_wal(connection: sqlite3.Connection) -> None:
    """Switch to WAL; SQLite does not wait by itself where several processes do so at once."""
    for attempt in stamina.retry_context(
        on=_is_busy, attempts=None, timeout=_BUSY_SECONDS, wait_initial=0.01, wait_max=0.5
    ):
        with attempt:
            connection.execute("PRAGMA journal_mode = WAL")


def _is_busy(error: Exception) -> bool:
    return getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY


def _create(connection: sqlite3.Connection, path: Path) -> None:
    with connection:
        connection.execute("BEGIN IMMEDIATE")
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version == 0:
            for statement in _SCHEMA.split(";"):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        else:
            _check_version(version, path)


def _check_version(version: int, path: Path) -> None:
    if version != SCHEMA_VERSION:
        raise StoreError(
            f"streams file {path} has schema {version}, this revq knows {SCHEMA_VERSION}:"
            " install the revq that wrote it, or a newer one"
        )


def check_file(path: Path) -> None:
    """Look whether a streams file is one, and of our schema, without a change to it.

    Raises StoreError.
    """
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as opened:
            (version,) = opened.execute("PRAGMA user_version").fetchone()
    except sqlite3.Error as error:
        raise StoreError(
            f"streams file {path}: {error}: restore a backup, or move the file away"
        ) from error
    if version:
        _check_version(version, path)
