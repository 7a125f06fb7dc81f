"""A database of views: one writer, many readers, errors in one sentence."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import Connection

from revision_quality.errors import StoreError
from revision_quality.views.database import Database


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database(f"sqlite:///{tmp_path}/views.sqlite")
    await database.write(lambda connection: sql(connection, "CREATE TABLE t (n INTEGER)"))
    yield database
    await database.close()


def sql(connection: Connection, statement: str) -> list[tuple[object, ...]]:
    result = connection.exec_driver_sql(statement)
    return [tuple(row) for row in result] if result.returns_rows else []


async def test_a_write_is_one_transaction(database):
    def half(connection: Connection) -> None:
        sql(connection, "INSERT INTO t VALUES (1)")
        raise KeyError("in the middle")

    with pytest.raises(KeyError):
        await database.write(half)

    assert await database.read(lambda connection: sql(connection, "SELECT * FROM t")) == []


async def test_a_reader_does_not_wait_for_the_writer(database):
    loop = asyncio.get_running_loop()
    reading, done = asyncio.Event(), asyncio.Event()

    def write(connection: Connection) -> None:
        sql(connection, "INSERT INTO t VALUES (1)")
        loop.call_soon_threadsafe(reading.set)
        asyncio.run_coroutine_threadsafe(done.wait(), loop).result(10)

    writing = asyncio.create_task(database.write(write))
    await reading.wait()
    count = "SELECT count(*) FROM t"
    assert await database.read(lambda connection: sql(connection, count)) == [(0,)]
    done.set()
    await writing
    assert await database.read(lambda connection: sql(connection, count)) == [(1,)]


async def test_what_the_database_refuses_is_a_store_error(database):
    with pytest.raises(StoreError, match=r"views database sqlite:///.*: no such table: absent"):
        await database.read(lambda connection: sql(connection, "SELECT * FROM absent"))


def test_a_password_is_not_in_the_error():
    with pytest.raises(StoreError) as caught:
        Database("sqlite://user:secret@host/file.sqlite")

    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("url", ["", "nonsense", "nobase://host/views", "oracle+oracledb://h/v"])
def test_a_url_that_names_no_database_is_a_store_error(url):
    with pytest.raises(StoreError, match=r"views database: the URL cannot be used \(.*\): give"):
        Database(url)
