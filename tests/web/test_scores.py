"""The state of any revision, by one address."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from revision_quality.errors import WikiUnavailableError
from revision_quality.models.base import Prediction, Unscored
from revision_quality.models.revert_risk import RevertRisk
from revision_quality.views.change import State
from revision_quality.wiki.reader import Unreadable
from tests.events.examples import page_change
from tests.recent_changes.examples import change as row
from tests.scoring.fakes import FakeModel
from tests.web.api_house import ApiHouse, ExplainingFake, api_house
from tests.web.conftest import WritableView


@pytest_asyncio.fixture(loop_scope="session")
async def house(tmp_path: Path, view: WritableView) -> AsyncIterator[ApiHouse]:
    async with api_house(tmp_path, view, ExplainingFake()) as opened:
        yield opened


SCORED: dict[str, Any] = {
    "wiki_id": "enwiki",
    "rev_id": 10,
    "state": "scored",
    "score": 0.25,
    "level": None,
    "reason": None,
    "message": None,
    "model_name": "revertrisk",
    "model_version": "1",
    "explanation": None,
}


async def test_what_the_view_has_is_told_without_asking_anybody(
    house: ApiHouse, view: WritableView
) -> None:
    await view.write(
        row(10, score=0.7),
        row(11, state=State.NOT_SCORABLE, score=None, reason="page_creation", message="It is new."),
    )

    answer = await house.get("/v1/scores/enwiki/10")
    assert (answer.status_code, answer.json()) == (
        200,
        SCORED | {"score": 0.7, "level": "likelybad"},
    )
    refused = (await house.get("/v1/scores/enwiki/11")).json()
    assert (refused["state"], refused["reason"]) == ("not_scorable", "page_creation")
    assert refused["message"] == "It is new."
    assert house.edits.requests == []


@pytest.mark.parametrize("state", [State.PENDING, State.FAILED, None])
async def test_what_has_no_score_yet_is_scored(
    house: ApiHouse, view: WritableView, state: State | None
) -> None:
    if state:
        await view.write(row(10, state=state, score=None, model_name=None, model_version=None))
    answer = await house.get("/v1/scores/enwiki/10")
    assert answer.json() == SCORED
    assert house.edits.requests == [[10]]


@pytest.mark.parametrize(
    ("score", "level"),
    [(0.05, "likelygood"), (0.2, None), (0.3, "maybebad"), (0.95, "verylikelybad")],
)
async def test_the_level_is_the_gravest_that_holds(
    tmp_path: Path, view: WritableView, score: float, level: str | None
) -> None:
    model = FakeModel(lambda all_: [Prediction(score)] * len(all_))
    async with api_house(tmp_path, view, model) as house:
        assert (await house.get("/v1/scores/enwiki/10")).json()["level"] == level


async def test_why_there_is_no_score(house: ApiHouse) -> None:
    house.has(page_change("create", 30))
    answer = (await house.get("/v1/scores/enwiki/30")).json()
    assert (answer["state"], answer["reason"]) == ("not_scorable", "page_creation")

    house.reader.unreadable[10] = [Unreadable("not_wikitext", "It is JSON.")]
    answer = (await house.get("/v1/scores/enwiki/10")).json()
    assert (answer["reason"], answer["message"]) == ("not_wikitext", "It is JSON.")


async def test_a_model_that_fails(tmp_path: Path, view: WritableView) -> None:
    failing = FakeModel(lambda all_: [Unscored("away", "It is away.")] * len(all_))
    async with api_house(tmp_path, view, failing) as house:
        answer = await house.get("/v1/scores/enwiki/10")
    assert answer.status_code == 200
    assert (answer.json()["state"], answer.json()["message"]) == ("failed", "It is away.")


async def test_a_wiki_that_is_not_configured_is_told_as_far_as_it_is_known(
    house: ApiHouse, view: WritableView
) -> None:
    await view.write(
        row(10, wiki_id="hewiki"), row(11, wiki_id="hewiki", state=State.PENDING, score=None)
    )
    assert (await house.get("/v1/scores/hewiki/10")).json()["score"] == 0.25
    assert (await house.get("/v1/scores/hewiki/11")).json()["state"] == "pending"
    assert house.edits.requests == []


@pytest.mark.parametrize(
    ("path", "detail"),
    [
        ("enwiki/99", "The wiki enwiki has no revision 99."),
        ("enwiki/0", "The wiki enwiki has no revision 0."),
        (f"enwiki/{2**63}", f"The wiki enwiki has no revision {2**63}."),
        ("hewiki/99", "No score of hewiki is here, and it is not configured."),
    ],
)
async def test_what_is_not_there(house: ApiHouse, path: str, detail: str) -> None:
    answer = await house.get(f"/v1/scores/{path}")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {"status": 404, "title": "Not Found", "detail": detail}


async def test_a_deleted_page_has_no_scores(house: ApiHouse, view: WritableView) -> None:
    await house.get("/v1/scores/enwiki/10")
    await view.delete(row(10))
    assert (await house.get("/v1/scores/enwiki/10")).status_code == 404


async def test_a_wiki_that_does_not_answer(house: ApiHouse) -> None:
    house.edits.failures = [WikiUnavailableError("http://secret.internal is down")]
    answer = await house.get("/v1/scores/enwiki/10")
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    assert answer.json()["detail"] == "The wiki enwiki does not answer; try again in a minute."


async def test_a_view_that_cannot_be_read(house: ApiHouse, view: WritableView) -> None:
    await view.break_down()
    answer = await house.get("/v1/scores/enwiki/10")
    assert answer.status_code == 503
    assert answer.json()["detail"] == "Scores cannot be read or written at the moment."


async def test_what_moved_the_score_is_told_on_request(house: ApiHouse, view: WritableView) -> None:
    expected = [
        {
            "feature": "lines_added",
            "value": 1.0,
            "contribution": 0.5,
            "text": "is revision 10",
            "form": "above",
            "is_limit": False,
        }
    ]
    answer = await house.get("/v1/scores/enwiki/10?explain=1")
    assert answer.json() == SCORED | {"explanation": expected}

    await view.write(row(10, model_version="0"))
    older = await house.get("/v1/scores/enwiki/10?explain=1")
    assert older.json()["explanation"] is None

    house.reader.unreadable[11] = [Unreadable("revision_missing", "Gone.")]
    await view.write(row(11))
    assert (await house.get("/v1/scores/enwiki/11?explain=1")).json()["explanation"] is None


async def test_the_shipped_model_tells_what_moved_the_score(
    tmp_path: Path, view: WritableView
) -> None:
    async with api_house(tmp_path, view, RevertRisk.load()) as house:
        answer = (await house.get("/v1/scores/enwiki/10?explain=1")).json()
    assert len(answer["explanation"]) == 5
    assert all(reason["text"] for reason in answer["explanation"])


async def test_a_model_that_cannot_tell(tmp_path: Path, view: WritableView) -> None:
    async with api_house(tmp_path, view, FakeModel()) as house:
        answer = await house.get("/v1/scores/enwiki/10?explain=1")
    assert (answer.status_code, answer.json()["explanation"]) == (200, None)


async def test_pages_of_other_sites_may_ask(house: ApiHouse) -> None:
    for path in ("/v1/scores/enwiki/10", "/v1/scores/enwiki/99"):
        answer = await house.client.get(path, headers={"Origin": "https://en.example"})
        assert answer.headers["access-control-allow-origin"] == "*"
