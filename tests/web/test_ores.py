"""An old bot that speaks ORES's protocol goes on."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from revision_quality.errors import WikiRefusedError, WikiUnavailableError
from revision_quality.models.base import Unscored
from revision_quality.wiki.reader import Unreadable
from tests.events.examples import page_change
from tests.scoring.fakes import FakeModel
from tests.web.api_house import WIKIS, ApiHouse, api_house
from tests.web.conftest import WritableView

MODEL = "revertrisklanguageagnostic"
VERSION = {"version": "1"}
MODELS = {MODEL: VERSION}
SCORE = {"score": {"prediction": False, "probability": {"true": 0.25, "false": 0.75}}}


@pytest_asyncio.fixture(loop_scope="session")
async def house(tmp_path: Path, view: WritableView) -> AsyncIterator[ApiHouse]:
    async with api_house(tmp_path, view) as opened:
        yield opened


def missing(rev_id: int) -> dict[str, Any]:
    message = f"RevisionNotFound: Could not find revision ({{revision}}:{rev_id})"
    return {"error": {"type": "RevisionNotFound", "message": message}}


def scores(**by_id: Any) -> dict[str, Any]:
    by_model = {rev_id[1:]: {MODEL: score} for rev_id, score in by_id.items()}
    return {"enwiki": {"models": MODELS, "scores": by_model}}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/v3/scores/", {wiki_id: {"models": MODELS} for wiki_id in WIKIS}),
        ("/v3/scores", {wiki_id: {"models": MODELS} for wiki_id in WIKIS}),
        ("/v3/scores/enwiki/", {"enwiki": {"models": MODELS}}),
        ("/v3/scores/enwiki", {"enwiki": {"models": MODELS}}),
        (f"/v3/scores/enwiki/?models={MODEL}", {"enwiki": {"models": MODELS}}),
        ("/v3/scores/enwiki/?revids=10", scores(_10=SCORE)),
        (f"/v3/scores/enwiki?models={MODEL}&revids=11|10", scores(_11=SCORE, _10=SCORE)),
        ("/v3/scores/enwiki/?revids=10|99|10", scores(_10=SCORE, _99=missing(99))),
        ("/v3/scores/enwiki/10/", scores(_10=SCORE)),
        ("/v3/scores/enwiki/10", scores(_10=SCORE)),
        (f"/v3/scores/enwiki/10/{MODEL}", scores(_10=SCORE)),
        (f"/v3/scores/enwiki/10/{MODEL}/", scores(_10=SCORE)),
        ("/v3/scores/enwiki/99", scores(_99=missing(99))),
        ("/v3/scores/enwiki/0", scores(_0=missing(0))),
        (
            "/v3/scores/enwiki/?revids=-1",
            {"enwiki": {"models": MODELS, "scores": {"-1": {MODEL: missing(-1)}}}},
        ),
        (
            f"/v3/scores/enwiki/{10**30}",
            {"enwiki": {"models": MODELS, "scores": {str(10**30): {MODEL: missing(10**30)}}}},
        ),
        ("/v3/scores/enwiki/10?features&precache=true", scores(_10=SCORE)),
    ],
)
async def test_it_answers_as_ores(house: ApiHouse, path: str, expected: Any) -> None:
    answer = await house.get(path)
    assert (answer.status_code, answer.json()) == (200, expected)


async def test_the_order_is_that_of_the_question(house: ApiHouse) -> None:
    answer = await house.get("/v3/scores/enwiki/?revids=12|10|11")
    assert list(answer.json()["enwiki"]["scores"]) == ["12", "10", "11"]
    assert house.edits.requests == [[10, 11, 12]]


@pytest.mark.parametrize(
    ("path", "status", "code", "message"),
    [
        ("nowiki/", 404, "not found", "No scorers available for nowiki"),
        ("nowiki/10", 404, "not found", "No scorers available for nowiki"),
        (
            "enwiki/10/damaging",
            404,
            "not found",
            "Models ('damaging',) not available for enwiki",
        ),
        (
            f"enwiki/?revids=10&models=damaging|{MODEL}|goodfaith",
            404,
            "not found",
            "Models ('damaging', 'goodfaith') not available for enwiki",
        ),
        (
            "enwiki/?revids=10|ten",
            400,
            "bad request",
            "Could not interpret revids: 'ten' is no revision id.",
        ),
        (
            "enwiki/?revids=" + "|".join(map(str, range(51))),
            400,
            "bad request",
            "51 revids are more than the limit of 50 in one request.",
        ),
    ],
)
async def test_a_wrong_request_is_told_so(
    house: ApiHouse, path: str, status: int, code: str, message: str
) -> None:
    answer = await house.get(f"/v3/scores/{path}")
    assert answer.status_code == status
    assert answer.json() == {"error": {"code": code, "message": message}}


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("revision_hidden", "TextDeleted"),
        ("parent_revision_hidden", "TextDeleted"),
        ("parent_revision_missing", "RevisionNotScorable"),
        ("not_wikitext", "UnexpectedContentType"),
        ("revision_missing", "RevisionNotFound"),
    ],
)
async def test_a_revision_without_a_score_says_why(house: ApiHouse, reason: str, kind: str) -> None:
    house.reader.unreadable[10] = [Unreadable(reason, "The reason.")]
    answer = await house.get("/v3/scores/enwiki/10")
    error = answer.json()["enwiki"]["scores"]["10"][MODEL]["error"]
    assert error["type"] == kind
    assert error["message"].startswith(f"{kind}: ")


async def test_a_page_creation_is_not_scorable(house: ApiHouse) -> None:
    house.has(page_change("create", 30))
    answer = await house.get("/v3/scores/enwiki/30")
    assert answer.json()["enwiki"]["scores"]["30"][MODEL]["error"] == {
        "type": "RevisionNotScorable",
        "message": "RevisionNotScorable: A new page has no earlier revision to return to.",
    }


async def test_a_failure_of_one_revision_leaves_the_others(house: ApiHouse) -> None:
    house.reader.failing[10] = WikiRefusedError("no", "internal")
    answer = await house.get("/v3/scores/enwiki/?revids=10|11")
    found = answer.json()["enwiki"]["scores"]
    assert found["10"][MODEL]["error"]["type"] == "ScoringFailed"
    assert found["11"][MODEL] == SCORE


async def test_a_model_that_fails_is_an_error_of_the_revision(
    tmp_path: Path, view: WritableView
) -> None:
    failing = FakeModel(lambda all_: [Unscored("away", "It is away.")] * len(all_))
    async with api_house(tmp_path, view, failing) as house:
        answer = await house.get("/v3/scores/enwiki/10")
    error = answer.json()["enwiki"]["scores"]["10"][MODEL]["error"]
    assert error == {"type": "ScoringFailed", "message": "ScoringFailed: It is away."}


async def test_a_wiki_that_does_not_answer(house: ApiHouse) -> None:
    house.edits.failures = [WikiUnavailableError("http://secret.internal is down")]
    answer = await house.get("/v3/scores/enwiki/10")
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    assert answer.json()["error"]["code"] == "server overloaded"
    assert "secret" not in answer.text


async def test_the_model_goes_by_another_name_only_where_the_operator_says(
    tmp_path: Path, view: WritableView
) -> None:
    async with api_house(tmp_path, view, ores_aliases={"damaging": "revertrisk"}) as house:
        answer = await house.get("/v3/scores/enwiki/10/damaging")
        assert answer.json()["enwiki"] == {
            "models": {"damaging": VERSION},
            "scores": {"10": {"damaging": SCORE}},
        }
        both = await house.get("/v3/scores/enwiki/10")
        assert both.json()["enwiki"]["scores"]["10"] == {MODEL: SCORE, "damaging": SCORE}


async def test_the_models_tell_of_themselves(house: ApiHouse) -> None:
    whole = (await house.get("/v3/scores/enwiki/?model_info")).json()["enwiki"]["models"][MODEL]
    assert (whole["version"], whole["type"]) == ("1", "revertrisk")
    flags = whole["statistics"]["thresholds"]["true"]
    assert [flag["threshold"] for flag in flags] == [0.3, 0.6, 0.9]
    assert flags[0]["match_rate"] == 0.04
    assert flags[0]["filter_rate"] == pytest.approx(0.96)

    part = (await house.get("/v3/scores/?model_info=type|version|nothing")).json()
    assert part["my_wiki"]["models"][MODEL] == {"type": "revertrisk", "version": "1"}
    scored = (await house.get("/v3/scores/enwiki/10?model_info=type")).json()["enwiki"]
    assert scored["models"] == {MODEL: {"type": "revertrisk"}}
    assert scored["scores"] == {"10": {MODEL: SCORE}}


async def test_pages_of_other_sites_may_ask(house: ApiHouse) -> None:
    for path in ("/v3/scores/", "/v3/scores/enwiki/10", "/v3/scores/nowiki", "/v3/scores/enwiki"):
        answer = await house.client.get(path, headers={"Origin": "https://en.example"})
        assert answer.headers["access-control-allow-origin"] == "*"
        assert not answer.is_redirect
