"""The last writes: each edit where it was written last, the oldest forgotten."""

import pytest
from sqlalchemy import Connection, func, select, text, update

from revision_quality.views import change_writes
from revision_quality.views.change_writes import KEPT
from revision_quality.views.changes import ChangesView
from revision_quality.views.database import Database
from revision_quality.views.schema import VERSION_TABLE
from revision_quality.views.tables import change_writes as entries
from revision_quality.views.tables import changes
from tests.events.examples import page_change, prediction
from tests.views.examples import open_view, records

EDITS = 1200


async def followed(view: ChangesView, seq: int, limit: int) -> list[tuple[int, int]]:
    """What a reader gets who goes on from the last row of each answer."""
    told: list[tuple[int, int]] = []
    while rows := await view.since(seq, limit):
        assert len(rows) <= limit
        told += [(row.seq, row.rev_id) for row in rows]
        seq = rows[-1].seq
    return told


async def write(view: ChangesView, *rev_ids: int) -> None:
    await view.apply(records([page_change(rev_id=rev_id) for rev_id in rev_ids]))


@pytest.mark.parametrize("limit", [1, 7, 500, 5000])
async def test_a_reader_gets_each_edit_once_in_the_order_of_writing(view, limit):
    edits = range(10, 10 + (EDITS if limit > 7 else 20))
    await write(view, *edits)
    await write(view, 9)

    told = await followed(view, 0, limit)
    assert told == list(enumerate([*edits, 9], start=1))
    assert await followed(view, 15, limit) == told[15:]


async def test_what_was_written_again_comes_where_it_was_written_last(view):
    await write(view, 10)
    await write(view, 11)
    for rev_id in (10, 11):
        await view.apply(records([prediction(page_change(rev_id=rev_id))]))

    assert await followed(view, 0, 1) == [(3, 10), (4, 11)]


async def test_old_writes_are_forgotten(view):
    def note(connection: Connection, first: int, number: int) -> None:
        edits = [("enwiki", first + place) for place in range(number)]
        change_writes.note(connection, edits, first + number - 1)

    numbers = (1, KEPT - 1, 1, 3 * KEPT + 10, 20)
    first = 1
    for number in numbers:
        await view.write(lambda connection, at=first, n=number: note(connection, at, n))
        first += number

    kept = await view.read(
        lambda connection: connection.execute(
            select(func.min(entries.c.seq), func.max(entries.c.seq))
        ).one()
    )
    last = sum(numbers)
    assert kept[1] == last
    assert last - 2 * KEPT < kept[0] <= last - KEPT + 500


async def test_a_purged_edit_is_told_no_more(view):
    await write(view, 10, 11)
    await view.write(
        lambda connection: (
            connection.execute(update(changes).where(changes.c.rev_id == 10).values(timestamp=1))
            and None
        )
    )
    await view.purge(before=2)

    assert await followed(view, 0, 5) == [(2, 11)]


async def test_a_view_of_schema_10_is_upgraded_in_place(url):
    edits = range(10, 10 + EDITS)
    async with open_view(url) as view:
        await write(view, *edits)
    database = Database(url)
    for statement in (
        "DROP TABLE change_writes",
        "CREATE UNIQUE INDEX changes_seq ON changes (seq)",
        f"UPDATE {VERSION_TABLE} SET version_num = '10'",
    ):
        database.write_now(lambda connection, sql=statement: connection.execute(text(sql)) and None)
    database.close_now()

    async with open_view(url) as view:
        await write(view, 9)
        assert await followed(view, 0, 500) == list(enumerate([*edits, 9], start=1))
