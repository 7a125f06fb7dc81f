"""A client of Lift Wing finds what it knows, for any wiki."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
import pytest_asyncio

from revision_quality.errors import StoreError, WikiUnavailableError
from revision_quality.events import streams as names
from revision_quality.events.prediction import decode_prediction
from revision_quality.events.prediction_error import decode_prediction_error
from revision_quality.models.base import Prediction, Unscored
from revision_quality.models.lift_wing import LiftWing as LiftWingClient
from revision_quality.models.revert_risk import RevertRisk
from revision_quality.views.change import State
from revision_quality.web.answering import Answers
from revision_quality.web.app import create_app
from revision_quality.web.bodies import MAX_BODY_BYTES
from revision_quality.web.explanations import Explanations
from revision_quality.web.lift_wing import LiftWing
from revision_quality.web.served_model import ServedModel
from revision_quality.web.wiki_names import WikiNames
from revision_quality.wiki.reader import Unreadable
from tests.events.examples import page_change, raw_change, revision
from tests.models.make import revision as written
from tests.recent_changes.examples import LEVELS, SITES
from tests.recent_changes.examples import change as row
from tests.scoring.fakes import FakeModel
from tests.web.api_house import LIFT_WING, ApiHouse, api_house
from tests.web.conftest import Serve, WritableView, until

PATH = f"/v1/models/{LIFT_WING}:predict"
WIKI_FAILED = (
    "An error happened while fetching info for revision from the MediaWiki API, please contact the"
    " ML-Team if the issue persists."
)
DATA: dict[str, Any] = {
    "id": -1,
    "lang": "en",
    "text": "new wikitext",
    "comment": "fix",
    "timestamp": "2026-08-01T10:00:00Z",
    "bytes": 12,
    "tags": [],
    "page": {"id": 1234, "title": "Example", "first_edit_timestamp": "2005-03-01T00:00:00Z"},
    "parent": {
        "id": 998,
        "lang": "en",
        "text": "old wikitext",
        "timestamp": "2026-07-30T09:00:00Z",
        "bytes": 12,
        "comment": "",
        "tags": [],
    },
    "user": {"id": 0},
}


@pytest_asyncio.fixture(loop_scope="session")
async def house(tmp_path: Path, view: WritableView) -> AsyncIterator[ApiHouse]:
    async with api_house(tmp_path, view) as opened:
        yield opened


def refused(answer: httpx.Response) -> tuple[int, str, str]:
    """The status, the key and the message of an error."""
    ((key, message),) = answer.json().items()
    return answer.status_code, key, message


async def published(house: ApiHouse) -> dict[int, float | str]:
    scored = await house.streams.read(names.PREDICTION, 0, 100)
    errors = await house.streams.read(names.PREDICTION_ERROR, 0, 100)
    events = [decode_prediction(record.value) for record in scored]
    failures = [decode_prediction_error(record.value) for record in errors]
    return {event.revision.rev_id: event.score for event in events} | {
        event.revision.rev_id: event.error.reason for event in failures
    }


async def test_what_the_ores_extension_sends_is_answered_as_it_wants(house: ApiHouse) -> None:
    headers = {
        "Host": "127.0.0.1:8481",
        "X-Request-Id": "735f2a88fdacc93277b80d6a",
        "Content-Type": "application/json",
        "User-Agent": "MediaWiki/1.43.9",
    }
    answer = await house.client.post(PATH, content=b'{"rev_id":10,"lang":"my_"}', headers=headers)

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {
        "model_name": "revertrisk",
        "model_version": "1",
        "wiki_db": "my_wiki",
        "revision_id": 10,
        "output": {"prediction": False, "probabilities": {"true": 0.25, "false": 0.75}},
    }
    assert await published(house) == {10: 0.25}


@pytest.mark.parametrize(
    ("lang", "wiki_id"),
    [
        ("my_", "my_wiki"),
        ("media", "mediawiki"),
        ("", "intranet"),
        ("en", "enwiki"),
        ("als", "alswiki"),
        ("gsw", "alswiki"),
        ("bat_smg", "bat_smgwiki"),
        ("bat-smg", "bat_smgwiki"),
        ("sgs", "bat_smgwiki"),
        ("zh_min_nan", "zh_min_nanwiki"),
        ("zh-min-nan", "zh_min_nanwiki"),
        ("nan", "zh_min_nanwiki"),
    ],
)
async def test_a_wiki_is_found_by_what_clients_call_it(
    house: ApiHouse, lang: str, wiki_id: str
) -> None:
    answer = await house.predict({"rev_id": 10, "lang": lang})
    assert (answer.status_code, answer.json()["wiki_db"]) == (200, wiki_id)


async def test_a_model_named_with_its_wiki_needs_no_lang(house: ApiHouse) -> None:
    for name in (f"intranet-{LIFT_WING}", "intranet-revertrisk"):
        answer = await house.predict({"rev_id": 10}, name)
        assert (answer.status_code, answer.json()["wiki_db"]) == (200, "intranet")

    batch = await house.predict({"instances": [{"rev_id": 10}]}, "my_wiki-revertrisk")
    assert batch.json()["predictions"][0]["wiki_db"] == "my_wiki"


@pytest.mark.parametrize(
    "content_type",
    [None, "application/x-www-form-urlencoded", "text/plain", "application/json; charset=utf-8"],
)
async def test_the_content_type_does_not_matter(house: ApiHouse, content_type: str | None) -> None:
    headers = {"Content-Type": content_type} if content_type else {}
    answer = await house.client.post(PATH, content=b'{"rev_id":10,"lang":"en"}', headers=headers)
    assert (answer.status_code, answer.json()["revision_id"]) == (200, 10)


async def test_a_revision_id_is_given_back_as_it_came(house: ApiHouse) -> None:
    answer = await house.predict({"rev_id": "10", "lang": "en"})
    assert answer.json()["revision_id"] == "10"


async def test_several_are_answered_each_once_in_their_order(house: ApiHouse) -> None:
    instances = [{"lang": "en", "rev_id": rev_id} for rev_id in (12, 10, 12, 11)]

    answer = await house.predict({"instances": instances})

    assert answer.status_code == 200
    assert set(answer.json()) == {"predictions"}
    assert [one["revision_id"] for one in answer.json()["predictions"]] == [12, 10, 11]


async def test_of_several_some_may_have_no_prediction(house: ApiHouse) -> None:
    house.has(page_change("create", 30), page_change(rev_id=31), page_change(rev_id=32))
    house.reader.unreadable[31] = [Unreadable("revision_hidden", "Its text is hidden.")]
    house.reader.failing[32] = WikiUnavailableError("the wiki stumbles")
    ids = (10, 30, 31, 32, 99)

    answer = await house.predict({"instances": [{"lang": "my_", "rev_id": one} for one in ids]})

    assert answer.status_code == 200
    assert [one["revision_id"] for one in answer.json()["predictions"]] == [10]
    assert answer.json()["errors"] == [
        "Could not make prediction for revision 30 (my_). Reason: parent_revision_missing."
        " A new page has no earlier revision to return to.",
        "Could not make prediction for revision 31 (my_). Reason: revision_info_deleted",
        "Could not make prediction for revision 32 (my_). Reason: wiki_error. the wiki stumbles",
        "Could not make prediction for revision 99 (my_). Reason: revision_missing",
    ]


@pytest_asyncio.fixture(loop_scope="session")
async def trusting(tmp_path: Path, view: WritableView) -> AsyncIterator[ApiHouse]:
    """A server that only the wikis reach."""
    async with api_house(tmp_path, view, trusts_events=True) as opened:
        yield opened


async def test_an_event_is_answered_and_published(trusting: ApiHouse) -> None:
    event = raw_change(rev_id=77)

    answer = await trusting.predict({"event": event})

    assert answer.status_code == 200
    assert (answer.json()["wiki_db"], answer.json()["revision_id"]) == ("my_wiki", 77)
    assert await published(trusting) == {77: 0.25}
    assert trusting.edits.requests == []


async def test_what_an_event_says_of_an_edit_is_not_believed_from_anyone(house: ApiHouse) -> None:
    forged = raw_change(rev_id=10, page={"page_id": 666, "page_title": "Forged"})

    answer = await house.predict({"event": forged})

    assert answer.status_code == 200
    [record] = await house.streams.read(names.PREDICTION, 0, 10)
    assert decode_prediction(record.value).page == page_change(rev_id=10).page

    missing = await house.predict({"event": raw_change(rev_id=99)})
    assert (missing.status_code, list(await published(house))) == (422, [10])
    move = await house.predict({"event": raw_change("move", 11)})
    assert (move.status_code, list(await published(house))) == (422, [10])
    assert "['page_move'] A page move does not change the text." in move.json()["detail"]


@pytest.mark.parametrize("name", ["create", "edit", "edit_1.11.0", "move"])
async def test_a_real_event_has_an_outcome(trusting: ApiHouse, name: str) -> None:
    file = Path(__file__).parent.parent / "events" / "fixtures" / f"{name}.json"
    event = json.loads(file.read_text())

    answer = await trusting.predict({"event": event})

    assert answer.status_code == (200 if name.startswith("edit") else 422)
    assert list(await published(trusting)) == [event["revision"]["rev_id"]]


@pytest.mark.parametrize("kind", ["undelete", "visibility_change", "delete"])
async def test_an_event_that_is_no_edit_asks_for_its_revision(house: ApiHouse, kind: str) -> None:
    answer = await house.predict({"event": raw_change(kind, 10)})
    assert answer.status_code == 200

    house.edits.changes.clear()
    gone = await house.predict({"event": raw_change(kind, 11)})
    assert gone.status_code == 422
    assert house.edits.requests == [[10], [11]]


REVISION_CREATE: dict[str, Any] = {
    "$schema": "/mediawiki/revision/create/2.0.0",
    "meta": {"stream": "mediawiki.revision-create", "domain": "wiki.example"},
    "database": "my_wiki",
    "rev_id": 10,
}


@pytest.mark.parametrize("version", ["1.0.0", "1.2.0", "2.0.0"])
async def test_a_revision_create_event_is_answered_and_published(
    house: ApiHouse, version: str
) -> None:
    event = REVISION_CREATE | {"$schema": f"/mediawiki/revision/create/{version}"}
    answer = await house.predict({"event": event})
    assert (answer.status_code, answer.json()["wiki_db"]) == (200, "my_wiki")
    assert await published(house) == {10: 0.25}


async def test_a_text_is_scored_without_a_wiki_and_published_nowhere(house: ApiHouse) -> None:
    answer = await house.predict({"revision_data": DATA})

    assert answer.status_code == 200
    assert (answer.json()["wiki_db"], answer.json()["revision_id"]) == ("enwiki", -1)
    assert (house.edits.requests, house.reader.batches) == ([], [])
    assert await published(house) == {}


@pytest.mark.parametrize(
    ("lang", "wiki_id"),
    [("gsw", "alswiki"), ("de", "dewiki"), ("tlh", "tlhwiki"), ("media", "mediawiki")],
)
async def test_a_text_may_be_of_any_wiki(house: ApiHouse, lang: str, wiki_id: str) -> None:
    answer = await house.predict({"revision_data": DATA | {"lang": lang}})
    assert (answer.status_code, answer.json()["wiki_db"]) == (200, wiki_id)

    own = await house.predict({"revision_data": DATA | {"wiki_id": "corpdb"}})
    assert own.json()["wiki_db"] == "corpdb"


async def test_the_shipped_model_scores_the_text_itself(tmp_path: Path, view: WritableView) -> None:
    model = RevertRisk.load()
    async with api_house(tmp_path, view, model) as house:
        answer = (await house.predict({"revision_data": DATA})).json()
        bad = DATA | {"text": "", "bytes": 0, "comment": ""}
        worse = (await house.predict({"revision_data": bad})).json()

    assert (answer["model_name"], answer["model_version"]) == (model.name, model.version)
    assert 0 < answer["output"]["probabilities"]["true"] < 1
    before = answer["output"]["probabilities"]["true"]
    assert worse["output"]["probabilities"]["true"] != before


async def test_what_comes_first_counts(house: ApiHouse) -> None:
    """Precedence: revision_data, instances, event, plain."""
    plain = {"rev_id": 10, "lang": "en"}
    event = plain | {"event": raw_change(rev_id=11)}
    batch = event | {"instances": [{"rev_id": 12, "lang": "en"}]}
    text = batch | {"revision_data": DATA}

    assert (await house.predict(plain)).json()["revision_id"] == 10
    assert (await house.predict(event)).json()["revision_id"] == 11
    [one] = (await house.predict(batch)).json()["predictions"]
    assert one["revision_id"] == 12
    assert (await house.predict(text)).json()["revision_id"] == -1


async def test_a_revision_scored_before_costs_the_wiki_nothing(house: ApiHouse) -> None:
    await house.predict({"rev_id": 10, "lang": "my_"})
    await house.predict({"rev_id": 10, "lang": "my_"})
    await house.predict({"event": raw_change(rev_id=10)})

    assert house.edits.requests == [[10]]
    assert house.reader.batches == [[10]]


async def test_two_who_ask_at_once_share_one_reading(house: ApiHouse) -> None:
    house.edits.gate.clear()
    asking = [asyncio.create_task(house.predict({"rev_id": 10, "lang": "my_"})) for _ in range(2)]
    await until(lambda: bool(house.edits.requests))
    await asyncio.sleep(0.05)
    house.edits.gate.set()

    assert [(await one).status_code for one in asking] == [200, 200]
    assert house.edits.requests == [[10]]


async def test_the_models_and_their_state(house: ApiHouse) -> None:
    found = (await house.get("/v1/models")).json()["models"]
    assert found[:2] == ["revertrisk", LIFT_WING]
    assert f"my_wiki-{LIFT_WING}" in found

    for name in found:
        answer = await house.get(f"/v1/models/{name}")
        assert (answer.status_code, answer.json()) == (200, {"name": name, "ready": True})

    missing = await house.get("/v1/models/enwiki-damaging")
    message = "Model with name enwiki-damaging does not exist."
    assert refused(missing) == (404, "error", message)


def many(number: int, **fields: Any) -> dict[str, Any]:
    return {"instances": [{"rev_id": 10 + n, "lang": "en"} | fields for n in range(number)]}


def without(name: str) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(json.dumps(DATA))
    *path, last = name.split(".")
    part = data
    for key in path:
        part = part[key]
    del part[last]
    return {"revision_data": data}


REQUIRED = (
    "Missing some required fields. Required fields are `id`, `lang`, `text`, `timestamp`, `bytes`,"
    " `page.id`, `page.title`, `page.first_edit_timestamp`, `parent.id`, `parent.lang`,"
    " `parent.text`, `parent.timestamp`, `parent.bytes`, `user.id`."
)
NOT_AN_ID = "The parameter rev_id is no revision id: a whole number above 0."
NOT_CONFIGURED = "The wiki dewiki is not configured here: add a [[wikis]] block for it."
SUFFIX = "Language field should not have a 'wiki' suffix, i.e. use 'en', not 'enwiki'"
NOT_LISTED = "lang 'tlh' does not exist in the canonical Wikipedia language list."
NOT_WIKIPEDIA = (
    "This model is not recommended for use in projects outside of Wikipedia"
    " (e.g. Wiktionary, Wikinews, etc)"
)
CREATION = {"$schema": "/mediawiki/page/change/1.2.0"}


@pytest.mark.parametrize(
    ("inputs", "key", "message"),
    [
        ({"rev_id": 10}, "error", "The parameter lang is required."),
        ({"rev_id": 10, "lang": None}, "error", "The parameter lang is required."),
        ({"lang": "en"}, "error", "The parameter rev_id is required."),
        ({"lang": "en", "rev_id": 0}, "error", "The parameter rev_id is required."),
        ({"lang": "en", "rev_id": ""}, "error", "The parameter rev_id is required."),
        ({}, "error", "The parameter lang is required."),
        ({"lang": 5, "rev_id": 10}, "error", 'Expected "lang" to be a string.'),
        ({"lang": "en", "rev_id": -1}, "error", NOT_AN_ID),
        ({"lang": "en", "rev_id": 1.5}, "error", NOT_AN_ID),
        ({"lang": "en", "rev_id": True}, "error", NOT_AN_ID),
        ({"lang": "en", "rev_id": "ten"}, "error", NOT_AN_ID),
        ({"lang": "en", "rev_id": [10]}, "error", NOT_AN_ID),
        ({"lang": "en", "rev_id": 2**63}, "error", NOT_AN_ID),
        ({"lang": "enwiki", "rev_id": 10}, "detail", SUFFIX),
        ({"lang": "tlh", "rev_id": 10}, "detail", NOT_LISTED),
        ({"lang": "de", "rev_id": 10}, "detail", NOT_CONFIGURED),
        ([], "error", "Please verify that request input is a json dict"),
        ("text", "error", "Please verify that request input is a json dict"),
        ({"instances": {}}, "error", 'Expected "instances" to be a list'),
        ({"instances": []}, "error", 'Expected "instances" to have at least one item'),
        ({"instances": [{"lang": "en"}]}, "error", "The parameter rev_id is required."),
        ({"instances": [{"rev_id": 1}]}, "error", "The parameter lang is required."),
        (
            {"instances": [5]},
            "error",
            "Expected each instance to be an object with lang and rev_id",
        ),
        (many(21), "detail", "Only accept a maximum of 20 rev_ids in the request."),
        (
            {"instances": [*many(1)["instances"], *many(1, lang="de")["instances"]]},
            "detail",
            "Requesting multiple revisions should have the same language.",
        ),
        (many(2, lang="de"), "detail", NOT_CONFIGURED),
        ({"event": 5}, "error", 'Expected "event" to be an object'),
        ({"event": {}}, "error", 'Missing "lang" in input data.'),
        ({"event": CREATION}, "error", 'Missing "lang" in input data.'),
        ({"event": CREATION | {"wiki_id": "enwiki"}}, "error", 'Missing "rev_id" in input data.'),
        (
            {"event": {"$schema": "/mediawiki/page/change/2.0.0"}},
            "error",
            "Unsupported event of schema /mediawiki/page/change/2.0.0,"
            " the lang value cannot be determined.",
        ),
        ({"event": raw_change(wiki_id="dewiktionary")}, "detail", NOT_WIKIPEDIA),
        (
            {"event": raw_change(wiki_id="dewiki", meta={"domain": "de.wikipedia.org"})},
            "detail",
            NOT_CONFIGURED,
        ),
        (
            {"event": raw_change(meta={"stream": "s", "domain": "canary"})},
            "detail",
            "This is a canary event, which is about no edit.",
        ),
        (
            {"event": raw_change(page={})},
            "error",
            "The event cannot be read: not a page_change event: Object missing required field"
            " `page_id` - at `$.page`",
        ),
        ({"revision_data": None}, "detail", REQUIRED),
        ({"revision_data": {}}, "detail", REQUIRED),
        *((without(f"{name}"), "detail", REQUIRED) for name in ("id", "page.id", "parent.text")),
        (
            {"revision_data": DATA | {"bytes": -1}},
            "detail",
            "Not a revision_data object: Expected `int` >= 0 - at `$.bytes`",
        ),
    ],
)
async def test_a_wrong_request_is_told_what_is_wrong(
    house: ApiHouse, inputs: Any, key: str, message: str
) -> None:
    assert refused(await house.predict(inputs)) == (400, key, message)
    assert house.edits.requests == []


async def test_what_is_no_json_is_told_by_its_content_type(house: ApiHouse) -> None:
    for body in (b"", b"{", b"\xff\xfe", b'{"a":"\xff"}', b"[" * 100_000, b'{"a":' * 100_000):
        as_json = await house.client.post(
            PATH, content=body, headers={"Content-Type": "application/json"}
        )
        status, key, message = refused(as_json)
        assert (status, key) == (400, "error")
        assert message.startswith("Unrecognized request format: ")

        other = await house.client.post(PATH, content=body)
        expected = (400, "error", "Please verify that request input is a json dict")
        assert refused(other) == expected


async def test_two_wikis_called_the_same_are_told_apart_by_name(
    tmp_path: Path, view: WritableView, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.web.api_house.WIKIS", ("intranet", "extranet"))
    async with api_house(tmp_path, view) as house:
        answer = await house.predict({"rev_id": 10, "lang": ""})
        assert refused(answer) == (
            400,
            "detail",
            "lang '' may be any of intranet, extranet here: ask the model that has the wiki's name"
            " in front, such as intranet-revertrisk-language-agnostic.",
        )
        named = await house.predict({"rev_id": 10, "lang": ""}, f"extranet-{LIFT_WING}")
        assert named.json()["wiki_db"] == "extranet"


async def test_a_wiki_that_connects_later_is_named_from_then_on(
    tmp_path: Path, view: WritableView, monkeypatch: pytest.MonkeyPatch
) -> None:
    wiki_ids = ["enwiki"]
    monkeypatch.setattr("tests.web.api_house.WIKIS", wiki_ids)
    name = f"my_wiki-{LIFT_WING}"
    async with api_house(tmp_path, view) as house:
        assert (await house.get(f"/v1/models/{name}")).status_code == 404
        wiki_ids.append("my_wiki")
        assert (await house.get(f"/v1/models/{name}")).is_success
        assert name in (await house.get("/v1/models")).json()["models"]


async def test_an_empty_lang_is_missing_where_it_means_no_wiki(
    tmp_path: Path, view: WritableView, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.web.api_house.WIKIS", ("enwiki",))
    async with api_house(tmp_path, view) as house:
        answer = await house.predict({"rev_id": 10, "lang": ""})
    assert refused(answer) == (400, "error", "The parameter lang is required.")


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("revision_missing", "['revision_missing']"),
        ("revision_hidden", "['revision_info_deleted']"),
        ("parent_revision_missing", "['parent_revision_missing']"),
        ("parent_revision_hidden", "['parent_revision_info_deleted']"),
        ("not_wikitext", "['not_wikitext'] It is JSON."),
    ],
)
async def test_a_revision_that_can_have_no_score_says_why(
    house: ApiHouse, reason: str, said: str
) -> None:
    house.reader.unreadable[10] = [Unreadable(reason, "It is JSON.")]

    answer = await house.predict({"rev_id": 10, "lang": "en"})

    assert refused(answer) == (
        422,
        "detail",
        f"Could not make prediction for revisions dict_keys([(10, 'en')]). Reason: {said}",
    )


async def test_a_page_creation_asked_for_anyway_says_why(house: ApiHouse) -> None:
    house.has(page_change("create", 30))
    asked = "Could not make prediction for revisions dict_keys([(30, 'my_')])."
    why = "Reason: ['parent_revision_missing'] A new page has no earlier revision to return to."

    for inputs in ({"rev_id": 30, "lang": "my_"}, {"event": raw_change("create", 30)}):
        assert refused(await house.predict(inputs)) == (422, "detail", f"{asked} {why}")
    assert await published(house) == {30: "page_creation"}


async def test_if_none_of_several_can_have_a_score_all_reasons_are_said(house: ApiHouse) -> None:
    house.has(page_change(rev_id=30, revision=revision(30, is_content_visible=False)))
    answer = await house.predict(
        {"instances": [{"rev_id": 30, "lang": "en"}, {"rev_id": 99, "lang": "en"}]}
    )
    assert refused(answer) == (
        422,
        "detail",
        "Could not make prediction for revisions dict_keys([(30, 'en'), (99, 'en')])."
        " Reason: ['revision_info_deleted', 'revision_missing']",
    )


async def test_a_wiki_that_does_not_answer(house: ApiHouse) -> None:
    house.edits.failures = [WikiUnavailableError("http://secret.internal is down")]
    answer = await house.predict({"rev_id": 10, "lang": "en"})
    assert refused(answer) == (500, "error", WIKI_FAILED)

    house.reader.failing[10] = WikiUnavailableError("it stumbles over this revision")
    alone = await house.predict({"rev_id": 10, "lang": "en"})
    assert refused(alone) == (500, "error", WIKI_FAILED)

    house.reader.failing.clear()
    assert (await house.predict({"rev_id": 10, "lang": "en"})).status_code == 200


async def test_a_model_that_fails(tmp_path: Path, view: WritableView) -> None:
    failing = FakeModel(lambda all_: [Unscored("server_unavailable", "It is away.")] * len(all_))
    async with api_house(tmp_path, view, failing) as house:
        for inputs in ({"rev_id": 10, "lang": "en"}, {"revision_data": DATA}):
            assert refused(await house.predict(inputs)) == (500, "error", "It is away.")


async def test_streams_that_fail(house: ApiHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: object) -> None:
        raise StoreError("the disk is full")

    monkeypatch.setattr(house.streams, "append", fail)
    answer = await house.predict({"rev_id": 10, "lang": "en"})
    message = f"Model with name {LIFT_WING} is not ready."
    assert refused(answer) == (503, "error", message)
    assert answer.headers["retry-after"] == "10"


async def test_a_score_is_not_told_once_its_text_is_hidden(
    house: ApiHouse, view: WritableView
) -> None:
    assert (await house.predict({"rev_id": 10, "lang": "my_"})).status_code == 200
    hidden = row(
        10,
        wiki_id="my_wiki",
        content_hidden=True,
        state=State.NOT_SCORABLE,
        reason="revision_hidden",
        score=None,
    )
    await view.write(hidden)
    inputs = ({"rev_id": 10, "lang": "my_"}, {"event": raw_change(rev_id=10)})
    for one in inputs:
        answer = await house.predict(one)
        assert answer.status_code == 422
        assert "revision_info_deleted" in answer.json()["detail"]

    await view.delete(hidden)
    answer = await house.predict(inputs[0])
    assert "['revision_missing']" in answer.json()["detail"]


async def test_a_text_beyond_the_models_limit(tmp_path: Path, view: WritableView) -> None:
    text = "é" * 1_000_001
    async with api_house(tmp_path, view, RevertRisk.load()) as house:
        answer = await house.predict({"revision_data": DATA | {"text": text}})

    status, key, message = refused(answer)
    assert (status, key) == (422, "detail")
    assert "Reason: ['text_too_large']" in message
    assert "2,000,000 bytes" in message


async def test_a_body_beyond_the_limit(house: ApiHouse) -> None:
    async def slices() -> AsyncIterator[bytes]:
        for _ in range(MAX_BODY_BYTES // 1_000_000 + 1):
            yield b"x" * 1_000_000

    for content in (b"x" * (MAX_BODY_BYTES + 1), slices()):
        answer = await house.client.post(PATH, content=content)
        assert refused(answer) == (
            413,
            "error",
            "The request body is larger than the limit of 10,000,000 bytes.",
        )
        assert answer.headers["connection"] == "close"


@pytest.mark.parametrize("event", [raw_change(), REVISION_CREATE], ids=lambda one: one["$schema"])
async def test_an_event_beyond_the_limit(house: ApiHouse, event: dict[str, Any]) -> None:
    answer = await house.predict({"event": event | {"comment": "x" * 5_000_000}})
    message = "The event is larger than the limit of 4,128,768 bytes."
    assert refused(answer) == (413, "error", message)


async def test_a_slow_body_ends(house: ApiHouse, serve: Serve, view: WritableView) -> None:
    served = ServedModel(
        model=house.model,
        answers=Answers(house.asked, view),
        levels=LEVELS,
        explanations=Explanations(house.model, {}.get),
    )
    lift_wing = LiftWing([served], WikiNames(["enwiki"]), read_seconds=0.2)
    app = create_app(view, SITES.get, LEVELS, routes=lift_wing.routes)
    async with serve(app) as address:
        host, _, port = address.removeprefix("http://").partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n"
        writer.write(head.encode() + b'{"rev_id":')
        async with asyncio.timeout(30):
            answer = await reader.read()
        writer.close()

    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"did not arrive within 0.2 seconds" in answer


async def test_a_slow_text_does_not_keep_others_waiting(tmp_path: Path, view: WritableView) -> None:
    """The shipped model works in a thread while others are answered."""
    async with api_house(tmp_path, view, RevertRisk.load()) as house:
        text = "word " * 390_000
        slow = asyncio.create_task(house.predict({"revision_data": DATA | {"text": text}}))
        answered = 0
        while not slow.done():
            await house.get("/v1/models")
            await asyncio.sleep(0)
            answered += 1
        assert (await slow).status_code == 200
    assert answered > 3


async def test_pages_of_other_sites_may_ask(house: ApiHouse) -> None:
    origin = {"Origin": "https://en.example"}
    preflight = await house.client.options(
        PATH,
        headers=origin
        | {
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "content-type",
        },
    )
    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-origin"] == "*"
    assert "POST" in preflight.headers["access-control-allow-methods"]

    for inputs in ({"rev_id": 10, "lang": "en"}, {}):
        answer = await house.client.post(PATH, json=inputs, headers=origin)
        assert answer.headers["access-control-allow-origin"] == "*"

    plain = await house.client.options(PATH)
    assert (plain.status_code, plain.headers["allow"]) == (204, "POST, OPTIONS")


async def test_our_own_client_understands_our_server(house: ApiHouse) -> None:
    house.has(page_change("create", 30))
    client = LiftWingClient("http://test", LIFT_WING, house.client)
    asked = [
        msgspec.structs.replace(written(), wiki_id="enwiki", rev_id=rev_id)
        for rev_id in (10, 30, 99, 11)
    ]

    found = await client.predict(asked)

    assert [found[0], found[3]] == [Prediction(0.25)] * 2
    reasons = [one.reason for one in found if isinstance(one, Unscored)]
    assert reasons == ["parent_revision_missing", "revision_missing"]
    assert client.version == "1"

    [alone] = await client.predict(asked[1:2])
    assert isinstance(alone, Unscored)
    assert (alone.reason, alone.is_final) == ("parent_revision_missing", True)

    sender = LiftWingClient("http://test", LIFT_WING, house.client, sends_text=True, lang="en")
    text = written(parent_dt=None)
    [refusal] = await sender.predict([text])
    assert isinstance(refusal, Unscored)
    page = msgspec.structs.replace(text.page, first_edit_dt=text.rev_dt)
    whole = msgspec.structs.replace(written(), page=page)
    assert await sender.predict([whole]) == [Prediction(0.25)]
