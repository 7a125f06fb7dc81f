"""The models page and its JSON: which is shown, since when, and how another one compares."""

from collections.abc import AsyncIterator
from typing import NamedTuple

import httpx
import pytest

from revision_quality.clock import Clock
from revision_quality.levels.labels_view import LabelsView
from revision_quality.levels.level_set import LevelSet
from revision_quality.levels.levels_store import put_sets
from revision_quality.levels.scores import NamedModel
from revision_quality.levels.side_by_side import LevelledModel
from revision_quality.views.changes import ChangesView
from revision_quality.views.database import Database
from revision_quality.web.app import create_app
from revision_quality.web.models_page import ModelsPage
from tests.events.examples import at, page_change, prediction, verdict
from tests.levels.wikis import StillClock
from tests.recent_changes.examples import LEVELS, SITES
from tests.views.examples import records

OLD, NEW = ("revertrisk", "1"), ("revertrisk", "2")
EDITS, DAMAGING = range(10, 50), range(10, 20)
PROMOTED = int(at(3600).timestamp() * 1000)


class House(NamedTuple):
    client: httpx.AsyncClient
    view: ChangesView
    clock: Clock

    async def json(self, **params: str) -> dict:
        return (await self.client.get("/models.json", params=params)).json()

    async def html(self, **params: str) -> str:
        return (await self.client.get("/models", params=params)).text


@pytest.fixture
async def house(tmp_path) -> AsyncIterator[House]:
    """The new model tells damaging edits from others, the old one half of them."""
    view = ChangesView(Database(f"sqlite:///{tmp_path}/changes.sqlite"), [OLD, NEW])
    labels, clock = LabelsView(view.database, view.bell), StillClock()
    events = []
    for rev_id in EDITS:
        change = page_change(rev_id=rev_id, page={"page_id": rev_id, "page_title": f"P{rev_id}"})
        old, new = 0.9 if rev_id % 2 else 0.05, 0.8 if rev_id in DAMAGING else 0.04
        events += [change, prediction(change, old), prediction(change, new, version="2")]
    events += [verdict(rev_id, "damaging", page_id=rev_id) for rev_id in DAMAGING]
    for each in (view, labels):
        await each.apply(records(events))
    models = [LevelledModel(key, LEVELS.default) for key in (OLD, NEW)]
    page = ModelsPage(view.database, models, SITES.get, clock=clock)
    app = create_app(view, SITES.get, LEVELS, routes=page.routes)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://revq") as client:
        yield House(client, view, clock)
    await view.close()


async def test_both_are_measured_on_labelled_edits_that_both_have_scored(house: House) -> None:
    found = (await house.json())["comparison"]

    assert (found["model_name"], found["model_version"]) == NEW
    measured = found["measured"]
    assert (measured["edits"], measured["reverted"]) == (40, 10)
    assert [point["precision"] for point in measured["shown"]["at_recall"]] == [0.25] * 4
    assert [point["precision"] for point in measured["other"]["at_recall"]] == [1.0] * 4
    levels = {level["level"]: level for level in measured["other"]["levels"]}
    assert (levels["likelybad"]["precision"], levels["likelybad"]["flag_rate"]) == (1.0, 0.25)


async def test_agreement_and_flag_rates_are_of_all_edits_that_both_have_scored(
    house: House,
) -> None:
    agreement = (await house.json())["comparison"]["agreement"]

    levels = {level["level"]: level for level in agreement["levels"]}
    assert agreement["edits"] == 40
    assert (levels["likelybad"]["shown"], levels["likelybad"]["other"]) == (0.5, 0.25)


async def test_what_has_no_settled_label_is_not_measured(house: House) -> None:
    house.clock.at = at(47 * 3600)
    assert (await house.json())["comparison"]["measured"]["edits"] == 0
    assert "has a settled label yet" in await house.html()


async def test_the_page_shows_curves_tables_and_needs_no_script(house: House) -> None:
    page = await house.html()

    assert "revertrisk 1 is shown: the first model of the settings" in page
    assert page.count("<polyline") == 4
    assert "40 edits with a settled label that both have scored, 10 of them reverted" in page
    assert "100.0% of 40" in page
    assert "<script" not in page


async def test_after_a_promotion_it_tells_at_once_what_is_shown_and_since_when(
    house: House,
) -> None:
    assert "None yet." in await house.html()
    await house.view.promote(NEW, PROMOTED, 0.9)

    found = await house.json()
    assert [(one["model_version"], one["is_shown"]) for one in found["models"]] == [
        ("2", True),
        ("1", False),
    ]
    assert found["comparison"]["model_version"] == "1"
    assert found["promotions"] == [
        {
            "model_name": "revertrisk",
            "model_version": "2",
            "since": "2026-11-23T09:00:00Z",
            "coverage": 1.0,
        }
    ]
    assert "revertrisk 2 is shown since 2026-11-23 09:00 UTC" in await house.html()


async def test_a_model_is_named_by_its_version_and_the_shown_one_has_no_other(
    house: House,
) -> None:
    assert (await house.json(model="2"))["comparison"]["model_version"] == "2"
    assert (await house.json(model="revertrisk@1"))["comparison"] is None


@pytest.mark.parametrize(
    ("named", "told"), [("<3>", "no model is called <3>"), ("revertrisk", "several models are")]
)
async def test_what_names_no_model_is_told_in_a_sentence(
    house: House, named: str, told: str
) -> None:
    answer = await house.client.get("/models.json", params={"model": named})
    assert (answer.status_code, told in answer.json()["detail"]) == (400, True)

    page = await house.client.get("/models", params={"model": named})
    assert (page.status_code, 'role="alert"' in page.text, "<3>" in page.text) == (200, True, False)


@pytest.mark.parametrize("params", [{}, {"model": "unknown"}])
async def test_pages_of_other_sites_may_read_the_json(house: House, params: dict[str, str]) -> None:
    answer = await house.client.get("/models.json", params=params)
    assert answer.headers["access-control-allow-origin"] == "*"


async def test_of_one_wiki_its_edits_count_by_its_own_levels(house: House) -> None:
    change = page_change(rev_id=7, wiki_id="enwiki")
    scored = [prediction(change, 0.5), prediction(change, 0.6, version="2")]
    for each in (house.view, LabelsView(house.view.database, house.view.bell)):
        await each.apply(records([change, *scored], 1000))
    own = LevelSet(fixed={"likelybad": 0.55})
    await house.view.write(
        lambda connection: put_sets(
            connection, NamedModel(*NEW).number, {"enwiki": own}, by="Somebody", now=0
        )
    )

    found = (await house.json(wiki="enwiki"))["comparison"]
    assert (found["wiki_id"], found["agreement"]["edits"], found["measured"]["edits"]) == (
        "enwiki",
        1,
        1,
    )
    of_old, of_new = (
        {level["level"]: level["threshold"] for level in found["measured"][model]["levels"]}
        for model in ("shown", "other")
    )
    default = {level.name: level.threshold for level in LEVELS.default}
    assert (of_old, of_new) == (default, default | {"likelybad": 0.55})

    rest = (await house.json(wiki="my_wiki"))["comparison"]
    assert (rest["agreement"]["edits"], rest["measured"]["edits"]) == (40, 40)
    both = (await house.json())["comparison"]
    assert (both["wiki_id"], both["agreement"]["edits"], both["measured"]["edits"]) == (
        None,
        41,
        41,
    )
    nobody = (await house.json(wiki="nowiki"))["comparison"]
    assert (nobody["agreement"]["edits"], nobody["measured"]["edits"]) == (0, 0)


async def test_a_wiki_is_chosen_on_the_page_and_stays_chosen(house: House) -> None:
    assert '<option value="my_wiki">' in await house.html()

    page = await house.html(wiki="my_wiki")
    assert '<option value="my_wiki" selected>' in page
    assert 'href="/models?model=revertrisk%402&amp;wiki=my_wiki"' in page
    assert 'href="/models.json?model=revertrisk%402&amp;wiki=my_wiki"' in page
    assert "<script>" not in await house.html(wiki='"><script>')
