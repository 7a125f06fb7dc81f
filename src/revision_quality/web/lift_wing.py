"""Lift Wing's revert risk server: `/v1/models`.

Source: Wikimedia's inference-services (revert risk, language-agnostic, batch server) and KServe
0.15's V1 protocol. Any MediaWiki is answered for, `wiki_db` is the wiki's true id.
"""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Annotated, Any

import structlog
from msgspec import Meta, Struct, field
from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from revision_quality.errors import ModelError, StoreError, WikiError
from revision_quality.events.page_change import PageChange, PageChangeKind
from revision_quality.events.prediction_error import Outcome
from revision_quality.models.base import Model, Prediction, PromptModel, Unscored
from revision_quality.scoring.rules import PAGE_MOVE
from revision_quality.web.answering import Answer, Answers, NotScored, Scored
from revision_quality.web.bodies import READ_SECONDS, UnreadBodyError, read_body
from revision_quality.web.json_answers import encode_json, json_answer
from revision_quality.web.lift_wing_requests import (
    MAX_INSTANCES,
    MAX_REV_ID,
    Asked,
    AskedRevision,
    ByEvent,
    ByIds,
    ByText,
    RefusedRequestError,
    read_request,
    read_text,
)
from revision_quality.web.operation import Content, Operation, Parameter, Reply, routes
from revision_quality.web.served_model import ServedModel
from revision_quality.web.shortcuts import Shortcut
from revision_quality.web.wiki_names import WikiNames
from revision_quality.wiki.revision import Revision

NAME = "revertrisk-language-agnostic"
"""The only name that the ORES extension asks for."""

_REASONS = {
    "page_creation": "parent_revision_missing",
    "revision_hidden": "revision_info_deleted",
    "parent_revision_hidden": "parent_revision_info_deleted",
}
"""Lift Wing's codes for ours (knowledge_integrity's ErrorCode)."""

_SAID_BY_CODE = {
    "revision_missing",
    "parent_revision_missing",
    "revision_hidden",
    "parent_revision_hidden",
}

_WIKI_FAILED = (
    "An error happened while fetching info for revision from the MediaWiki API,"
    " please contact the ML-Team if the issue persists."
)
_UNSAVED = -1

_log = structlog.get_logger()


class Instance(Struct, frozen=True, omit_defaults=True):
    """A revision asked for; `lang` may be absent where the model's name has the wiki."""

    rev_id: Annotated[int, Meta(ge=1, le=MAX_REV_ID)] | str
    lang: str = ""


class PredictJson(Struct, frozen=True, omit_defaults=True):
    """A request, for the API's document; of what is there the last of these counts."""

    rev_id: Annotated[int, Meta(ge=1, le=MAX_REV_ID)] | str | None = None
    lang: str | None = None
    event: dict[str, Any] | None = None
    instances: Annotated[list[Instance], Meta(min_length=1, max_length=MAX_INSTANCES)] | None = None
    revision_data: dict[str, Any] | None = None


class Probabilities(Struct, frozen=True):
    """P(reverted) and the rest to 1."""

    true: float
    false: float


class Output(Struct, frozen=True):
    """The model's own decision at 0.5, and its probabilities."""

    prediction: bool
    probabilities: Probabilities


class PredictionJson(Struct, frozen=True):
    """The answer for one revision; `revision_id` as it was asked for, -1 for a text."""

    model_name: str
    model_version: str
    wiki_db: str
    revision_id: int | str
    output: Output


class Predictions(Struct, frozen=True, omit_defaults=True):
    """The answer for `instances`; `errors` says which have no prediction, and why."""

    predictions: list[PredictionJson]
    errors: list[str] = field(default_factory=list)


class ErrorJson(Struct, frozen=True):
    """KServe's errors."""

    error: str


class DetailJson(Struct, frozen=True):
    """FastAPI's errors."""

    detail: str


class ModelNames(Struct, frozen=True):
    """What there is."""

    models: list[str]


class ModelState(Struct, frozen=True):
    """Whether a model can be asked."""

    name: str
    ready: bool


class _Called(Struct, frozen=True):
    """What a name means: a model, and the wiki where the name has it."""

    served: ServedModel
    wiki_id: str | None


class LiftWing:
    """The handlers, for the wikis of `names`.

    A model goes by its own name, the first one also by the one that the ORES extension asks for
    unless another has that, and each by its names with a wiki's id in front,
    `my_wiki-revertrisk-language-agnostic`: then `lang` is not needed. Of two models with one name
    the earlier answers.

    What is published for an `event` says who made the edit, and when. `trusts_events` takes that
    from the event, for where only the wikis and their stream processors reach the server; without
    it the wiki is asked, as for any other revision.
    """

    def __init__(
        self,
        models: Sequence[ServedModel],
        names: WikiNames,
        *,
        trusts_events: bool = False,
        read_seconds: float = READ_SECONDS,
    ) -> None:
        self._names = names
        self._trusts_events = trusts_events
        self._read_seconds = read_seconds
        self._bare: dict[str, ServedModel] = {}
        for served in models:
            self._bare.setdefault(served.model.name, served)
        self._bare.setdefault(NAME, models[0])

    @property
    def routes(self) -> list[Route]:
        """The routes of OPERATIONS."""
        return [
            *routes(PREDICT, self.predict, self._shortcuts()),
            *routes(MODELS, self.models),
            *routes(MODEL, self.model),
        ]

    async def models(self, request: Request) -> Response:
        """List the models by all their names."""
        of_wikis = [f"{wiki_id}-{name}" for name in self._bare for wiki_id in self._names.wiki_ids]
        return json_answer(ModelNames(list(dict.fromkeys([*self._bare, *of_wikis]))))

    async def model(self, request: Request) -> Response:
        """Say that a model is ready: it is loaded before anything is served."""
        name = request.path_params["name"]
        return json_answer(ModelState(name, True)) if self._called(name) else _no_model(name)

    async def predict(self, request: Request) -> Response:
        """Answer with the prediction for one revision, or with one for each of several."""
        name = request.path_params["name"]
        called = self._called(name)
        if called is None:
            return _no_model(name)
        try:
            asked = await self._read(request, called.wiki_id)
        except UnreadBodyError as error:
            return json_answer(ErrorJson(str(error)), error.status, {"Connection": "close"})
        except RefusedRequestError as error:
            kind = ErrorJson if error.key == "error" else DetailJson
            return json_answer(kind(str(error)), error.status)
        return await self._answer(asked, called.served, name)

    def _shortcuts(self) -> dict[str, Shortcut]:
        return {
            PREDICT.path.format(name=name): partial(self._predict_at_once, model)
            for name, served in self._bare.items()
            if isinstance(model := served.model, PromptModel)
        }

    def _predict_at_once(self, model: PromptModel, body: bytes) -> bytes | None:
        asked = read_text(body, self._names, None)
        answer = model.predict_at_once(_revision(asked)) if asked else None
        if asked is None or answer is None:
            return None
        return encode_json(_prediction(asked.wiki_id, _UNSAVED, _scored(answer, model)))

    def _called(self, name: str) -> _Called | None:
        if served := self._bare.get(name):
            return _Called(served, None)
        for bare, served in self._bare.items():
            wiki_id = name.removesuffix(f"-{bare}")
            if wiki_id != name and wiki_id in self._names:
                return _Called(served, wiki_id)
        return None

    async def _read(self, request: Request, wiki_id: str | None) -> Asked:
        body = await read_body(request, seconds=self._read_seconds)
        is_json = "json" in request.headers.get("content-type", "")
        return read_request(body, self._names, wiki_id, is_json=is_json)

    async def _answer(self, asked: Asked, served: ServedModel, name: str) -> Response:
        try:
            return await self._predict(asked, served)
        except WikiError as error:
            _log.warning("no score for lack of the wiki", error=str(error))
            return json_answer(ErrorJson(_WIKI_FAILED), 500)
        except ModelError as error:
            return json_answer(ErrorJson(str(error)), 500)
        except StoreError:
            message = f"Model with name {name} is not ready."
            return json_answer(ErrorJson(message), 503, {"Retry-After": "10"})

    async def _predict(self, asked: Asked, served: ServedModel) -> Response:
        if isinstance(asked, ByText):
            return await _predict_text(asked, served.model)
        if isinstance(asked, ByEvent):
            return await self._predict_event(asked.change, asked.lang, served.answers)
        rev_ids = [revision.rev_id for revision in asked.revisions]
        return _respond(asked, await served.answers.of(asked.wiki_id, rev_ids))

    async def _predict_event(self, change: PageChange, lang: str, answers: Answers) -> Response:
        rev_id = change.revision.rev_id
        answer: Answer
        if self._trusts_events:
            answer = await answers.of_event(change)
        elif change.page_change_kind is PageChangeKind.MOVE:
            # The wiki tells of the revision that a move makes as of an edit.
            reason, message = PAGE_MOVE.reason, PAGE_MOVE.message
            answer = NotScored(rev_id, Outcome.NOT_SCORABLE, reason, message)
        else:
            [answer] = await answers.of(change.wiki_id, [rev_id])
        return _respond(ByIds(change.wiki_id, lang, (AskedRevision(rev_id, rev_id),)), [answer])


async def _predict_text(asked: ByText, model: Model) -> Response:
    [answer] = await model.predict([_revision(asked)])
    read = _read(answer, model)
    if isinstance(read, Scored):
        return json_answer(_prediction(asked.wiki_id, _UNSAVED, read))
    unsaved = AskedRevision(_UNSAVED, _UNSAVED)
    return _respond(ByIds(asked.wiki_id, asked.data.lang, (unsaved,)), [read])


def _revision(asked: ByText) -> Revision:
    revision = asked.data.revision
    is_its = revision.wiki_id == asked.wiki_id
    return revision if is_its else replace(revision, wiki_id=asked.wiki_id)


def _scored(answer: Prediction, model: Model) -> Scored:
    return Scored(_UNSAVED, answer.score, answer.prediction, model.name, model.version)


def _read(answer: Prediction | Unscored, model: Model) -> Answer:
    if isinstance(answer, Prediction):
        return _scored(answer, model)
    state = Outcome.NOT_SCORABLE if answer.is_final else Outcome.FAILED
    return NotScored(_UNSAVED, state, answer.reason, answer.message)


def _respond(asked: ByIds, answers: Iterable[Answer]) -> Response:
    pairs = list(zip(asked.revisions, answers, strict=True))
    predictions = [
        _prediction(asked.wiki_id, revision.shown, answer)
        for revision, answer in pairs
        if isinstance(answer, Scored)
    ]
    unscored = [
        (revision.shown, answer) for revision, answer in pairs if isinstance(answer, NotScored)
    ]
    if not predictions:
        return _nothing(asked, unscored)
    if not asked.is_batch:
        return json_answer(predictions[0])
    errors = [
        f"Could not make prediction for revision {shown} ({asked.lang}). Reason: {_reason(answer)}"
        for shown, answer in unscored
    ]
    return json_answer(Predictions(predictions, errors))


def _prediction(wiki_id: str, shown: int | str, answer: Scored) -> PredictionJson:
    output = Output(answer.prediction, Probabilities(answer.score, 1 - answer.score))
    return PredictionJson(answer.model_name, answer.model_version, wiki_id, shown, output)


def _nothing(asked: ByIds, unscored: list[tuple[int | str, NotScored]]) -> Response:
    failed = [answer for _, answer in unscored if answer.state is Outcome.FAILED]
    if failed:
        of_wiki = failed[0].reason == "wiki_error"
        return json_answer(ErrorJson(_WIKI_FAILED if of_wiki else failed[0].message), 500)
    keys = dict.fromkeys((shown, asked.lang) for shown, _ in unscored).keys()
    codes = [_code(answer) for _, answer in unscored]
    sentences = dict.fromkeys(filter(None, (_sentence(answer) for _, answer in unscored)))
    reasons = " ".join([f"{codes}", *sentences])
    detail = f"Could not make prediction for revisions {keys}. Reason: {reasons}"
    return json_answer(DetailJson(detail), 422)


def _reason(answer: NotScored) -> str:
    sentence = _sentence(answer)
    return f"{_code(answer)}. {sentence}" if sentence else _code(answer)


def _code(answer: NotScored) -> str:
    return _REASONS.get(answer.reason, answer.reason)


def _sentence(answer: NotScored) -> str:
    """Return our own words where Lift Wing's code does not say it all."""
    return "" if answer.reason in _SAID_BY_CODE else answer.message


def _no_model(name: str) -> Response:
    return json_answer(ErrorJson(f"Model with name {name} does not exist."), 404)


_TAG = "Lift Wing"
_NAME = Parameter(
    name="name",
    description="The model's name, with a wiki's id in front or without.",
    example=NAME,
)
_EVENT = {
    "$schema": "/mediawiki/page/change/1.2.0",
    "meta": {"stream": "mediawiki.page_change.v1", "domain": "en.wikipedia.org"},
    "dt": "2026-08-01T10:00:00Z",
    "wiki_id": "enwiki",
    "page_change_kind": "edit",
    "changelog_kind": "update",
    "page": {"page_id": 1234, "page_title": "Example", "namespace_id": 0},
    "revision": {"rev_id": 1001, "rev_dt": "2026-08-01T10:00:00Z", "rev_parent_id": 998},
}
_REVISION_DATA = {
    "id": -1,
    "lang": "en",
    "text": "new wikitext",
    "comment": "fix",
    "timestamp": "2026-08-01T10:00:00Z",
    "bytes": 12,
    "page": {"id": 1234, "title": "Example", "first_edit_timestamp": "2005-03-01T00:00:00Z"},
    "parent": {
        "id": 998,
        "lang": "en",
        "text": "old wikitext",
        "timestamp": "2026-07-30T09:00:00Z",
        "bytes": 12,
    },
    "user": {"id": 0},
}

PREDICT = Operation(
    id="predict",
    method="POST",
    path="/v1/models/{name}:predict",
    tag=_TAG,
    summary="Score revisions",
    description=(
        "Takes `rev_id` and `lang`, up to 20 `instances` of one `lang`, a page_change or"
        " revision-create `event`, or the texts themselves as `revision_data`. A revision scored"
        " before is answered from the stream of predictions; any other is read from its wiki, and"
        " what became of it is published. With `revision_data` nothing is read or published."
    ),
    parameters=(_NAME,),
    body=Content(
        kinds=(PredictJson,),
        examples={
            "one revision": {"rev_id": 12345, "lang": "en"},
            "several": {"instances": [{"rev_id": 1, "lang": "en"}, {"rev_id": 2, "lang": "en"}]},
            "event": {"event": _EVENT},
            "texts": {"revision_data": _REVISION_DATA},
        },
    ),
    replies={
        200: Reply("The predictions.", Content(kinds=(PredictionJson, Predictions))),
        400: Reply("Not such a request.", Content(kinds=(ErrorJson, DetailJson))),
        404: Reply("No such model.", Content(kinds=(ErrorJson,))),
        408: Reply("The body came too slowly.", Content(kinds=(ErrorJson,))),
        413: Reply("The body is too large.", Content(kinds=(ErrorJson,))),
        422: Reply("No revision can be scored; says why.", Content(kinds=(DetailJson,))),
        500: Reply("The wiki or the model failed.", Content(kinds=(ErrorJson,))),
        503: Reply("The streams cannot be read or written.", Content(kinds=(ErrorJson,))),
    },
)
MODELS = Operation(
    id="models",
    method="GET",
    path="/v1/models",
    tag=_TAG,
    summary="List the models",
    replies={200: Reply("The names.", Content(kinds=(ModelNames,)))},
)
MODEL = Operation(
    id="model",
    method="GET",
    path="/v1/models/{name}",
    tag=_TAG,
    summary="Tell whether a model is ready",
    parameters=(_NAME,),
    replies={
        200: Reply("It is.", Content(kinds=(ModelState,))),
        404: Reply("No such model.", Content(kinds=(ErrorJson,))),
    },
)
OPERATIONS = (PREDICT, MODELS, MODEL)
