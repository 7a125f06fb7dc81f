"""On a real MediaWiki: ORES's own query over its recent changes gives the flagged edits."""

from collections.abc import Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from revision_quality.events.page_change import PageChange
from revision_quality.events.prediction import PredictionChange
from revision_quality.views.ores import OresTables
from revision_quality.views.ores_place import wiki_database
from revision_quality.views.ores_policy import OresModel, OresPolicy
from revision_quality.views.ores_rights import check_rights
from revision_quality.views.ores_upkeep import OresUpkeep
from tests.events.examples import MODEL, page_change, prediction, visibility_change
from tests.servers.mediawiki import ADMIN, BOT, RealWiki
from tests.views.examples import records
from tests.views.ores_house import ALL, House, make_ores_tables
from tests.views.test_ores_upkeep import NEW, Known, pass_through

pytestmark = pytest.mark.mediawiki


@pytest.fixture(scope="module")
def wiki(start_wiki) -> RealWiki:
    started: RealWiki = start_wiki("ores_wiki")
    make_ores_tables(file_of(started))
    return started


@pytest.fixture
def house(wiki: RealWiki) -> Iterator[House]:
    opened = House(file_of(wiki))
    yield opened
    opened.sql("DELETE FROM ores_classification")
    opened.sql("DELETE FROM ores_model")
    opened.database.close_now()


def file_of(wiki: RealWiki) -> str:
    return f"sqlite:///{wiki._folder}/data/{wiki.wiki_id}.sqlite"


def view_of(house: House, *models: OresModel, policy: OresPolicy = ALL) -> OresTables:
    return house.view(*models, policy=policy, wiki_id="ores_wiki")


def change(wiki: RealWiki, rev_id: int, kind: str = "edit") -> PageChange:
    """The event of a revision that is there."""
    answer = wiki.get(action="query", revids=rev_id, prop="info")
    page = answer["query"]["pages"][0]
    title = page["title"].replace(" ", "_")
    entity = {"page_id": page["pageid"], "page_title": title, "namespace_id": page["ns"]}
    return replace(page_change(kind, rev_id, page=entity), wiki_id=wiki.wiki_id)


def score(wiki: RealWiki, rev_id: int, value: float = 0.9) -> PredictionChange:
    return prediction(change(wiki, rev_id), value)


def total(house: House, table: str) -> list[tuple[Any, ...]]:
    return house.sql(f"SELECT * FROM {table}")


async def test_the_filter_shows_the_flagged_edits(wiki, house):
    good = wiki.edit("Filtered", "A", user=ADMIN)
    bad = wiki.edit("Filtered", "AAAAAA")
    talk = wiki.edit("Talk:Filtered", "AAAAAA")
    bot = wiki.edit("Filtered", "A and more", user=BOT)
    wiki.move("Filtered", "Filtered on")
    before = {table: total(house, table) for table in ("recentchanges", "revision", "archive")}

    await view_of(house).apply(
        records([score(wiki, good, 0.1), *(score(wiki, each) for each in (bad, talk, bot))])
    )

    assert house.shown(0.83) == [bad]
    assert [row[0] for row in house.rows()] == [good, bad, talk]
    assert {table: total(house, table) for table in before} == before


async def test_what_was_patrolled_automatically_may_be_left_out(wiki, house):
    trusted = wiki.edit("Patrolled", "A", user=ADMIN)
    other = wiki.edit("Patrolled", "B")

    policy = OresPolicy(excludes_autopatrolled=True)
    await view_of(house, policy=policy).apply(records([score(wiki, trusted), score(wiki, other)]))

    assert house.shown() == [other]


async def test_a_hidden_revision_and_a_deleted_page_have_no_scores(wiki, house):
    edits = [wiki.edit("Project:To be: deleted", f"{number}") for number in range(3)]
    hidden = wiki.edit("Kept", "secret")
    last = wiki.edit("Kept", "public")
    view = view_of(house)
    events = [score(wiki, each) for each in (*edits, hidden, last)]
    await view.apply(records(events))
    deletion = change(wiki, edits[-1], "delete")
    assert len(house.rows()) == 5

    wiki.delete("Project:To be: deleted")
    wiki.run_jobs()
    wiki.hide_revision(hidden)
    hiding = visibility_change(hidden, text=False, database=wiki.wiki_id)
    await view.apply(records([deletion, hiding]))
    await view.apply(records(events))

    assert [row[0] for row in house.rows()] == [last]


async def test_a_new_version_is_filled_from_the_wikis_recent_changes(wiki, house):
    edits = [wiki.edit("Versions", f"{number}") for number in range(3)]
    await view_of(house).apply(records([score(wiki, each) for each in edits]))
    store = Known(*edits[:2])
    upkeep = OresUpkeep(view_of(house, NEW), {MODEL: store})
    await pass_through(upkeep)
    assert (house.shown(0.9), house.current()[0][1]) == (edits, "1")

    store.rev_ids.append(edits[2])
    await pass_through(upkeep)

    assert (house.shown(0.7), house.shown(0.9), house.current()[0][1]) == (edits, [], "2")


async def test_a_wikis_own_file_passes_the_check_of_rights(wiki, house):
    database = wiki_database(file_of(wiki))
    told = await check_rights(database, house.tables)
    await database.close()

    assert [right for right in told if right.refusal] == []
