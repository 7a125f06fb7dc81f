"""The schema: the same from nothing as from an older revq, made once, never taken back."""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from revision_quality.errors import NewerViewsError, StoreError
from revision_quality.events import streams as names
from revision_quality.levels.labels_view import LabelsView
from revision_quality.sources.base import outgoing
from revision_quality.streams.sqlite import SqliteStreams
from revision_quality.views import migrations
from revision_quality.views.change import State
from revision_quality.views.changes import ChangesView
from revision_quality.views.database import Database
from revision_quality.views.materialiser import Materialiser
from revision_quality.views.schema import HEAD, VERSION_TABLE
from revision_quality.views.tables import metadata
from tests.events.examples import page_change
from tests.servers.databases import RealServer
from tests.views.examples import open_view, records

SCHEMA_1 = Path(__file__).parent / "fixtures/schema_1.sql"


def is_compared(_: object, name: str | None, *__: object) -> bool:
    """Whether the Tables tell all of it: each server has its own way to index the grades."""
    return name not in ("grade", "changes_grade_time")


async def differences(view: ChangesView) -> list[object]:
    """What would have to change for the database to be as the tables say."""

    def compare(connection: Connection) -> list[object]:
        opts = {"version_table": VERSION_TABLE, "include_object": is_compared}
        context = MigrationContext.configure(connection, opts=opts)
        return list(compare_metadata(context, metadata))

    return await view._database.read(compare)


def run(url: str, *statements: str) -> None:
    database = Database(url)
    for statement in statements:
        database.write_now(lambda connection, sql=statement: connection.execute(text(sql)) and None)
    database.close_now()


def test_the_newest_step_is_the_one_that_is_known():
    assert ScriptDirectory(migrations.__path__[0]).get_current_head() == HEAD


@pytest.mark.filterwarnings("ignore:.*expression-based index")
async def test_the_steps_lead_to_the_tables(view):
    assert await differences(view) == []


@pytest.mark.filterwarnings("ignore:.*expression-based index")
async def test_a_view_of_schema_1_is_upgraded_in_place(tmp_path):
    with sqlite3.connect(tmp_path / "old.sqlite") as connection:
        connection.executescript(SCHEMA_1.read_text())
    connection.close()

    async with open_view(f"sqlite:///{tmp_path}/old.sqlite") as view:
        assert await view.position(names.PAGE_CHANGE) == 7
        (row,) = await view.since(0, 9)
        assert (row.rev_id, row.state, row.tags, row.is_minor) == (
            10,
            State.FAILED,
            ("mw-undo",),
            True,
        )
        indices = [change for change in await differences(view) if "index" in str(change)]
        assert indices == []


def test_a_revq_of_schema_1_sees_that_the_schema_is_newer(url):
    ChangesView(database := Database(url))
    assert database.write_now(
        lambda connection: connection.scalar(
            text("SELECT value FROM progress WHERE name = 'schema'")
        )
    ) == int(HEAD)
    database.close_now()


def test_a_newer_schema_is_refused(url):
    ChangesView(database := Database(url))
    database.close_now()
    run(url, f"UPDATE {VERSION_TABLE} SET version_num = '99'")

    with pytest.raises(StoreError, match=f"have schema 99, this revq knows {HEAD}: install"):
        ChangesView(Database(url))


async def test_a_revq_whose_tables_a_newer_one_changes_writes_no_more_and_ends(url, tmp_path):
    """Rows by its rules would lack what the newer one keeps beside them."""
    edits = [page_change(rev_id=10), page_change(rev_id=11)]
    async with open_view(url) as view, SqliteStreams(tmp_path / "streams.sqlite") as streams:
        labels = LabelsView(view.database, view.bell)
        await view.apply(records(edits[:1]))
        run(url, "UPDATE progress SET value = 99 WHERE name = 'schema'")
        await streams.append(map(outgoing, edits))
        for kept in (view, labels):
            materialiser = Materialiser(streams, kept, [names.PAGE_CHANGE])
            with pytest.raises(NewerViewsError, match="have schema 99, this revq knows"):
                await asyncio.wait_for(materialiser.run(), 30)
        with pytest.raises(NewerViewsError):
            await view.purge(2**40)

        assert [row.rev_id for row in await view.since(0, 9)] == [10]


def test_a_step_that_broke_off_is_run_again(url):
    ChangesView(database := Database(url))
    database.close_now()
    run(url, f"UPDATE {VERSION_TABLE} SET version_num = '1'")

    ChangesView(database := Database(url))
    database.close_now()


def test_processes_that_start_at_once_do_not_collide(new_url: Callable[[], str]):
    for _ in range(3):
        url = new_url()

        def start(_: int, url: str = url) -> None:
            ChangesView(database := Database(url))
            database.close_now()

        with ThreadPoolExecutor(6) as starting:
            assert list(starting.map(start, range(6))) == [None] * 6


@pytest.mark.database
def test_a_database_that_lacks_characters_is_refused(postgresql: RealServer):
    postgresql.run("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0")
    url = postgresql.new_url().rpartition("/")[0] + "/latin"

    with pytest.raises(StoreError, match="has the encoding LATIN1, which lacks characters: make"):
        ChangesView(Database(url))
