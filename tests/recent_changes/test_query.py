from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import asdict, replace
from sqlalchemy import Connection, Engine, Select, create_engine, delete, insert, select, text
from sqlalchemy.dialects import sqlite

from revision_quality.recent_changes.cursor import Cursor
from revision_quality.recent_changes.filters import Filters, parse_filters
from revision_quality.recent_changes.query import matches, select_changes
from revision_quality.views.change import Change
from revision_quality.views.row import Row
from revision_quality.views.tables import changes, metadata
from tests.recent_changes import examples
from tests.recent_changes.examples import LEVELS, change
from tests.recent_changes.test_filters import filters_of_any_kind

NOW = 1_700_000_003.0

Key = tuple[int, int, str]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    folder: Path = tmp_path_factory.mktemp("query")
    engine = create_engine(f"sqlite:///{folder}/changes.sqlite")
    metadata.create_all(engine)
    yield engine
    engine.dispose()


def store(connection: Connection, rows: list[Change]) -> None:
    connection.execute(delete(changes))
    if rows:
        connection.execute(insert(changes), [values(row) for row in rows])


def values(row: Change) -> dict[str, Any]:
    stored = asdict(Row(**asdict(row)))
    tags = msgspec.json.encode(row.tags).decode()
    return {**stored, "tags": tags, "state": row.state.value, "user_level": row.user_level.value}


def keys(connection: Connection, statement: Select[Any]) -> list[Key]:
    rows = connection.execute(statement).mappings()
    return [(row["timestamp"], row["rev_id"], row["wiki_id"]) for row in rows]


cursors = st.one_of(
    st.none(),
    st.builds(
        Cursor, examples.few_times, st.integers(0, 5), st.one_of(examples.wiki_ids, st.just(""))
    ),
)
asked = st.builds(
    lambda filters, before, days, wikis: replace(
        filters, before=before, days=days, limit=500, wikis=wikis
    ),
    filters_of_any_kind,
    cursors,
    st.one_of(st.none(), st.sampled_from([1 / 86400, 2 / 86400, 1.0])),
    st.frozensets(examples.wiki_ids),
)
MANY_WIKIS = frozenset({"enwiki", *(f"w{n}" for n in range(40))})


@given(
    rows=st.lists(examples.changes, max_size=12, unique_by=lambda row: (row.wiki_id, row.rev_id)),
    filters=asked,
)
@example(rows=[change(1), change(2, wiki_id="hewiki")], filters=Filters(wikis=MANY_WIKIS))
def test_the_database_and_the_test_of_one_change_agree(
    engine: Engine, rows: list[Change], filters: Filters
) -> None:
    expected = sorted(
        (
            (row.timestamp, row.rev_id, row.wiki_id)
            for row in rows
            if matches(row, filters, LEVELS, now=NOW)
        ),
        reverse=True,
    )
    with engine.connect() as connection:
        store(connection, [replace(row, seq=number) for number, row in enumerate(rows)])
        assert keys(connection, select_changes(filters, LEVELS, now=NOW)) == expected
        connection.rollback()


@pytest.mark.parametrize("query", ["", "wiki=enwiki", "wiki=enwiki;hewiki", "hidebots=1"])
def test_pages_follow_each_other_without_gap_or_repetition(engine: Engine, query: str) -> None:
    rows = [
        change(rev_id, wiki_id=wiki_id, timestamp=1_700_000_000 + rev_id // 3, seq=rev_id * 2 + n)
        for rev_id in range(1, 20)
        for n, wiki_id in enumerate(("enwiki", "hewiki"))
    ]
    base = replace(parse_filters([tuple(p.split("=")) for p in query.split("&") if p])[0], limit=4)
    with engine.connect() as connection:
        store(connection, rows)
        everything = keys(connection, select_changes(replace(base, limit=500), LEVELS, now=NOW))
        pages: list[Key] = []
        filters = base
        while page := keys(connection, select_changes(filters, LEVELS, now=NOW)):
            assert len(page) <= 4
            pages += page
            filters = replace(base, before=Cursor(*page[-1]))
        connection.rollback()
    assert pages == everything
    assert len(pages) == (19 if query == "wiki=enwiki" else 38)


def test_a_wiki_with_levels_of_its_own_is_asked_by_them() -> None:
    filters = Filters(levels=frozenset({"maybebad"}))
    ours = change(score=0.2, wiki_id="hewiki")
    others = change(score=0.2, wiki_id="enwiki")

    assert matches(ours, filters, LEVELS, now=NOW)
    assert not matches(others, filters, LEVELS, now=NOW)


def test_deleted_changes_never_match() -> None:
    assert not matches(change(deleted=True), Filters(), LEVELS, now=NOW)


def test_registered_takes_in_all_who_have_an_account() -> None:
    registered = Filters(users=frozenset({"registered"}))
    for level, expected in (("unregistered", False), ("newcomer", True), ("registered", True)):
        row = msgspec.convert({**asdict(change()), "user_level": level}, Change)
        assert matches(row, registered, LEVELS, now=NOW) is expected


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("", "changes_time"),
        ("before=1700000000-5-enwiki", "changes_time"),
        ("days=3", "changes_time"),
        ("hidebots=1&namespace=0", "changes_time"),
        ("revertrisk=likelybad", "changes_time"),
        ("wiki=enwiki", "changes_wiki_time"),
        ("wiki=enwiki&before=1700000000-5-enwiki", "changes_wiki_time"),
        ("wiki=enwiki;hewiki", "changes_wiki_time"),
        ("wiki=enwiki;hewiki&before=1700000000-5-enwiki", "changes_wiki_time"),
        ("wiki=" + ";".join(sorted(MANY_WIKIS)), "changes_time"),
    ],
)
def test_pages_are_read_through_an_index(engine: Engine, query: str, index: str) -> None:
    filters, _ = parse_filters([tuple(part.split("=")) for part in query.split("&") if part])
    statement = select_changes(filters, LEVELS, now=NOW)
    sql = str(statement.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True}))
    with engine.connect() as connection:
        plan = [row[3] for row in connection.execute(text(f"EXPLAIN QUERY PLAN {sql}"))]

    reads = [step for step in plan if " changes" in step]
    assert reads
    assert all(f"USING INDEX {index}" in step for step in reads)
    if len(reads) == 1:
        # "FOR RIGHT PART OF ORDER BY" sorts rows of the same second only.
        assert not [step for step in plan if "TEMP B-TREE FOR ORDER BY" in step]


def test_the_statement_gives_the_columns_of_the_table() -> None:
    for wikis in (frozenset[str](), frozenset({"a"}), frozenset({"a", "b"})):
        statement = select_changes(Filters(wikis=wikis), LEVELS, now=NOW)
        assert statement.selected_columns.keys() == select(changes).selected_columns.keys()
