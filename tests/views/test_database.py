"""A database of views: one writer, many readers, errors in one sentence."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import Connection

from revision_quality.errors import StoreError
from revision_quality.views.database import Database
from tests.servers.databases import RealServer


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    database = Database(url)
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
    with pytest.raises(StoreError, match=r"views database (sqlite|mariadb|postgresql).*absent"):
        await database.read(lambda connection: sql(connection, "SELECT * FROM absent"))


@pytest.mark.parametrize("kind", ["sqlite", "mariadb", "postgresql"])
def test_a_password_is_not_in_the_error(kind):
    """A file cannot be on a host; nobody listens on port 1."""
    with pytest.raises(StoreError) as caught:
        use(f"{kind}://user:secret@127.0.0.1:1/views")

    assert "secret" not in str(caught.value)


def use(url: str) -> None:
    database = Database(url)
    try:
        database.write_now(lambda connection: sql(connection, "SELECT 1"))
    finally:
        database.close_now()


@pytest.mark.database
async def test_a_reader_of_mariadb_prepares_no_statement(mariadb: RealServer) -> None:
    """One that is run again may get a far worse plan than at first."""
    database = Database(mariadb.new_url())

    def read(connection: Connection) -> object:
        for number in (1, 1, 2):
            connection.exec_driver_sql("SELECT %s", (number,)).scalar_one()
        (_, prepared) = sql(connection, "SHOW SESSION STATUS LIKE 'Com_stmt_prepare'")[0]
        return prepared

    assert await database.read(read) == "0"
    assert await database.write(read) != "0"
    await database.close()


async def test_who_writes_next_sees_what_the_one_before_has_written(database, url):
    """Two writers that add to the same number, each after reading it."""
    other = Database(url)

    def add(connection: Connection) -> None:
        ((number,),) = sql(
            connection, "SELECT n FROM t" + (" FOR UPDATE" * (connection.dialect.name != "sqlite"))
        )
        sql(connection, f"UPDATE t SET n = {number + 1}")

    await database.write(lambda connection: sql(connection, "INSERT INTO t VALUES (0)"))
    await asyncio.gather(*(each.write(add) for _ in range(20) for each in (database, other)))
    await other.close()

    assert await database.read(lambda connection: sql(connection, "SELECT n FROM t")) == [(40,)]


@pytest.mark.parametrize(
    "url",
    [
        *("", "nonsense", "nobase://host/views", "oracle+oracledb://h/v"),
        *("mysql+pymysql://h/v", "postgresql+asyncpg://h/v", "sqlite+aiosqlite:///v"),
        "mariadb://h:port/v",
    ],
)
def test_a_url_that_names_no_database_is_a_store_error(url):
    with pytest.raises(StoreError, match=r"views database: the URL cannot be used \(.*\): give"):
        Database(url)
