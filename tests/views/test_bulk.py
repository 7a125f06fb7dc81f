"""Many rows at once: on each server they come back as they were written."""

import pytest
from sqlalchemy import Connection, select

from revision_quality.views import bulk
from revision_quality.views.bulk_update import update
from revision_quality.views.change import State
from revision_quality.views.changes import ChangesView, values_of
from revision_quality.views.database import Database
from revision_quality.views.row import Row
from revision_quality.views.tables import changes, level_counts

TEXTS = [
    '"quoted"',
    "it's",
    "back\\slash\\",
    "{a,b}",
    "NULL",
    "",
    "100 %s",
    "line\nend\t",
    "Ω 🦊",
    "null",
]
NUMBER = 1200


@pytest.fixture
def database(url):
    opened = Database(url)
    ChangesView(opened)
    yield opened
    opened.close_now()


def _row(rev_id: int, **facts) -> Row:
    text = TEXTS[rev_id % len(TEXTS)]
    return Row("wiki" + text[:3], rev_id, 0, rev_id, title=text, user=text, **facts)


ADDED = [values_of(_row(n, size=n % 7 or None, is_bot=n % 2 == 0), n) for n in range(NUMBER)]
CHANGED = {
    "a score, of many": lambda n: _row(
        n,
        state=State.SCORED,
        score=1 / (n + 3),
        model_name=TEXTS[n % len(TEXTS)],
        model_version="3",
        scored_dt=1795420800123,
        size=n % 7 or None,
        is_bot=n % 2 == 0,
    ),
    "marks, of many": lambda n: _row(n, size=n % 7 or None, is_bot=n % 2 == 1, is_reverted=True),
    "nothing left, of many": lambda n: Row(
        "wiki" + TEXTS[n % len(TEXTS)][:3], n, 0, n, deleted=True
    ),
    "something else of each": lambda n: _row(
        n,
        size=n,
        is_bot=n % 3 == 0,
        comment=TEXTS[n % 4] if n % 5 else None,
        reverted_by=n % 3 or None,
    ),
}


def _as_stored(connection: Connection) -> list[bulk.Values]:
    return sorted(bulk.read(connection, changes, {row[:2] for row in ADDED}))


def test_added_rows_come_back(database):
    database.write_now(lambda connection: bulk.add(connection, changes, ADDED))
    assert database.write_now(_as_stored) == sorted(ADDED)


def test_none_to_add_is_nothing_to_do(database):
    database.write_now(lambda connection: bulk.add(connection, changes, []))
    database.write_now(lambda connection: update(connection, changes, [], []))
    assert database.write_now(_as_stored) == []


@pytest.mark.parametrize("how", CHANGED)
def test_rows_come_back_as_updated(database, how):
    rows = [values_of(CHANGED[how](n), NUMBER + n) for n in range(NUMBER - 1)]
    database.write_now(lambda connection: bulk.write(connection, changes, ADDED))
    database.write_now(lambda connection: update(connection, changes, rows, ADDED[:-1]))
    assert database.write_now(_as_stored) == sorted([*rows, ADDED[-1]])


def test_of_rows_that_are_there_what_is_said_is_assigned(database):
    added = bulk.merging(level_counts, "number", bulk.total)
    keys = [(text[:3], 1, day, 7) for day, text in enumerate(TEXTS)]
    for number in (2, -1):
        rows = [(*key, number * day) for day, key in enumerate(keys)]
        database.write_now(
            lambda connection, rows=rows: bulk.write(connection, level_counts, rows, added)
        )

    stored = database.write_now(lambda connection: connection.execute(select(level_counts)).all())
    assert sorted(map(tuple, stored)) == sorted((*key, day) for day, key in enumerate(keys))


def test_whole_rows_take_the_place_of_those_that_are_there(database):
    rows = [values_of(CHANGED["a score, of many"](n), NUMBER + n) for n in range(NUMBER - 1)]
    database.write_now(lambda connection: bulk.write(connection, changes, ADDED))
    database.write_now(lambda connection: bulk.write(connection, changes, rows))
    assert database.write_now(_as_stored) == sorted([*rows, ADDED[-1]])


def test_rows_that_one_transaction_writes_again_are_counted_each_time(database):
    added = bulk.merging(level_counts, "number", bulk.total)

    def write(connection: Connection) -> None:
        for number in (2, 5, -1):
            bulk.write(connection, level_counts, [("wiki", 1, 1, 7, number)], added)
        bulk.write(connection, level_counts, [("wiki", 1, 2, 7, 9)], added)

    database.write_now(write)

    stored = database.write_now(lambda connection: connection.execute(select(level_counts)).all())
    assert sorted(map(tuple, stored)) == [("wiki", 1, 1, 7, 6), ("wiki", 1, 2, 7, 9)]
