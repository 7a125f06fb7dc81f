"""One SQL database of views: an engine, and the threads that its calls run in."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

import sqlalchemy
from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import SQLAlchemyError

from revision_quality.errors import StoreError

_READERS = 4
_BUSY_SECONDS = 30

T = TypeVar("T")


class Database:
    """Runs functions of a connection, writes one after another, reads side by side.

    `url` is a SQLAlchemy URL. A write is one transaction: it commits when the function returns
    and leaves nothing behind when it raises. Raises StoreError where the database fails, or for a
    URL that names none.
    """

    def __init__(self, url: str) -> None:
        try:
            self.url = sqlalchemy.make_url(url)
            self._engine = _engine(url)
        except (SQLAlchemyError, ImportError, ValueError) as error:
            reason = str(error).partition("\n")[0]
            raise StoreError(
                f"views database: the URL cannot be used ({reason}):"
                " give a SQLAlchemy URL, such as sqlite:///changes.sqlite"
            ) from error
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="views-writer")
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="views-reader")

    async def write(self, function: Callable[[Connection], T]) -> T:
        """Run `function` in a transaction of its own."""
        return await self._run(self._writer, lambda: self.write_now(function))

    async def read(self, function: Callable[[Connection], T]) -> T:
        """Run `function` on a connection that only reads."""

        def run() -> T:
            with self._engine.connect() as connection:
                return function(connection)

        return await self._run(self._readers, run)

    def write_now(self, function: Callable[[Connection], T]) -> T:
        """Run `function` in a transaction, in this thread."""
        with self._errors(), self._engine.begin() as connection:
            return function(connection)

    async def close(self) -> None:
        """Finish what is under way and close all connections."""
        await asyncio.to_thread(self.close_now)

    def close_now(self) -> None:
        """Finish what is under way and close all connections, in this thread."""
        self._writer.shutdown(wait=True)
        self._readers.shutdown(wait=True)
        self._engine.dispose()

    async def _run(self, executor: ThreadPoolExecutor, function: Callable[[], T]) -> T:
        with self._errors():
            return await asyncio.get_running_loop().run_in_executor(executor, function)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            cause = getattr(error, "orig", None) or error
            raise StoreError(f"views database {self.url!r}: {cause}") from error


def _engine(url: str) -> Engine:
    engine = sqlalchemy.create_engine(url, pool_size=_READERS + 1)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _: object) -> None:
    """Use WAL, so that readers do not wait for the writer.

    synchronous=NORMAL may lose the last commits in a power cut, rows and position together: a view
    then reads them from the streams again.
    """
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout = {_BUSY_SECONDS * 1000}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")
