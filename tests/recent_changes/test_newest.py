"""Pages of few among many on real servers: the same rows as a test of every single change."""

import random
import re
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import asdict, replace
from sqlalchemy import Connection, event, insert

from revision_quality.recent_changes.asked import Asked
from revision_quality.recent_changes.cursor import Cursor
from revision_quality.recent_changes.filters import Filters, parse_filters
from revision_quality.recent_changes.newest import newest_changes
from revision_quality.recent_changes.query import matches
from revision_quality.recent_changes.ranking import GRADES, rank
from revision_quality.recent_changes.windows import changes_in_windows, tagged_in_windows
from revision_quality.views import bulk, change_tags
from revision_quality.views.change import Change, State, UserLevel
from revision_quality.views.changes import ChangesView, note_facets, values_of
from revision_quality.views.database import Database
from revision_quality.views.row import Row
from revision_quality.views.tables import change_counts, changes
from tests.recent_changes.examples import LEVELS, change

NOW = 1_700_000_000
ROWS = 3000

TAGS = {"common": 0.3, "rare": 0.01}

QUERIES = [
    "",
    "revertrisk=verylikelybad",
    "revertrisk=maybebad;likelygood&namespace=14",
    "revertrisk=verylikelybad&hidehumans=1&wiki=hewiki",
    "state=failed",
    "state=failed;pending&hidemajor=1",
    "namespace=14",
    "namespace=99",
    "namespace=0;1&invert=1",
    "namespace=all-discussions&hidehumans=1",
    "namespace=all-contents;1&invert=1",
    "order=riskiest&namespace=all-discussions;14",
    "userExpLevel=newcomer;learner;experienced&hidemajor=1",
    "hidehumans=1&userExpLevel=unregistered&hidepageedits=1",
    "wiki=hewiki;my_wiki&state=failed",
    "wiki=my_wiki;b-wiki",
    "wiki=hewiki;my_wiki&namespace=1",
    "wiki=b-wiki",
    "wiki=" + ";".join(["hewiki", *(f"w{number}" for number in range(30))]) + "&namespace=14",
    "days=0.01&namespace=14",
    "tagfilter=rare",
    "tagfilter=common",
    "tagfilter=common|rare&hidebots=1",
    "tagfilter=rare&wiki=hewiki;my_wiki&revertrisk=maybebad",
    "tagfilter=common&wiki=" + ";".join(["hewiki", *(f"w{number}" for number in range(30))]),
    "tagfilter=common&inverttags=1",
    "order=riskiest",
    "order=mixed",
    "order=riskiest&days=0.001",
    "order=mixed&days=0.005&hidebots=1",
    "order=mixed&namespace=14",
    "order=riskiest&revertrisk=verylikelybad&wiki=hewiki;my_wiki",
    "order=mixed&wiki=" + ";".join(["hewiki", "b-wiki", *(f"w{number}" for number in range(30))]),
    "order=riskiest&state=failed;pending",
    "order=mixed&tagfilter=rare",
    "order=riskiest&tagfilter=rare&wiki=hewiki;my_wiki",
    "order=mixed&tagfilter=common",
    "order=riskiest&tagfilter=common&days=0.01",
    "order=mixed&tagfilter=common&inverttags=1&namespace=0;1",
]


def _changes() -> list[Change]:
    chance = random.Random(5)
    return [
        change(
            rev_id,
            wiki_id=chance.choices(["enwiki", "hewiki", "my_wiki", "b-wiki"], [90, 8, 1, 1])[0],
            timestamp=NOW - rev_id // 2,
            namespace=chance.choices([0, 1, 14], [80, 19, 1])[0],
            user_level=chance.choice(list(UserLevel)),
            is_bot=chance.random() < 0.05,
            is_minor=chance.random() < 0.2,
            kind="create" if chance.random() < 0.05 else "edit",
            state=state,
            score=chance.random() ** 6 if state is State.SCORED else None,
            deleted=chance.random() < 0.01,
            tags=tuple(t for t, share in TAGS.items() if chance.random() < share),
        )
        for rev_id in range(1, ROWS)
        for state in chance.choices(list(State), [1, 97, 1, 1])
    ]


@pytest.fixture(scope="module")
def rows() -> list[Change]:
    return _changes()


def _filters(query: str) -> Filters:
    filters, _ = parse_filters([tuple(part.split("=")) for part in query.split("&") if part])
    return filters


def _middle(filters: Filters, rows: list[Change]) -> Cursor:
    """Return the rank of a change that half of those of the filter come behind."""
    ranks = sorted(
        rank(filters.order, row) for row in rows if matches(row, filters, LEVELS, now=NOW)
    )
    return ranks[len(ranks) // 2] if ranks else Cursor(NOW - ROWS // 4, ROWS // 2)


def _write(connection: Connection, rows: list[Change]) -> None:
    values = [values_of(Row(**asdict(row)), row.rev_id) for row in rows]
    bulk.write(connection, changes, values)
    note_facets(connection, values)
    change_tags.keep_in_step(connection, rows, {})
    numbers = Counter((row.wiki_id, row.state.value) for row in rows)
    counts = [{"wiki_id": w, "state": s, "number": n} for (w, s), n in numbers.items()]
    connection.execute(insert(change_counts), counts)


def _run(url: str, check: Callable[[Connection], None]) -> None:
    """Give a connection to an empty view."""
    ChangesView(database := Database(url))
    try:
        database.write_now(check)
    finally:
        database.close_now()


def test_few_among_many_are_all_found_in_order(url: str, rows: list[Change]) -> None:

    def check(connection: Connection) -> None:
        _write(connection, rows)
        for query in QUERIES:
            filters = _filters(query)
            for before in (None, _middle(filters, rows)):
                asked = replace(filters, before=before, limit=20)
                expected = sorted(
                    (
                        rank(asked.order, row)
                        for row in rows
                        if matches(row, asked, LEVELS, now=NOW)
                    ),
                    reverse=True,
                )
                for walk in (40, 600):
                    found = newest_changes(connection, asked, LEVELS, now=NOW, walk=walk).rows
                    ranks = [rank(asked.order, row) for row in found]
                    assert ranks == expected[:20], (query, before, walk)

    _run(url, check)


def test_windows_are_the_page_or_are_too_narrow(tmp_path: Path, rows: list[Change]) -> None:
    narrow = 0
    queries = (
        *(query for query in QUERIES if "order=" in query),
        "order=mixed&revertrisk=likelygood",
        "order=mixed&revertrisk=maybebad&hidebots=1",
        "order=riskiest&wiki=enwiki;hewiki&namespace=0",
        "order=mixed&days=0.001",
        "order=riskiest&days=0.01",
        "order=mixed&state=failed",
    )

    def check(connection: Connection) -> None:
        nonlocal narrow
        _write(connection, rows)
        for query in queries:
            for before in (None, _middle(_filters(query), rows)):
                filters = replace(_filters(query), before=before, limit=20)
                matching = [row for row in rows if matches(row, filters, LEVELS, now=NOW)]
                expected = sorted(matching, key=partial(rank, filters.order), reverse=True)[:20]
                for each, share in ((1, 1), (5, 1), (50, 1), (400, 1), (ROWS, 1), (None, 0.2)):
                    asked = Asked(filters, LEVELS, NOW, share)
                    found = changes_in_windows(connection, asked, GRADES, each=each)
                    narrow += found is None
                    assert found in (None, expected), (query, before, each)

    _run(f"sqlite:///{tmp_path}/changes.sqlite", check)
    assert narrow


@pytest.mark.parametrize("order", ["mixed", "riskiest"])
@pytest.mark.parametrize("tags", ["common", "rare", "common&inverttags=1", "rare|common"])
def test_short_pages_of_tags_go_on_where_the_look_ended(
    tmp_path: Path, rows: list[Change], order: str, tags: str
) -> None:
    filters = replace(_filters(f"order={order}&tagfilter={tags}&days=0.02"), limit=20)
    expected = sorted(
        (rank(order, row) for row in rows if matches(row, filters, LEVELS, now=NOW)), reverse=True
    )
    ranks: list[Cursor] = []
    short = 0

    def check(connection: Connection) -> None:
        nonlocal short
        _write(connection, rows)
        before = None
        while True:
            asked = Asked(replace(filters, before=before), LEVELS, NOW)
            page, end = tagged_in_windows(connection, asked, GRADES, at_most=30)
            ranks.extend(rank(order, row) for row in page)
            if not end and len(page) < 20:
                return
            short += bool(end)
            before = Cursor(end, 0) if end else ranks[-1]

    _run(f"sqlite:///{tmp_path}/changes.sqlite", check)
    assert ranks == expected
    assert short or tags != "rare"


def test_an_edit_of_a_clock_that_is_ahead_of_ours_is_first(url: str) -> None:
    ahead = change(1, timestamp=NOW + 100_000, score=0.05)
    others = [change(2 + n, timestamp=NOW - 400 - n, score=0.9999) for n in range(60)]
    asked = Asked(replace(_filters("order=mixed"), limit=5), LEVELS, NOW)

    def check(connection: Connection) -> None:
        _write(connection, [ahead, *others])
        found = changes_in_windows(connection, asked, GRADES, each=20)
        assert found is not None
        assert [row.rev_id for row in found] == [1, 2, 3, 4, 5]

    _run(url, check)


def test_the_many_risky_of_older_days_do_not_hide_the_others_of_today(url: str) -> None:
    times = [NOW - n - (0 if n < 5 else 90_000) for n in range(60)]
    risky = [change(n, timestamp=time, score=0.9999) for n, time in enumerate(times)]
    others = [change(100 + n, timestamp=NOW - n, score=0.85) for n in range(10)]
    asked, _ = parse_filters([("order", "riskiest"), ("days", "1"), ("limit", "20")])

    def check(connection: Connection) -> None:
        _write(connection, [*risky, *others])
        found = newest_changes(connection, asked, LEVELS, now=NOW).rows
        assert [row.rev_id for row in found] == [*range(5), *range(100, 110)]

    _run(url, check)


def test_no_page_looks_at_all_rows_of_sqlite(tmp_path: Path, rows: list[Change]) -> None:
    asked: list[tuple[str, Any]] = []

    def check(connection: Connection) -> None:
        _write(connection, rows)
        event.listen(
            connection,
            "before_cursor_execute",
            lambda _connection, _cursor, statement, values, *_: asked.append((statement, values)),
        )
        for query in QUERIES:
            filters = _filters(query)
            for before in (None, _middle(filters, rows)):
                page = replace(filters, before=before, limit=20)
                newest_changes(connection, page, LEVELS, now=NOW, walk=40)
        for statement, values in list(asked):
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
            scans = [row.detail for row in plan if re.match("SCAN changes( |$)", row.detail)]
            assert not [scan for scan in scans if "_time" not in scan], (statement, scans)

    _run(f"sqlite:///{tmp_path}/changes.sqlite", check)
    assert asked


def _tagged_but_for(every: int, number: int) -> list[Change]:
    """Edits of a talk page of which few have no tag, each between others of an article."""
    talk = [
        change(n, namespace=1, timestamp=NOW - 60 * n, tags=() if n % every == 0 else ("common",))
        for n in range(number)
    ]
    others = [change(1000 + n, timestamp=NOW - 15 * n) for n in range(4 * number)]
    return [*talk, *others]


def test_few_without_a_tag_are_found_among_those_of_the_other_filters(url: str) -> None:
    asked = replace(_filters("tagfilter=common&inverttags=1&namespace=1"), limit=5)

    def check(connection: Connection) -> None:
        _write(connection, _tagged_but_for(2, 60))
        found = newest_changes(connection, asked, LEVELS, now=NOW, walk=20)
        assert [row.rev_id for row in found.rows] == [0, 2, 4, 6, 8]
        assert found.end == 0

    _run(url, check)


def test_where_most_have_an_excluded_tag_the_next_page_goes_on_where_the_look_ended(
    url: str,
) -> None:
    asked = replace(_filters("tagfilter=common&inverttags=1&namespace=1"), limit=5)

    def check(connection: Connection) -> None:
        _write(connection, _tagged_but_for(30, 100))
        seen: list[int] = []
        pages, end = 0, NOW + 1
        while end:
            page = replace(asked, before=Cursor(end, 0))
            found = newest_changes(connection, page, LEVELS, now=NOW, walk=20)
            assert found.end < end
            seen += [row.rev_id for row in found.rows]
            pages, end = pages + 1, found.end
        assert seen == [0, 30, 60, 90]
        assert pages > 1

    _run(url, check)


def test_a_row_reads_as_the_change_that_was_written(url: str) -> None:
    written = change(
        7,
        is_bot=True,
        is_minor=True,
        is_temp=False,
        comment_hidden=True,
        comment=None,
        tags=("mobile edit", 'q"é'),
        user_level=UserLevel.NEWCOMER,
    )

    def check(connection: Connection) -> None:
        _write(connection, [written])
        (read,) = newest_changes(connection, Filters(), LEVELS, now=NOW).rows
        # 1 and True are equal, but not in JSON.
        assert msgspec.json.encode(read) == msgspec.json.encode(written)

    _run(url, check)
