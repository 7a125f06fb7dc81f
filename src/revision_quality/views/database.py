"""One SQL database of views: the threads that calls run in, each with a connection of its own."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, TypeVar

import sqlalchemy
import stamina
from sqlalchemy import URL, Connection, Engine, FromClause, event
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from revision_quality.errors import StoreError

_READERS = 4
_SQLITE_FILE = "sqlite:///"
_BUSY_SECONDS = 30
_SQLITE_CACHE_KIBIBYTES = 8 * 1024
"""Of each connection, at most, and a process has eight. SQLite's own 2 MiB is less than a batch of
rows touches; with 32 MiB a page among 10 million changes takes 4 % less processor time
(`benchmarks/recent_changes.py`)."""
_FORGET_AFTER_SECONDS = 1800
"""A connection is made anew after this time, before a firewall in between forgets it."""

_PREPARED = 32
"""Statements that the writer's connection to MariaDB keeps prepared. Readers' keep none: a page's
are seldom the same twice, and one that is run again may get a far worse plan than at first (a whole
index instead of jumps in it, MariaDB 10.11)."""

_DRIVERS = {
    "sqlite": "pysqlite",
    "mariadb": "asyncmy",
    "mysql": "asyncmy",
    "postgresql": "psycopg",
}
"""The driver of each server. For a row of the changes view PyMySQL and MariaDB 10.11 take 46
microseconds, 34 of them PyMySQL; asyncmy and MariaDB 20."""

_EXTRAS = {"mariadb": "mariadb", "mysql": "mariadb", "postgresql": "postgresql"}

# For each None and bool sqlite3 fails to find an adapter, at a cost: they are 7 of the 9 us that
# binding a row of `changes` takes. With one it takes 5.
sqlite3.register_adapter(bool, int)
sqlite3.register_adapter(type(None), lambda nothing: nothing)

T = TypeVar("T")


class Database:
    """Runs functions of a connection, writes one after another, reads side by side.

    `url` is a SQLAlchemy URL of SQLite, MariaDB, MySQL or PostgreSQL. A write is one transaction:
    it commits when the function returns and leaves nothing behind when it raises. A connection
    that was lost is made anew at the next call. Raises StoreError where the database fails, or
    for a URL that names none.
    """

    def __init__(self, url: str) -> None:
        self.url = _parse(url)
        driver = self.url.get_dialect().import_dbapi()
        self._failures = (SQLAlchemyError, OSError, EOFError, driver.Error)
        """What fails where a database does; a function may use the driver itself."""
        self._opened: list[_Session] = []
        self._own = threading.local()
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="views-writer")
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="views-reader")

    async def write(self, function: Callable[[Connection], T]) -> T:
        """Run `function` in a transaction of its own."""
        return await self._run(self._writer, lambda: self._session(_PREPARED).write(function))

    async def read(self, function: Callable[[Connection], T]) -> T:
        """Run `function` on a connection that only reads."""
        return await self._run(self._readers, lambda: self._session().read(function))

    def write_now(self, function: Callable[[Connection], T]) -> T:
        """Run `function` in a transaction and wait for it."""
        with self._errors():
            return self._writer.submit(lambda: self._session(_PREPARED).write(function)).result()

    async def close(self) -> None:
        """Finish what is under way and close all connections."""
        await asyncio.to_thread(self.close_now)

    def close_now(self) -> None:
        """Finish what is under way and close all connections, and wait for it."""
        self._writer.shutdown(wait=True)
        self._readers.shutdown(wait=True)
        # A thread of its own, because the caller's may have an event loop that runs.
        with ThreadPoolExecutor(1) as closing:
            for session in self._opened:
                closing.submit(session.close).result()
        self._opened.clear()

    def _session(self, prepared: int = 0) -> "_Session":
        if not hasattr(self._own, "session"):
            self._own.session = _open(self.url, prepared)
            self._opened.append(self._own.session)
        session: _Session = self._own.session
        return session

    async def _run(self, executor: ThreadPoolExecutor, function: Callable[[], T]) -> T:
        with self._errors():
            return await asyncio.get_running_loop().run_in_executor(executor, function)

    @property
    def is_missing(self) -> bool:
        """Whether it is a SQLite file that is not there, which opening it would make."""
        file = self.url.database if self.url.get_backend_name() == "sqlite" else None
        return bool(file) and file != ":memory:" and not Path(str(file)).exists()

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except self._failures as error:
            cause = getattr(error, "orig", None) or error
            raise StoreError(f"views database {self.url!r}: {cause}") from error


class _Session(Protocol):
    """One thread's connection."""

    def write(self, function: Callable[[Connection], T]) -> T: ...

    def read(self, function: Callable[[Connection], T]) -> T: ...

    def close(self) -> None: ...


class _ThreadSession:
    """A connection of a driver that waits in its thread."""

    def __init__(self, url: URL) -> None:
        self._engine = sqlalchemy.create_engine(url, **_options(url))
        if url.get_backend_name() == "sqlite":
            self._engine.dialect.statement_compiler = _SqliteCompiler
            event.listen(self._engine, "connect", _prepare_sqlite)
            event.listen(self._engine, "begin", _begin_sqlite)
        self._writing = _for_writing(self._engine)

    def write(self, function: Callable[[Connection], T]) -> T:
        with self._writing.begin() as connection:
            return function(connection)

    def read(self, function: Callable[[Connection], T]) -> T:
        with self._engine.connect() as connection:
            return function(connection)

    def close(self) -> None:
        self._engine.dispose()


class _LoopSession:
    """A connection of a driver that waits in an event loop: one of the thread's own."""

    def __init__(self, url: URL, prepared: int) -> None:
        self._runner = asyncio.Runner()
        self._engine: AsyncEngine = create_async_engine(url, **_options(url, prepared))

    def write(self, function: Callable[[Connection], T]) -> T:
        async def run() -> T:
            async with self._engine.begin() as connection:
                return await connection.run_sync(function)

        return self._runner.run(run())

    def read(self, function: Callable[[Connection], T]) -> T:
        async def run() -> T:
            async with self._engine.connect() as connection:
                return await connection.run_sync(function)

        return self._runner.run(run())

    def close(self) -> None:
        with self._runner:
            self._runner.run(self._engine.dispose())


def _open(url: URL, prepared: int) -> _Session:
    return _LoopSession(url, prepared) if _dialect(url).is_async else _ThreadSession(url)


def _parse(url: str) -> URL:
    """Read a URL and give it its driver. Raises StoreError."""
    try:
        given = _given(url)
        backend = given.get_backend_name()
        if given.drivername not in (backend, f"{backend}+{_DRIVERS.get(backend)}"):
            raise ValueError(f"{given.drivername} is not supported")  # noqa: TRY301
        parsed = given.set(drivername=f"{backend}+{_DRIVERS[backend]}")
        _dialect(parsed).create_connect_args(parsed)
    except ImportError as error:
        extra = _EXTRAS.get(backend, backend)
        raise StoreError(
            f"views database: the driver of {backend} is not installed ({error}):"
            f" run pip install 'revision-quality[{extra}]'"
        ) from error
    except (SQLAlchemyError, ValueError, KeyError) as error:
        reason = str(error).partition("\n")[0]
        raise StoreError(
            f"views database: the URL cannot be used ({reason}): give a SQLAlchemy URL, such as"
            " sqlite:///changes.sqlite, mariadb://user:password@host/database or"
            " postgresql://user:password@host/database"
        ) from error
    return given if backend == "sqlite" else parsed


def _given(url: str) -> URL:
    """Read a URL; what follows sqlite:/// is a file's name as it stands, with its percent signs."""
    file = url.removeprefix(_SQLITE_FILE)
    is_file = file != url and "?" not in file
    return URL.create("sqlite", database=file) if is_file else sqlalchemy.make_url(url)


def _dialect(url: URL) -> Any:
    dialect = url.get_dialect()
    dialect.import_dbapi()
    return dialect()


def _options(url: URL, prepared: int = 0) -> dict[str, Any]:
    options: dict[str, Any] = {"pool_size": 1, "max_overflow": 0}
    if url.get_backend_name() == "sqlite":
        return options
    if url.get_backend_name() == "mariadb" and prepared:
        # With prepared statements many rows go in one packet in binary form: a third of the time
        # here, two thirds of the server's, which has no text to parse.
        options["connect_args"] = {"stmt_cache_size": prepared}
    return options | {
        "pool_pre_ping": True,
        "pool_recycle": _FORGET_AFTER_SECONDS,
        # InnoDB's default lets a transaction see old rows after it has waited for another.
        "isolation_level": "READ COMMITTED",
    }


def _for_writing(engine: Engine) -> Engine:
    return engine.execution_options(is_writing=True)


def _prepare_sqlite(connection: Any, _: object) -> None:
    """Use WAL, so that readers do not wait for the writer.

    synchronous=NORMAL may lose the last commits in a power cut, rows and position together: a view
    then reads them from the streams again.
    """
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout = {_BUSY_SECONDS * 1000}")
    # SQLite does not wait by itself where several processes switch at once.
    for attempt in stamina.retry_context(
        on=_is_busy, attempts=None, timeout=_BUSY_SECONDS, wait_initial=0.01, wait_max=0.5
    ):
        with attempt:
            connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute(f"PRAGMA cache_size = -{_SQLITE_CACHE_KIBIBYTES}")


def _is_busy(error: Exception) -> bool:
    return getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY


class _SqliteCompiler(SQLiteCompiler):
    """Writes the hints of `with_hint`, as SQLAlchemy does for other servers."""

    def get_from_hint_text(self, table: FromClause, text: str | None) -> str | None:
        return text


def _begin_sqlite(connection: Connection) -> None:
    """Begin; a writer takes the lock at once, as SQLite refuses to wait for it later."""
    is_writing = connection.get_execution_options().get("is_writing")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writing else "BEGIN")
