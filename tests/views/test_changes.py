"""The changes view: rows and position together, nothing hidden stays, purged, counted, rebuilt."""

import asyncio
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import select

from revision_quality.errors import StoreError
from revision_quality.events import streams as names
from revision_quality.streams.base import Outgoing, Record
from revision_quality.streams.sqlite import SqliteStreams
from revision_quality.views.changes import SCHEMA_VERSION, STREAMS, ChangesView
from revision_quality.views.database import Database
from revision_quality.views.materialiser import Materialiser
from revision_quality.views.tables import changes
from tests.events.examples import (
    page_change,
    prediction,
    prediction_error,
    revision,
    tags_change,
    visibility_change,
)
from tests.views.examples import Event, open_view, records, stored

SECRET = "SecretName"


async def test_a_batch_moves_the_positions_of_its_streams(view):
    await view.apply(records([page_change(), prediction(page_change()), page_change(rev_id=11)]))

    assert await view.position(names.PAGE_CHANGE) == 3
    assert await view.position(names.PREDICTION) == 2
    assert await view.position(names.TAGS_CHANGE) == 0
    assert len(await view.since(0, 10)) == 2


async def test_a_batch_that_fails_in_the_middle_leaves_neither_rows_nor_position(view):
    """The second insert fails: another connection's trigger refuses revision 11."""

    def refuse(connection):
        connection.exec_driver_sql(
            "CREATE TRIGGER refuse BEFORE INSERT ON changes WHEN NEW.rev_id = 11"
            " BEGIN SELECT RAISE(ABORT, 'no'); END"
        )

    batch = records([page_change(), page_change(rev_id=11)])
    await view._database.write(refuse)
    with pytest.raises(StoreError, match="no"):
        await view.apply(batch)
    assert await view.position(names.PAGE_CHANGE) == 0
    assert await view.since(0, 10) == []

    await view._database.write(lambda connection: connection.exec_driver_sql("DROP TRIGGER refuse"))
    assert await view.apply(batch) == 2
    assert await view.position(names.PAGE_CHANGE) == 2


async def test_an_unreadable_event_is_left_out_and_the_rest_goes_on(view):
    bad = Record(names.PAGE_CHANGE, 2, 0, b'{"wiki_id": 5')
    good = records([page_change(), page_change(rev_id=11)])

    assert await view.apply([good[0], bad, Record(names.PAGE_CHANGE, 3, 0, good[1].value)]) == 2
    assert await view.position(names.PAGE_CHANGE) == 3


async def test_nothing_hidden_or_deleted_is_in_the_file(tmp_path):
    editor = {"user_text": SECRET, "user_id": 7, "groups": ["*", "user"]}
    parts = revision(10, comment=f"by {SECRET}", editor=editor)
    edit = page_change(revision=parts)
    spam = page_change(
        rev_id=11,
        revision=revision(11, comment=f"Buy {SECRET}", editor=editor),
        page={"page_id": 6, "page_title": f"Buy_{SECRET}"},
    )
    gone = page_change("delete", 11, second=9, page={"page_id": 6, "page_title": "x"})
    async with open_view(tmp_path) as view:
        await view.apply(records([edit, spam, prediction(edit), tags_change(11, [SECRET])]))
        assert SECRET in dump(tmp_path)

        await view.apply(records([visibility_change(10, user=False, comment=False), gone]))

        assert SECRET not in dump(tmp_path)
        hidden, deleted = await stored(view)
    assert (hidden["user"], hidden["comment"], hidden["user_hidden"]) == (None, None, True)
    assert (deleted["deleted"], deleted["title"], deleted["user"]) == (True, "", None)


def dump(folder: Path) -> str:
    """Every value of every table, read past the view."""
    with sqlite3.connect(folder / "changes.sqlite") as connection:
        text = "\n".join(connection.iterdump())
    connection.close()
    return text


async def test_what_comes_twice_changes_nothing(view):
    batch = records([page_change(), prediction(page_change())])
    assert await view.apply(batch) == 1
    seq = await view.last_seq()

    assert await view.apply(batch) == 0
    assert await view.last_seq() == seq


async def test_readers_follow_the_writes(view):
    await view.apply(records([page_change(), page_change(rev_id=11)]))
    await view.apply(records([prediction(page_change())]))

    assert [change.rev_id for change in await view.since(0, 10)] == [11, 10]
    assert [change.rev_id for change in await view.since(2, 10)] == [10]
    assert len(await view.since(0, 1)) == 1
    assert await view.since(await view.last_seq(), 10) == []


async def test_a_deleted_page_is_told_to_those_who_follow(view):
    await view.apply(records([page_change()]))
    seq = await view.last_seq()

    await view.apply(records([page_change("delete", second=60)]))

    (change,) = await view.since(seq, 10)
    assert (change.rev_id, change.deleted) == (10, True)
    assert await view.counts() == {}


async def test_a_reader_wakes_when_rows_change(view):
    seq = await view.last_seq()
    waiting = asyncio.create_task(view.wait(seq, 60))
    await asyncio.sleep(0.01)
    assert not waiting.done()

    await view.apply(records([page_change()]))

    assert await asyncio.wait_for(waiting, 1) == 1
    assert await view.wait(0, 60) == 1
    assert await view.wait(1, 0.01) == 1


async def test_edits_are_counted_by_wiki_and_state(view):
    other = page_change(rev_id=12, wiki_id="other_wiki")
    await view.apply(
        records(
            [
                *(page_change(), page_change(rev_id=11), other),
                *(prediction(page_change()), prediction_error(other)),
            ]
        )
    )

    assert await view.counts() == {
        ("my_wiki", "scored"): 1,
        ("my_wiki", "pending"): 1,
        ("other_wiki", "not_scorable"): 1,
    }


async def test_old_rows_are_purged_oldest_first_tombstones_too(view):
    old, older, new = (
        page_change(rev_id=rev_id, second=second, page={"page_id": rev_id, "page_title": "P"})
        for rev_id, second in ((11, -50), (12, -60), (13, 0))
    )
    gone = page_change("delete", 12, second=-40, page={"page_id": 12, "page_title": "P"})
    await view.apply(records([old, older, new, gone]))
    now = int(new.dt.timestamp())

    assert await view.purge(now - 100) == 0
    assert await view.purge(now, limit=1) == 1
    assert {change.rev_id for change in await view.since(0, 9)} == {11, 13}
    assert await view.counts() == {("my_wiki", "pending"): 2}
    assert await view.purge(now) == 1
    assert await view.purge(now) == 0
    assert [change.rev_id for change in await view.since(0, 9)] == [13]
    assert await view.counts() == {("my_wiki", "pending"): 1}


async def test_a_view_rebuilt_from_the_streams_is_the_same(tmp_path):
    edit, other = page_change(), page_change(rev_id=11)
    live: list[Event] = [
        *(edit, prediction(edit), other, tags_change(10, ["mw-undo"])),
        *(visibility_change(10, user=False), prediction_error(other)),
        *(page_change("delete", second=-1), page_change(rev_id=12, second=5)),
    ]
    async with SqliteStreams(tmp_path / "streams.sqlite") as streams:
        async with open_view(tmp_path) as view:
            for number, record in enumerate(records(live)):
                identifier = f"00000000-0000-4000-8000-{number:012}"
                await streams.append([Outgoing(record.stream, identifier, "", record.value)])
                await Materialiser(streams, view, STREAMS).step()
            before = await stored(view)
        (tmp_path / "changes.sqlite").unlink()
        async with open_view(tmp_path) as view:
            assert await Materialiser(streams, view, STREAMS).step() == len(live)
            assert await stored(view) == before


async def test_a_view_opened_again_goes_on(tmp_path):
    async with open_view(tmp_path) as view:
        await view.apply(records([page_change()]))
    async with open_view(tmp_path) as view:
        assert await view.position(names.PAGE_CHANGE) == 1
        assert len(await view.rows(select(changes))) == 1


async def test_views_of_another_schema_are_refused(tmp_path):
    async with open_view(tmp_path):
        pass
    with sqlite3.connect(tmp_path / "changes.sqlite") as connection:
        connection.execute("UPDATE progress SET value = 99 WHERE name = 'schema'")
    connection.close()

    with pytest.raises(
        StoreError, match=f"changes.sqlite have schema 99, this revq knows {SCHEMA_VERSION}: drop"
    ):
        ChangesView(Database(f"sqlite:///{tmp_path}/changes.sqlite"))
