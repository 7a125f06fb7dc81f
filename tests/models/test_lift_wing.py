"""Lift Wing as a model: what is asked, what each answer becomes, what is asked again."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import httpx
import pytest
import stamina
from msgspec.structs import replace

from revision_quality.errors import ModelError
from revision_quality.models.base import Prediction, Unscored
from revision_quality.models.lift_wing import LiftWing
from revision_quality.models.lift_wing_protocol import lang_of
from revision_quality.wiki.revision import Revision, User
from revision_quality.wiki.revision_data import read_revision_data
from tests.models.make import revision

NAME = "revertrisk-language-agnostic"
URL = "http://lift.wing/service/lw/inference"

Answer = httpx.Response | Exception


@pytest.fixture(autouse=True)
def _no_pauses() -> Iterator[None]:
    with stamina.set_testing(True, attempts=4, cap=True):
        yield


class Server:
    """Answers as told, request by request, and keeps what it was asked."""

    def __init__(self, *answers: Answer) -> None:
        self.requests: list[httpx.Request] = []
        self._answers = list(answers)

    @property
    def bodies(self) -> list[dict]:
        return [json.loads(request.content) for request in self.requests]

    def model(self, **options: object) -> LiftWing:
        client = httpx.AsyncClient(transport=httpx.MockTransport(self._handle))
        return LiftWing(URL, NAME, client, **options)

    def _handle(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


class Scoring(Server):
    """Scores every revision with a thousandth of its number, save those that `refuse` names."""

    def __init__(self, refuse: Callable[[int], str | None] = lambda _: None) -> None:
        super().__init__()
        self._refuse = refuse

    def _handle(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        body = json.loads(request.content)
        asked = [(one["rev_id"], one["lang"]) for one in body.get("instances", [body])]
        errors = [
            f"Could not make prediction for revision {rev_id} ({lang}). Reason: {reason}"
            for rev_id, lang in asked
            if (reason := self._refuse(rev_id))
        ]
        scored = [one(rev_id, rev_id / 1000) for rev_id, _ in asked if not self._refuse(rev_id)]
        if not scored:
            return httpx.Response(422, json={"detail": errors[0]})
        if "instances" not in body:
            return httpx.Response(200, json=scored[0])
        partial = {"errors": errors} if errors else {}
        return httpx.Response(200, json={"predictions": scored, **partial})


def one(rev_id: int, score: float, version: str = "3") -> dict:
    return {
        "model_name": NAME,
        "model_version": version,
        "wiki_db": "papwiki",
        "revision_id": rev_id,
        "output": {
            "prediction": score >= 0.5,
            "probabilities": {"true": score, "false": 1 - score},
        },
    }


def edits(*rev_ids: int, wiki_id: str = "papwiki") -> list[Revision]:
    return [replace(revision(), rev_id=rev_id, wiki_id=wiki_id) for rev_id in rev_ids]


async def test_one_edit_is_one_plain_request():
    server = Server(httpx.Response(200, json=one(7, 0.25)))
    model = server.model(host="revertrisk.example", access_token="secret")

    assert await model.predict(edits(7)) == [Prediction(0.25)]

    request = server.requests[0]
    assert str(request.url) == f"{URL}/v1/models/{NAME}:predict"
    assert request.headers["host"] == "revertrisk.example"
    assert request.headers["authorization"] == "Bearer secret"
    assert request.headers["content-type"] == "application/json"
    assert server.bodies == [{"rev_id": 7, "lang": "pap"}]


async def test_many_edits_go_in_batches_of_twenty_of_one_language_and_come_back_in_order():
    server = Scoring()
    mixed = [
        item
        for pair in zip(
            edits(*range(1, 46)), edits(*range(101, 146), wiki_id="alswiki"), strict=True
        )
        for item in pair
    ]

    outcomes = await server.model().predict(mixed)

    assert outcomes == [Prediction(item.rev_id / 1000) for item in mixed]
    batches = [[one["lang"] for one in body["instances"]] for body in server.bodies]
    assert sorted((set(langs).pop(), len(langs)) for langs in batches) == [
        ("gsw", 5), ("gsw", 20), ("gsw", 20), ("pap", 5), ("pap", 20), ("pap", 20),
    ]  # fmt: skip
    assert all(len(set(langs)) == 1 for langs in batches)


async def test_an_edit_twice_in_a_batch_is_asked_once_and_answered_twice():
    server = Scoring()

    assert await server.model().predict(edits(5, 6, 5)) == [
        Prediction(0.005),
        Prediction(0.006),
        Prediction(0.005),
    ]
    assert [item["rev_id"] for item in server.bodies[0]["instances"]] == [5, 6]


@pytest.mark.parametrize(
    ("wiki_id", "lang"),
    [
        ("enwiki", "en"), ("simplewiki", "simple"), ("nowiki", "no"), ("alswiki", "gsw"),
        ("bat_smgwiki", "sgs"), ("be_x_oldwiki", "be-tarask"), ("cbk_zamwiki", "cbk-zam"),
        ("fiu_vrowiki", "vro"), ("map_bmswiki", "map-bms"), ("nds_nlwiki", "nds-nl"),
        ("roa_rupwiki", "rup"), ("roa_tarawiki", "roa-tara"), ("zh_classicalwiki", "lzh"),
        ("zh_min_nanwiki", "nan"), ("zh_yuewiki", "yue"), ("emlwiki", "eml"), ("bhwiki", "bh"),
        ("wikidatawiki", None), ("my_wiki", None), ("mediawikiwiki", None),
    ],
)  # fmt: skip
def test_a_wiki_has_the_language_of_lift_wings_own_list(wiki_id, lang):
    assert lang_of(wiki_id) == lang


async def test_what_a_partial_failure_names_is_final_and_the_rest_is_scored():
    server = Scoring(lambda rev_id: "revision_info_deleted" if rev_id == 2 else None)

    first, second, third = await server.model().predict(edits(1, 2, 3))

    assert (first, third) == (Prediction(0.001), Prediction(0.003))
    assert (second.reason, second.is_final) == ("revision_info_deleted", True)
    assert "revision 2 (pap)" in second.message


async def test_an_edit_that_an_answer_leaves_out_is_not_final():
    server = Server(httpx.Response(200, json={"predictions": [one(1, 0.1)]}))

    first, second = await server.model().predict(edits(1, 2))

    assert first == Prediction(0.1)
    assert (second.reason, second.is_final) == ("no_answer", False)


REASONS = [
    "page_missing", "user_missing", "parent_revision_missing", "parent_revision_info_deleted",
    "revision_missing", "revision_info_deleted",
]  # fmt: skip
REFUSALS = [
    *((422, "detail", f"Could not make prediction for revision 1 (pap). Reason: {reason}", reason)
      for reason in REASONS),
    *((422, "detail", "Could not make prediction for revisions dict_keys([(1, 'pap')])."
       f" Reason: ['{reason}']", reason) for reason in REASONS),
    (422, "detail", "unsupported lang", "refused"),
    (400, "error", "The parameter lang is required.", "bad_request"),
    (400, "error", "Unrecognized request format: Expecting value", "bad_request"),
    (400, "detail", "lang 'pap' does not exist in the canonical Wikipedia language list.",
     "wiki_not_supported"),
    (400, "detail", "Language field should not have a 'wiki' suffix, i.e. use 'en', not 'enwiki'",
     "wiki_not_supported"),
    (400, "detail", "This model is not recommended for use in projects outside of Wikipedia"
     " (e.g. Wiktionary, Wikinews, etc)", "wiki_not_supported"),
    (400, "error", "The MW API does not have any info related to the rev-id provided as input (1),"
     " therefore it is not possible to extract features properly.", "revision_missing"),
    (413, "detail", "", "refused"),
]  # fmt: skip


@pytest.mark.parametrize(("status", "key", "message", "reason"), REFUSALS)
async def test_a_refusal_is_final_with_its_reason_and_not_asked_again(status, key, message, reason):
    server = Server(httpx.Response(status, json={key: message}))

    (outcome,) = await server.model().predict(edits(1))

    assert (outcome.reason, outcome.is_final) == (reason, True)
    assert message in outcome.message
    assert outcome.message
    assert len(server.requests) == 1


async def test_one_reason_for_a_whole_batch_needs_no_second_request():
    detail = (
        "Could not make prediction for revisions dict_keys([(1, 'pap'), (2, 'pap')])."
        " Reason: ['parent_revision_missing', 'parent_revision_missing']"
    )
    server = Server(httpx.Response(422, json={"detail": detail}))

    outcomes = await server.model().predict(edits(1, 2))

    assert [outcome.reason for outcome in outcomes] == ["parent_revision_missing"] * 2


async def test_several_reasons_for_a_batch_are_told_apart_by_asking_one_by_one():
    reasons = {1: "page_missing", 2: "revision_missing"}
    server = Scoring(reasons.get)
    detail = "Could not make prediction. Reason: ['page_missing', 'revision_missing']"
    whole = server._handle
    server._handle = lambda request: (
        httpx.Response(422, json={"detail": detail})
        if b"instances" in request.content
        else whole(request)
    )

    outcomes = await server.model().predict(edits(1, 2))

    assert [outcome.reason for outcome in outcomes] == ["page_missing", "revision_missing"]


async def test_a_server_without_batches_is_asked_one_by_one():
    server = Scoring()
    single = server._handle
    server._handle = lambda request: (
        httpx.Response(400, json={"error": "The parameter lang is required."})
        if b"instances" in request.content
        else single(request)
    )

    assert await server.model().predict(edits(1, 2)) == [Prediction(0.001), Prediction(0.002)]


TEMPORARY = [
    *(httpx.Response(status, json={"error": "boom"}) for status in (500, 502, 503, 504)),
    httpx.Response(503, text="upstream connect error"),
    httpx.Response(429, headers={"Retry-After": "0"}, json={"error": "rate limit"}),
    httpx.Response(429, headers={"Retry-After": "Mon, 23 Nov 2026 08:00:00 GMT"}),
    httpx.ConnectError("refused"),
    httpx.ReadTimeout("slow"),
    httpx.RemoteProtocolError("closed"),
]


@pytest.mark.parametrize("trouble", TEMPORARY, ids=repr)
async def test_what_passes_is_tried_again(trouble):
    server = Server(trouble, trouble, httpx.Response(200, json=one(1, 0.9)))

    assert await server.model().predict(edits(1)) == [Prediction(0.9)]
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    "trouble", [item for item in TEMPORARY if getattr(item, "status_code", 0) != 500], ids=repr
)
async def test_a_server_that_cannot_be_had_is_an_error_of_the_batch(trouble):
    server = Server(*[trouble] * 4)

    with pytest.raises(ModelError, match=r"http://lift\.wing/\S+ (answers HTTP|cannot|does not)"):
        await server.model().predict(edits(1, 2))
    assert len(server.requests) == 4


async def test_a_server_that_asks_to_wait_long_is_not_asked_again():
    server = Server(httpx.Response(429, headers={"Retry-After": "3600"}))

    with pytest.raises(ModelError, match="429"):
        await server.model().predict(edits(1))
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(404, json={"error": f"Model with name {NAME} does not exist."}),
        httpx.Response(401, json={"error": "no token"}),
        httpx.Response(302, headers={"Location": "http://elsewhere/"}),
        httpx.Response(200, text="<html>a login page</html>"),
        httpx.Response(200, json={"error": "boom"}),
        httpx.Response(200, json={}),
        httpx.Response(200, json=[1]),
    ],
    ids=repr,
)
async def test_what_answers_but_not_as_this_model_is_an_error_that_says_what_to_check(answer):
    server = Server(answer)

    with pytest.raises(ModelError, match="check the model's url"):
        await server.model().predict(edits(1))
    assert len(server.requests) == 1


async def test_a_revision_on_which_the_server_fails_does_not_spoil_the_others():
    server = Scoring()
    fine = server._handle
    server._handle = lambda request: (
        httpx.Response(500, json={"error": "KeyError : 'page_id'"})
        if '"rev_id":2' in request.content.decode()
        else fine(request)
    )

    first, second, third = await server.model().predict(edits(1, 2, 3))

    assert (first, third) == (Prediction(0.001), Prediction(0.003))
    assert (second.reason, second.is_final) == ("server_error", False)
    assert "KeyError" in second.message


async def test_when_a_batch_gets_through_those_that_do_not_are_not_lost():
    server = Scoring()
    fine = server._handle

    def handle(request: httpx.Request) -> httpx.Response:
        if b'"gsw"' in request.content:
            raise httpx.ConnectError("refused")
        return fine(request)

    server._handle = handle

    first, second = await server.model().predict([*edits(1), *edits(2, wiki_id="alswiki")])

    assert first == Prediction(0.001)
    assert (second.reason, second.is_final) == ("server_unavailable", False)


async def test_the_version_is_learnt_from_the_answers():
    server = Server(httpx.Response(200, json=one(1, 0.1, "4")))
    model = server.model()
    assert (model.name, model.version) == (NAME, "unknown")

    await model.predict(edits(1))

    assert model.version == "4"


async def test_a_score_of_another_version_than_the_one_given_is_not_taken():
    server = Server(
        httpx.Response(200, json=one(1, 0.1, "3")), httpx.Response(200, json=one(1, 0.1, "4"))
    )
    model = server.model(version="3")

    assert await model.predict(edits(1)) == [Prediction(0.1)]
    (refused,) = await model.predict(edits(1))

    assert model.version == "3"
    assert (refused.reason, refused.is_final) == ("model_version_changed", False)


@pytest.mark.parametrize("score", [-0.1, 1.5, None])
async def test_an_answer_that_is_no_probability_is_no_score(score):
    body = one(1, 0.5)
    body["output"]["probabilities"] = {"true": score} if score is not None else {"false": 0.2}
    server = Server(httpx.Response(200, json=body))

    (outcome,) = await server.model().predict(edits(1))

    assert isinstance(outcome, Unscored)
    assert outcome.reason == "bad_answer"


async def test_a_wiki_outside_the_table_is_said_so_and_never_asked_for():
    server = Scoring()

    mine, other = await server.model().predict([*edits(1, wiki_id="my_wiki"), *edits(2)])

    assert (mine.reason, mine.is_final) == ("wiki_not_supported", True)
    assert "model.langs" in mine.message
    assert mine.message.startswith("my_wiki is no open Wikipedia")
    assert other == Prediction(0.002)
    assert server.bodies == [{"rev_id": 2, "lang": "pap"}]


def whole(rev_id: int = 9) -> Revision:
    edit = replace(revision(), rev_id=rev_id, wiki_id="my_wiki")
    born = datetime(2020, 5, 1, tzinfo=UTC)
    return replace(edit, page=replace(edit.page, first_edit_dt=born))


async def test_texts_go_out_where_the_server_allows_it_one_request_each():
    server = Server(*[httpx.Response(200, json=one(-1, 0.7))] * 2)
    model = server.model(sends_text=True, lang="pap")

    assert await model.predict([whole(9), whole(10)]) == [Prediction(0.7)] * 2

    bodies = server.bodies
    assert len(bodies) == 2
    sent = read_revision_data(
        next(b for b in bodies if b["revision_data"]["id"] == 9)["revision_data"]
    )
    assert sent.revision == replace(whole(9), parent=replace(whole(9).parent, comment=""))
    assert sent.lang == "pap"


async def test_without_a_language_for_other_wikis_their_texts_stay_here():
    server = Server()

    (outcome,) = await server.model(sends_text=True).predict([whole()])

    assert (outcome.reason, outcome.is_final) == ("wiki_not_supported", True)
    assert "model.lang" in outcome.message


async def test_a_revision_without_a_field_that_lift_wing_requires_names_it():
    server = Server()
    edit = replace(whole(), user=User())

    (outcome,) = await server.model(sends_text=True, lang="en").predict([edit])

    assert (outcome.reason, outcome.is_final) == ("missing_field", True)
    assert "user.id" in outcome.message


async def test_an_edit_without_a_number_cannot_be_asked_for():
    (outcome,) = await Server().model().predict([replace(revision(), rev_id=None)])

    assert (outcome.reason, outcome.is_final) == ("revision_missing", True)


async def test_no_edits_are_no_request():
    assert await Server().model().predict([]) == []
