"""The blocks of the settings become models, each with its stream, its group and its edits."""

from typing import Any

import httpx
import pytest

from revision_quality.cli.rules import check_aliases, open_rules
from revision_quality.errors import SettingsError
from revision_quality.events import streams as names
from revision_quality.scoring.model_rule import ModelRule
from revision_quality.settings import Settings
from tests.events.examples import page_change

OWN = {"kind": "revert_risk"}
REMOTE = {"kind": "lift_wing", "url": "http://lift.wing", "name": "second-opinion", "version": "3"}


@pytest.fixture
def client() -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.MockTransport(lambda _: httpx.Response(500)))


def opened(client: httpx.AsyncClient, *models: dict[str, Any], **settings: Any) -> list[ModelRule]:
    return open_rules(Settings(models=models, **settings).blocks, client)


def test_without_a_block_the_shipped_model_scores_everything(client):
    [rule] = opened(client)

    assert (rule.stream, rule.group, rule.concurrency) == (names.PREDICTION, "scoring", 8)
    assert rule.levels
    assert rule.wants(page_change(wiki_id="any_wiki"))


def test_a_block_more_is_a_model_with_a_stream_and_a_position_of_its_own(client):
    block = REMOTE | {"namespaces": [4], "concurrency": 2}
    first, second = opened(client, block, model={"concurrency": 3})

    assert (first.group, first.concurrency, first.model.name) == (
        "scoring",
        3,
        "revertrisk-language-agnostic",
    )
    stream = "mediawiki.page_second_opinion_prediction_change.v1"
    assert (second.stream, second.group) == (stream, f"scoring-{stream}-second_opinion")
    assert (second.model.name, second.model.version, second.concurrency) == (
        "second-opinion",
        "3",
        2,
    )
    assert not second.wants(page_change())


def test_without_a_model_block_the_first_of_the_models_is_the_first(client):
    first, second = opened(client, REMOTE, OWN)

    assert (first.model.name, first.stream) == ("second-opinion", names.PREDICTION)
    assert second.stream != first.stream


def test_a_group_stays_while_blocks_are_moved_and_versions_change(client):
    given = REMOTE | {"stream": "scores.v1"}
    [one, *_] = opened(client, given, OWN)
    *_, other = opened(client, OWN, given | {"version": "4"})

    assert one.group == other.group


@pytest.mark.parametrize(
    ("models", "sentence"),
    [
        (
            (OWN, OWN | {"stream": names.PREDICTION}),
            r"^models\[1\]: models\[0\] publishes scores of revertrisk-language-agnostic \S+ to "
            r"mediawiki\.page_revert_risk_prediction_change\.v1 already: give one",
        ),
        (
            (OWN, REMOTE, REMOTE | {"version": "4"}),
            r"^models\[2\]\.group: models\[1\] has the position scoring-\S+ too: give this block",
        ),
        ((OWN, REMOTE | {"batch": 21}), r"^models\[1\]\.batch: expected `int` <= 20"),
        ((OWN, {"kind": "x"}), r"^models\[1\]\.kind: there is no model 'x'"),
        ((OWN, REMOTE | {"stream": ""}), r"^models\[1\]\.stream: expected `str` matching"),
        ((OWN, REMOTE | {"stream": names.PAGE_CHANGE}), r"^models\[1\]\.stream: .* no scores"),
        ((OWN, REMOTE | {"concurrency": 0}), r"^models\[1\]\.concurrency: expected `int` >= 1"),
        ((OWN, REMOTE | {"namespaces": []}), r"^models\[1\]\.namespaces: expected `array` of"),
        ((OWN, REMOTE | {"match": {"x": 1}}), r"^models\[1\]\.match\.x: page_change has no such"),
        ((OWN, REMOTE | {"match": 1}), r"^models\[1\]\.match: expected "),
    ],
)
def test_a_wrong_block_is_one_sentence_that_names_it(models, sentence, client):
    with pytest.raises(SettingsError, match=sentence):
        opened(client, *models)


def test_two_versions_of_a_model_have_groups_of_their_own(client):
    shadow = REMOTE | {"version": "4", "group": "shadow"}

    rules = opened(client, OWN, REMOTE, shadow)

    assert [rule.group for rule in rules[1:]] == [rules[1].group, "shadow"]
    assert rules[1].stream == rules[2].stream


def test_an_alias_names_a_model_that_is_there(client):
    rules = opened(client, REMOTE)
    check_aliases({"damaging": "second-opinion"}, rules)

    with pytest.raises(SettingsError, match=r"ores\.aliases\.damaging: there is no model 'x'"):
        check_aliases({"damaging": "x"}, rules)
