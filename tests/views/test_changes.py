"""The changes view: rows and position together, nothing hidden stays, purged, counted, rebuilt."""

import asyncio

import pytest
from msgspec.structs import replace
from sqlalchemy import Connection, MetaData, select

from revision_quality.errors import StoreError
from revision_quality.events import streams as names
from revision_quality.streams.base import Outgoing, Record
from revision_quality.streams.sqlite import SqliteStreams
from revision_quality.views import materialiser
from revision_quality.views.changes import STREAMS, ChangesView
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


_REFUSE_11 = {
    "sqlite": (
        "CREATE TRIGGER refuse BEFORE INSERT ON changes WHEN NEW.rev_id = 11"
        " BEGIN SELECT RAISE(ABORT, 'refuse'); END"
    ),
    "mariadb": "ALTER TABLE changes ADD CONSTRAINT refuse CHECK (rev_id <> 11)",
    "postgresql": "ALTER TABLE changes ADD CONSTRAINT refuse CHECK (rev_id <> 11)",
}
_REFUSE_NONE = {
    "sqlite": "DROP TRIGGER refuse",
    "mariadb": "ALTER TABLE changes DROP CONSTRAINT refuse",
    "postgresql": "ALTER TABLE changes DROP CONSTRAINT refuse",
}


async def test_a_batch_that_fails_in_the_middle_leaves_neither_rows_nor_position(view):
    batch = records([page_change(), page_change(rev_id=11)])
    await run_for_server(view, _REFUSE_11)
    with pytest.raises(StoreError, match="refuse"):
        await view.apply(batch)
    assert await view.position(names.PAGE_CHANGE) == 0
    assert await view.since(0, 10) == []

    await run_for_server(view, _REFUSE_NONE)
    assert await view.apply(batch) == 2
    assert await view.position(names.PAGE_CHANGE) == 2


async def run_for_server(view: ChangesView, statements: dict[str, str]) -> None:
    await view._database.write(
        lambda connection: connection.exec_driver_sql(statements[connection.dialect.name]) and None
    )


async def test_an_unreadable_event_is_left_out_and_the_rest_goes_on(view):
    bad = Record(names.PAGE_CHANGE, 2, 0, b'{"wiki_id": 5')
    good = records([page_change(), page_change(rev_id=11)])

    assert await view.apply([good[0], bad, Record(names.PAGE_CHANGE, 3, 0, good[1].value)]) == 2
    assert await view.position(names.PAGE_CHANGE) == 3


@pytest.mark.filterwarnings("ignore:.*expression-based index")
async def test_nothing_hidden_or_deleted_is_in_the_database(view):
    editor = {"user_text": SECRET, "user_id": 7, "groups": ["*", "user"]}
    parts = revision(10, comment=f"by {SECRET}", editor=editor)
    edit = page_change(revision=parts)
    spam = page_change(
        rev_id=11,
        revision=revision(11, comment=f"Buy {SECRET}", editor=editor),
        page={"page_id": 6, "page_title": f"Buy_{SECRET}"},
    )
    gone = page_change("delete", 11, second=9, page={"page_id": 6, "page_title": "x"})
    await view.apply(records([edit, spam, prediction(edit), tags_change(11, [SECRET])]))
    assert SECRET in await dump(view)

    await view.apply(records([visibility_change(10, user=False, comment=False), gone]))

    assert SECRET not in await dump(view)
    hidden, deleted = await stored(view)
    assert (hidden["user"], hidden["comment"], hidden["user_hidden"]) == (None, None, True)
    assert (deleted["deleted"], deleted["title"], deleted["user"]) == (True, "", None)


async def dump(view: ChangesView) -> str:
    """Every value of every table that is there, whether the view knows it or not."""

    def read(connection: Connection) -> str:
        found = MetaData()
        found.reflect(connection)
        rows = (connection.execute(select(table)).all() for table in found.sorted_tables)
        return repr(list(rows))

    return await view._database.read(read)


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

    assert await asyncio.wait_for(waiting, 30) == 1
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


async def test_a_view_rebuilt_from_the_streams_is_the_same(tmp_path, new_url, monkeypatch):
    edit, other = page_change(), page_change(rev_id=11)
    live: list[Event] = [
        *(edit, prediction(edit), other, tags_change(10, ["mw-undo"])),
        *(visibility_change(10, user=False), prediction_error(other)),
        *(page_change("delete", second=-1), page_change(rev_id=12, second=5)),
    ]
    async with SqliteStreams(tmp_path / "streams.sqlite") as streams:
        async with open_view(new_url()) as view:
            for number, record in enumerate(records(live)):
                identifier = f"00000000-0000-4000-8000-{number:012}"
                await streams.append([Outgoing(record.stream, identifier, "", record.value)])
                await Materialiser(streams, view, STREAMS).step()
            before = await stored(view)
        async with open_view(new_url()) as view:
            assert await Materialiser(streams, view, STREAMS).step() == len(live)
            assert await stored(view) == before
        monkeypatch.setattr(materialiser, "READ", 2)
        async with open_view(new_url()) as view:
            in_parts = Materialiser(streams, view, STREAMS)
            assert [await in_parts.step(), await in_parts.step()] != [len(live), 0]
            while await in_parts.step():
                pass
            assert await stored(view) == before


async def test_a_view_opened_again_goes_on(url):
    async with open_view(url) as view:
        await view.apply(records([page_change()]))
    async with open_view(url) as view:
        assert await view.position(names.PAGE_CHANGE) == 1
        assert len(await view.rows(select(changes))) == 1


async def test_two_writers_take_turns_and_change_nothing_twice(url):
    batch = records(page_change(rev_id=rev_id) for rev_id in range(10, 60))
    async with open_view(url) as one, open_view(url) as other:
        changed = await asyncio.gather(
            *(
                view.apply(batch[start : start + 10])
                for start in range(0, 50, 10)
                for view in (one, other)
            )
        )

        assert sum(changed) == 50
        assert await one.last_seq() == 50
        assert [row.seq for row in await other.since(0, 99)] == list(range(1, 51))
        assert await other.counts() == {("my_wiki", "pending"): 50}


async def test_a_writer_that_is_behind_moves_no_position_back(url):
    batch = records([page_change(), page_change(rev_id=11)])
    async with open_view(url) as one, open_view(url) as late:
        await one.apply(batch)
        await late.apply(batch[:1])

        assert await one.position(names.PAGE_CHANGE) == 2


async def test_each_partition_of_a_stream_has_a_position(view):
    batch = [
        replace(record, partition=partition)
        for partition, record in enumerate(records(page_change(rev_id=n) for n in (10, 11, 12)))
    ]
    await view.apply(batch)

    found = [await view.position(names.PAGE_CHANGE, partition) for partition in range(4)]
    assert found == [1, 2, 3, 0]


async def test_a_reader_elsewhere_sees_what_is_written_here(url):
    async with open_view(url) as writer, open_view(url) as reader:
        waiting = asyncio.create_task(reader.wait(0, 60))
        await asyncio.sleep(0.05)
        await writer.apply(records([page_change()]))

        assert await asyncio.wait_for(waiting, 30) == 1


TEXTS = [
    "Ärger 🦆 名前",
    "case",
    "CASE",
    "case ",
    "case\t",
    "e\u0301",
    "\u00e9",
    "'\"\\%s\n",
    "\u2028",
]


async def test_every_character_comes_back_as_it_was(view):
    events = [
        page_change(
            rev_id=number,
            page={"page_id": number, "page_title": text},
            revision=revision(number, comment=text * 1000, editor={"user_text": text}),
        )
        for number, text in enumerate(TEXTS, start=1)
    ]
    tagged = [
        tags_change(number, [text], comment=text * 1000, editor={"user_text": text})
        for number, text in enumerate(TEXTS, start=1)
    ]

    await view.apply(records([*events, *tagged]))

    for row, text in zip(await view.since(0, 99), TEXTS, strict=True):
        assert (row.title, row.comment, row.user) == (text, text * 1000, text)
        assert row.tags == (text,)


async def test_wikis_differ_where_any_byte_does(view):
    wikis = ["w", "W", "w ", "w\t", "ẃ", "w\u0301"]
    await view.apply(records(page_change(wiki_id=wiki) for wiki in wikis))

    assert len(await view.since(0, 99)) == len(wikis)
    assert await view.counts() == {(wiki, "pending"): 1 for wiki in wikis}
    for wiki in wikis:
        (found,) = await view.rows(select(changes).where(changes.c.wiki_id == wiki))
        assert found.wiki_id == wiki


async def test_a_nul_becomes_a_replacement_character_as_in_mediawiki(view):
    """PostgreSQL keeps no U+0000; a backslash before it belongs to the text."""
    titled = page_change(page={"page_id": 5, "page_title": "a\0b\\\0c\\u0000"})
    strange = page_change(wiki_id="my\0wiki")

    await view.apply(records([titled, strange]))

    row, other = await view.since(0, 9)
    assert row.title == "a\ufffdb\\\ufffdc\\u0000"
    assert other.wiki_id == "my\ufffdwiki"


async def test_values_of_any_length_and_size_fit(view):
    most = 2**63 - 1
    long = page_change(
        rev_id=most,
        page={"page_id": most, "page_title": "t" * 70_000, "namespace_id": -(2**31)},
        revision=revision(most, 0, rev_size=most, rev_parent_id=most, comment="c" * 70_000),
    )
    await view.apply(records([long, prediction(long, 1 / 3, version="v" * 300)]))

    (row,) = await view.since(0, 9)
    assert (row.rev_id, row.page_id, row.size, row.namespace) == (most, most, most, -(2**31))
    assert (len(row.title), len(row.comment or ""), row.score) == (70_000, 70_000, 1 / 3)
    assert row.model_version == "v" * 300


async def test_an_event_of_an_impossible_wiki_is_left_out(view):
    await view.apply(records([page_change(wiki_id="w" * 65), page_change(wiki_id="")]))

    assert await view.since(0, 9) == []
    assert await view.position(names.PAGE_CHANGE) == 2
