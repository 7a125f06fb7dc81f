"""The levels page and its JSON: what holds, what it does, what would, who changed it."""

from collections.abc import AsyncIterator

import httpx
import pytest

from revision_quality.levels.keeper import LevelsKeeper
from revision_quality.recent_changes.live_levels import LiveLevels
from revision_quality.views.changes import ChangesView
from revision_quality.views.database import Database
from revision_quality.web.app import create_app
from revision_quality.web.levels import LevelsPage
from tests.levels.wikis import MODEL, RULES, StillClock, count_edits
from tests.recent_changes.examples import LEVELS, SITES


@pytest.fixture
async def client(tmp_path) -> AsyncIterator[httpx.AsyncClient]:
    view = ChangesView(Database(f"sqlite:///{tmp_path}/changes.sqlite"))
    for wiki_id, a_day in (("hewiki", 60), ("enwiki", 2)):
        await view.database.write(
            lambda connection, wiki_id=wiki_id, a_day=a_day: count_edits(
                connection, wiki_id, a_day=a_day
            )
        )
    keeper = LevelsKeeper(view.database, [MODEL], RULES, StillClock())
    await keeper.choose_all(MODEL)
    await keeper.fix("hewiki", MODEL, "likelybad", 0.55, "<Ana>")
    live = LiveLevels(view.database, MODEL, LEVELS.default)
    await live.refresh()
    page = LevelsPage(
        view.database, [(MODEL, LEVELS.default)], RULES, SITES.get, clock=StillClock()
    )
    app = create_app(view, SITES.get, live, routes=page.routes)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://revq") as opened:
        yield opened
    await view.close()


async def test_the_page_of_a_wiki_shows_levels_curve_days_and_log(client):
    page = (await client.get("/levels", params={"wiki": "hewiki"})).text

    assert 'Levels of <bdi lang="he">עברית</bdi>' in page
    assert "set by hand" in page
    assert page.count("<polyline") == 3
    assert page.count('class="edits" x=') == 56
    assert '<th scope="row">newcomer</th>' in page
    assert "&lt;Ana&gt;" in page
    assert "<script" not in page


async def test_json_has_the_same_with_intervals(client):
    found = (await client.get("/levels.json", params={"wiki": "hewiki"})).json()

    levels = {level["name"]: level for level in found["offered"]["levels"]}
    assert (levels["likelybad"]["threshold"], found["offered"]["fixed"]) == (0.55, ["likelybad"])
    assert levels["maybebad"]["low"] < levels["maybebad"]["precision"] < levels["maybebad"]["high"]
    assert (found["edits"], len(found["curve"]), len(found["days"])) == (3360, 100, 56)
    risks = [point["risk"] for point in found["curve"] if point["risk"] is not None]
    assert risks == sorted(risks)
    assert {"by": "<Ana>", "level": "likelybad", "after": 0.55, "is_fixed": True}.items() <= (
        next(each for each in found["log"] if each["is_fixed"]).items()
    )


async def test_a_target_is_tried_without_changing_anything(client):
    params = {"wiki": "hewiki", "what-if": "flag_rate <= 0.05"}
    found = (await client.get("/levels.json", params=params)).json()

    assert found["what_if"]["level"]["flag_rate"] <= 0.05
    assert "holds for" in (await client.get("/levels", params=params)).text
    again = (await client.get("/levels.json", params={"wiki": "hewiki"})).json()
    assert again["offered"] == found["offered"]


async def test_what_is_no_target_is_told_in_a_sentence(client):
    params = {"wiki": "hewiki", "what-if": "precision 90"}
    answer = await client.get("/levels.json", params=params)

    assert answer.status_code == 400
    assert "is no target for a level: write it like" in answer.json()["detail"]
    page = await client.get("/levels", params=params)
    assert (page.status_code, 'role="alert"' in page.text) == (200, True)


async def test_a_wiki_without_enough_edits_says_why_and_has_the_models_levels(client):
    found = (await client.get("/levels.json", params={"wiki": "enwiki"})).json()

    assert "reverted edits of enwiki have a settled label" in found["offered"]["note"]
    assert [level["threshold"] for level in found["offered"]["levels"]] == [0.1, 0.3, 0.6, 0.9]
    assert (await client.get("/levels", params={"wiki": "nowiki"})).status_code == 200


async def test_all_wikis_are_listed(client):
    found = (await client.get("/levels.json")).json()

    assert [wiki["wiki_id"] for wiki in found["wikis"]] == ["enwiki", "hewiki"]
    page = (await client.get("/levels")).text
    assert 'href="/levels?wiki=hewiki&amp;model=revertrisk"' in page
    assert 'href="/models"' in page


async def test_recent_changes_and_its_filters_use_the_levels_of_now(client):
    page = (await client.get("/recent-changes", params={"wiki": "hewiki"})).text

    assert "of them get reverted" in page
    assert 'href="/levels"' in page


@pytest.mark.parametrize("params", [{}, {"wiki": "hewiki"}, {"wiki": "hewiki", "what-if": "?"}])
async def test_pages_of_other_sites_may_read_the_json(client, params):
    answer = await client.get("/levels.json", params=params)
    assert answer.headers["access-control-allow-origin"] == "*"
