"""A second model answers by its name in every protocol; without a name the first one does."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from revision_quality.events import streams as names
from revision_quality.models.base import Prediction, Unscored
from revision_quality.scoring.matching import wanted
from revision_quality.scoring.model_rule import ModelRule
from revision_quality.wiki.revision import Revision
from tests.scoring.fakes import FakeModel
from tests.web.api_house import LIFT_WING, ApiHouse, api_house
from tests.web.conftest import WritableView

STREAM = "second.v1"


class Second(FakeModel):
    """Is sure of every edit."""

    name = "second-opinion"
    version = "2"

    async def predict(self, revisions: Sequence[Revision]) -> Sequence[Prediction | Unscored]:
        return [Prediction(0.75)] * len(revisions)


@pytest.fixture
async def house(tmp_path: Path, view: WritableView) -> AsyncIterator[ApiHouse]:
    """Asks the second model about even revisions by itself."""
    wants = wanted({"revision": {"rev_id": [10, 12, 14, 16, 18]}})
    rule = ModelRule(model=Second(), stream=STREAM, wants=wants)
    aliases = {"damaging": "second-opinion"}
    async with api_house(tmp_path, view, others=[rule], ores_aliases=aliases) as opened:
        yield opened


@pytest.mark.parametrize(
    ("name", "score"),
    [
        (LIFT_WING, 0.25),
        ("revertrisk", 0.25),
        ("second-opinion", 0.75),
        ("enwiki-second-opinion", 0.75),
        ("enwiki-revertrisk", 0.25),
    ],
)
async def test_lift_wing_answers_by_the_models_name(house: ApiHouse, name: str, score: float):
    answer = (await house.predict({"rev_id": 10, "lang": "en"}, name)).json()

    assert answer["output"]["probabilities"]["true"] == score
    assert name in (await house.get("/v1/models")).json()["models"]
    assert (await house.get(f"/v1/models/{name}")).json() == {"name": name, "ready": True}


@pytest.mark.parametrize(
    ("query", "score", "version"),
    [("", 0.25, "1"), ("?model=revertrisk", 0.25, "1"), ("?model=second-opinion", 0.75, "2")],
)
async def test_scores_are_those_of_the_model_asked_for(
    house: ApiHouse, query: str, score: float, version: str
):
    found = (await house.get(f"/v1/scores/enwiki/10{query}")).json()

    assert (found["state"], found["score"], found["model_version"]) == ("scored", score, version)


async def test_a_model_that_is_not_there_is_a_problem(house: ApiHouse):
    answer = await house.get("/v1/scores/enwiki/10?model=x")

    assert answer.status_code == 404
    assert "known are second-opinion, revertrisk" in answer.json()["detail"]


async def test_ores_tells_all_models_or_those_asked_for(house: ApiHouse):
    every = (await house.get("/v3/scores/enwiki/10")).json()["enwiki"]
    one = (await house.get("/v3/scores/enwiki/?models=damaging&revids=10|99")).json()["enwiki"]

    scores = {
        name: found["score"]["probability"]["true"] for name, found in every["scores"]["10"].items()
    }
    assert scores == {"revertrisklanguageagnostic": 0.25, "secondopinion": 0.75, "damaging": 0.75}
    assert every["models"]["secondopinion"] == {"version": "2"}
    assert one["models"] == {"damaging": {"version": "2"}}
    assert one["scores"]["10"]["damaging"]["score"]["probability"]["true"] == 0.75
    assert one["scores"]["99"]["damaging"]["error"]["type"] == "RevisionNotFound"


async def test_what_a_rule_does_not_want_is_answered_and_not_published(house: ApiHouse):
    for rev_id in (10, 11):
        answer = await house.predict({"rev_id": rev_id, "lang": "en"}, "second-opinion")
        assert answer.status_code == 200

    assert len(await house.streams.read(STREAM, 0, 9)) == 1
    assert await house.streams.read(names.PREDICTION, 0, 9) == []
