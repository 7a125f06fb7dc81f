from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec.structs import asdict, replace
from sqlalchemy import (
    Connection,
    Engine,
    create_engine,
    delete,
    event,
    insert,
)

from revision_quality.recent_changes.asked import Asked
from revision_quality.recent_changes.cursor import Cursor
from revision_quality.recent_changes.filters import Filters, parse_filters
from revision_quality.recent_changes.newest import newest_changes
from revision_quality.recent_changes.query import matches
from revision_quality.recent_changes.ranking import rank
from revision_quality.recent_changes.reading import walked_changes
from revision_quality.recent_changes.sparse import sparse_changes
from revision_quality.views import change_tags
from revision_quality.views.change import Change
from revision_quality.views.facets import EVERY_WIKI, facets_of
from revision_quality.views.row import Row
from revision_quality.views.tables import change_facets, changes, metadata
from revision_quality.views.tables import change_tags as tagged
from revision_quality.views.user_key import user_key_of
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
    connection.execute(delete(change_facets))
    connection.execute(delete(tagged))
    change_tags.keep_in_step(connection, rows, {})
    if rows:
        stored = [values(row) for row in rows]
        connection.execute(insert(changes), stored)
        numbered = [(row["wiki_id"], row["facets"]) for row in stored if row["facets"] is not None]
        pairs = {*numbered, *((EVERY_WIKI, facets) for _, facets in numbered)}
        connection.execute(
            insert(change_facets), [{"wiki_id": w, "facets": f} for w, f in pairs]
        ) if pairs else None


def values(row: Change) -> dict[str, Any]:
    stored = asdict(Row(**asdict(row)))
    tags = msgspec.json.encode(row.tags).decode()
    return {
        **stored,
        "tags": tags,
        "state": row.state.value,
        "user_level": row.user_level.value,
        "facets": facets_of(row),
        "user_key": user_key_of(row),
    }


def _key(row: Change) -> Key:
    return row.timestamp, row.rev_id, row.wiki_id


def walked(connection: Connection, filters: Filters) -> list[Key]:
    return list(map(_key, walked_changes(connection, Asked(filters, LEVELS, NOW))))


cursors = st.one_of(
    st.none(),
    st.builds(
        Cursor, examples.few_times, st.integers(0, 5), st.one_of(examples.wiki_ids, st.just(""))
    ),
)
asked = st.builds(
    lambda filters, before, days, wikis: replace(
        filters, before=before, days=days, since=None, limit=500, wikis=wikis, order="newest"
    ),
    filters_of_any_kind,
    cursors,
    st.one_of(st.none(), st.sampled_from([1 / 86400, 2 / 86400, 1.0])),
    st.frozensets(examples.wiki_ids),
)
MANY_WIKIS = frozenset({"enwiki", *(f"w{n}" for n in range(40))})


@settings(deadline=None)
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
        assert walked(connection, filters) == expected
        for share in (0, 1):
            of_wikis = Asked(filters, LEVELS, NOW, share)
            few = walked_changes(connection, of_wikis, few=True)
            assert [_key(row) for row in few] == expected
        for walk in (0, 2, 2000):
            for limit in (1, 3, 500):
                page = replace(filters, limit=limit)
                found = newest_changes(connection, page, LEVELS, now=NOW, walk=walk).rows
                assert [_key(row) for row in found] == expected[:limit]
            sparse = sparse_changes(connection, Asked(page, LEVELS, NOW))
            assert [_key(row) for row in sparse] == expected
        connection.rollback()


@settings(deadline=None, max_examples=40)
@given(
    rows=st.lists(examples.changes, max_size=12, unique_by=lambda row: (row.wiki_id, row.rev_id)),
    filters=asked,
    order=st.sampled_from(["mixed", "riskiest"]),
    start=st.one_of(st.none(), st.integers(0, 11)),
)
def test_the_orders_by_risk_have_the_same_rows(
    engine: Engine, rows: list[Change], filters: Filters, order: str, start: int | None
) -> None:
    before = rank(order, rows[start]) if start is not None and start < len(rows) else None
    filters = replace(filters, order=order, before=before)
    expected = sorted(
        (row for row in rows if matches(row, filters, LEVELS, now=NOW)),
        key=lambda row: rank(order, row),
        reverse=True,
    )
    with engine.connect() as connection:
        store(connection, [replace(row, seq=number) for number, row in enumerate(rows)])
        for limit in (1, 3, 500):
            few = replace(filters, limit=limit)
            found = newest_changes(connection, few, LEVELS, now=NOW).rows
            assert [(row.wiki_id, row.rev_id) for row in found] == [
                (row.wiki_id, row.rev_id) for row in expected[:limit]
            ]
        connection.rollback()


def test_the_mixed_order_halves_the_weight_in_six_hours() -> None:
    old = change(1, score=0.85, timestamp=1_700_000_000)
    for score, later, comes_first in ((0.45, 5 * 3600, old), (0.45, 7 * 3600, None)):
        new = change(2, score=score, timestamp=1_700_000_000 + later)
        first = max((old, new), key=lambda row: rank("mixed", row))
        assert (first is old) is (comes_first is old)
    risky, fresh = change(1, score=0.999, timestamp=1), change(2, score=0.99, timestamp=10**9)
    assert rank("riskiest", risky) > rank("riskiest", fresh)


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
        everything = walked(connection, replace(base, limit=500))
        pages: list[Key] = []
        filters = base
        while page := walked(connection, filters):
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
        ("namespace=all-discussions", "changes_time"),
        ("revertrisk=likelybad", "changes_time"),
        ("wiki=enwiki", "changes_wiki_time"),
        ("wiki=enwiki&before=1700000000-5-enwiki", "changes_wiki_time"),
        ("wiki=enwiki;hewiki", "changes_wiki_time"),
        ("wiki=enwiki;hewiki&before=1700000000-5-enwiki", "changes_wiki_time"),
        ("wiki=" + ";".join(sorted(MANY_WIKIS)), "changes_time"),
    ],
)
def test_pages_are_read_through_an_index(engine: Engine, query: str, index: str) -> None:
    # Wikis of which few edits are.
    plan, filters = _plan(engine, query, share=0.001)
    reads = [step for step in plan if " changes" in step]
    assert reads
    assert all(f"USING INDEX {index}" in step for step in reads)
    if len(filters.wikis) in (0, 1, len(MANY_WIKIS)):
        # "FOR RIGHT PART OF ORDER BY" sorts rows of the same second only.
        assert not [step for step in plan if "TEMP B-TREE FOR ORDER BY" in step]


@pytest.mark.parametrize(
    ("query", "use"),
    [
        ("namespace=14", "COVERING INDEX"),
        ("namespace=all-discussions;2&invert=1", "COVERING INDEX"),
        ("wiki=enwiki;hewiki&revertrisk=likelybad", "COVERING INDEX"),
        # 0.15 lies within a grade: the row itself is asked.
        ("wiki=enwiki;hewiki&revertrisk=maybebad", "INDEX"),
    ],
)
def test_few_of_many_are_looked_for_in_the_index_of_all_edits(
    engine: Engine, query: str, use: str
) -> None:
    plan, _ = _plan(engine, query, share=0.2, few=True)
    assert [step for step in plan if f"USING {use} changes_time" in step]


def _plan(
    engine: Engine, query: str, *, share: float, few: bool = False
) -> tuple[list[str], Filters]:
    filters, _ = parse_filters([tuple(part.split("=")) for part in query.split("&") if part])
    plan: list[str] = []

    def explain(asked: Connection, _cursor: object, sql: str, values: Any, *_: object) -> None:
        if sql.startswith("SELECT"):
            plan.extend(
                row[3] for row in asked.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values)
            )

    with engine.connect() as connection:
        event.listen(connection, "before_cursor_execute", explain)
        walked_changes(connection, Asked(filters, LEVELS, NOW, share), since=1, few=few)
    return plan, filters
