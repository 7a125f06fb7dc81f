"""The extension RevisionQuality's tables show what became of a wiki's recent changes."""

from collections.abc import Iterator
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import make_url

from revision_quality.events.prediction_error import Outcome
from revision_quality.views.mediawiki import MediaWikiTables, MediaWikiWiki
from revision_quality.views.mediawiki_tables import NUMBERS, NUMBERS_OR_UNSCORED, extension_tables
from revision_quality.views.mediawiki_upkeep import MediaWikiUpkeep
from revision_quality.views.ores_policy import OresPolicy
from tests.events.examples import (
    MODEL,
    VERSION,
    page_change,
    prediction,
    prediction_error,
    visibility_change,
)
from tests.recent_changes.examples import LEVELS
from tests.views.examples import records
from tests.views.ores_house import House

SQL = Path(__file__).parents[2] / "extension/RevisionQuality/sql"
ALL = OresPolicy(excludes_bots=False)
EDIT = page_change(rev_id=10)
OF_THE_WIKI = LEVELS.default
LIKELYGOOD, MAYBEBAD, LIKELYBAD, VERYLIKELYBAD = NUMBERS.values()
UNSCORED = 0


@pytest.fixture
def house(url: str) -> Iterator[House]:
    made = House(url)
    made.make()
    kind = {"mariadb": "mysql", "postgresql": "postgres"}.get(
        make_url(url).get_backend_name(), "sqlite"
    )
    for statement in (SQL / kind / "tables-generated.sql").read_text().split(";"):
        if statement.strip():
            made.sql(statement.replace("/*_*/", ""))
    yield made
    made.database.close_now()


def view(house: House, policy: OresPolicy = ALL, version: str | None = None) -> MediaWikiTables:
    wiki = MediaWikiWiki("my_wiki", house.tables, extension_tables(), policy)
    model = None if version is None else (MODEL, version)
    return MediaWikiTables(
        house.database, wiki, house.positions, OF_THE_WIKI, house.clock, model=model
    )


def edits(house: House) -> list[tuple[Any, ...]]:
    return house.sql("SELECT rq_rev, rq_state, rq_score FROM revision_quality ORDER BY rq_rev")


def flags(house: House) -> list[tuple[int, int]]:
    return [
        (rev, level)
        for rev, level in house.sql(
            "SELECT rqf_rev, rqf_level FROM revision_quality_flag"
            f" WHERE rqf_level <= {VERYLIKELYBAD} ORDER BY rqf_rev, rqf_level"
        )
    ]


def either(house: House) -> set[int]:
    """Return the flags of each "this level or not scored yet"."""
    numbers = house.sql(
        f"SELECT rqf_level FROM revision_quality_flag WHERE rqf_level > {VERYLIKELYBAD}"
    )
    return {number for (number,) in numbers}


@pytest.mark.parametrize(
    ("score", "levels"),
    [
        (0.0, [LIKELYGOOD]),
        (0.1, []),
        (0.3, [MAYBEBAD]),
        (0.6, [MAYBEBAD, LIKELYBAD]),
        (1.0, [MAYBEBAD, LIKELYBAD, VERYLIKELYBAD]),
    ],
)
async def test_an_edit_has_a_flag_of_every_level_that_holds(house, score, levels):
    house.edit(10)

    assert await view(house).apply(records([EDIT, prediction(EDIT, score)])) == 1

    assert edits(house) == [(10, 1, score)]
    assert flags(house) == [(10, level) for level in levels]


@pytest.mark.parametrize("order", list(permutations(range(3))))
async def test_a_score_stays_in_whatever_order_events_come(house, order):
    house.edit(10)
    events = [EDIT, prediction_error(EDIT), prediction(EDIT, 0.95)]
    made = view(house)

    for place, which in enumerate(order, start=1):
        await made.apply(records([events[which]], place))

    assert edits(house) == [(10, 1, 0.95)]
    assert flags(house) == [(10, MAYBEBAD), (10, LIKELYBAD), (10, VERYLIKELYBAD)]


@pytest.mark.parametrize(
    ("outcome", "state", "found"),
    [(None, 0, [(10, UNSCORED)]), (Outcome.FAILED, 3, [(10, UNSCORED)]),
     (Outcome.NOT_SCORABLE, 2, [])],
)  # fmt: skip
async def test_an_edit_without_a_score_says_so(house, outcome, state, found):
    house.edit(10)
    events = [EDIT] if outcome is None else [EDIT, _error(outcome)]

    await view(house).apply(records(events))

    assert edits(house) == [(10, state, None)]
    assert flags(house) == found


async def test_one_flag_finds_a_level_and_what_waits(house):
    house.edit(10)
    made = view(house)

    await made.apply(records([EDIT]))
    assert either(house) == set(NUMBERS_OR_UNSCORED.values())
    await made.apply(records([prediction(EDIT, 0.6)], 2))

    assert either(house) == {NUMBERS_OR_UNSCORED[name] for name in ("maybebad", "likelybad")}


async def test_what_is_hidden_or_deleted_leaves(house):
    for rev_id in (10, 11, 12):
        house.edit(rev_id)
    made = view(house)
    told = [page_change(rev_id=rev_id) for rev_id in (10, 11, 12)]
    await made.apply(records([prediction(each, 0.95) for each in told]))
    house.delete_page([11], 5, "Some_page")

    removed = [visibility_change(10, text=False), page_change("delete", rev_id=11)]
    await made.apply(records(removed, 9))

    assert [rev_id for rev_id, *_ in edits(house)] == [12]
    assert {rev_id for rev_id, _ in flags(house)} == {12}


async def test_bots_are_left_out_where_the_policy_says_so(house):
    house.edit(10, bot=1)

    await view(house, OresPolicy(excludes_bots=True)).apply(records([prediction(EDIT)]))
    assert edits(house) == []
    await view(house).apply(records([prediction(EDIT)]))
    assert len(edits(house)) == 1


async def test_a_later_version_takes_the_place_of_a_score(house):
    house.edit(10)
    made = view(house)

    await made.apply(records([prediction(EDIT, 0.95)]))
    await made.apply(records([prediction(EDIT, 0.35, version="2")], 2))

    assert edits(house) == [(10, 1, 0.35)]
    assert flags(house) == [(10, MAYBEBAD)]
    ((name, version),) = house.sql(
        "SELECT rqm_name, rqm_version FROM revision_quality_model"
        " JOIN revision_quality ON rqm_id = rq_model"
    )
    assert {house.text(MODEL), house.text("2")} == {name, version}
    assert version != VERSION


async def test_other_levels_flag_the_edits_that_are_there(house):
    house.edit(10)
    made = view(house)
    await made.apply(records([prediction(EDIT, 0.7)]))
    stricter = tuple(replace(each, threshold=each.threshold + 0.15) for each in OF_THE_WIKI)

    await MediaWikiUpkeep(made, lambda: OF_THE_WIKI, house.clock).refresh()
    assert flags(house) == [(10, MAYBEBAD), (10, LIKELYBAD)]
    await MediaWikiUpkeep(made, lambda: stricter, house.clock).refresh()

    assert flags(house) == [(10, MAYBEBAD)]
    told = dict(house.sql("SELECT rql_level, rql_threshold FROM revision_quality_level"))
    assert told == {NUMBERS[each.name]: each.threshold for each in stricter}


async def test_levels_of_a_new_version_leave_no_filter_emptier(house):
    for rev_id in (10, 11):
        house.edit(rev_id)
    old, new = view(house, version=VERSION), view(house, version="2")
    await old.apply(records([prediction(EDIT, 0.7)]))
    await MediaWikiUpkeep(old, lambda: OF_THE_WIKI, house.clock).refresh()
    stricter = tuple(replace(each, threshold=each.threshold + 0.15) for each in OF_THE_WIKI)
    upkeep = MediaWikiUpkeep(new, lambda: stricter, house.clock)

    await upkeep.refresh()
    assert flags(house) == [(10, MAYBEBAD), (10, LIKELYBAD)]
    await new.apply(records([prediction(page_change(rev_id=11), 0.7, version="2")], 2))
    await new.apply(records([prediction(EDIT, 0.8, version="2")], 3))

    assert flags(house) == [(10, MAYBEBAD), (10, LIKELYBAD), (11, MAYBEBAD)]


async def test_edits_a_day_are_counted_from_the_flags(house):
    for rev_id in range(10, 14):
        house.edit(rev_id)
    made = view(house)
    told = [prediction(page_change(rev_id=rev_id), 0.7) for rev_id in range(10, 14)]
    await made.apply(records(told))
    await house.clock.sleep(2 * 86400)

    await made.write_levels()

    told_of = "SELECT rql_edits_a_day FROM revision_quality_level WHERE rql_level = :n"
    ((number,),) = house.sql(told_of, n=LIKELYBAD)
    assert number == pytest.approx(2, rel=0.01)


def _error(outcome: Outcome) -> Any:
    event = prediction_error(EDIT)
    return replace(event, error=replace(event.error, state=outcome))
