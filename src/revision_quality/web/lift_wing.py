"""Lift Wing's revert risk server: `/v1/models`.

Source: Wikimedia's inference-services (revert risk, language-agnostic, batch server) and KServe
0.15's V1 protocol. Any MediaWiki is answered for, `wiki_db` is the wiki's true id.
"""

from collections.abc import Sequence
from functools import partial

import structlog
from msgspec import Struct
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
from revision_quality.web.lift_wing_json import DetailJson, ErrorJson, ModelNames, ModelState
from revision_quality.web.lift_wing_operations import MODEL, MODELS, NAME, PREDICT
from revision_quality.web.lift_wing_replies import (
    WIKI_FAILED,
    no_model,
    prediction_json,
    respond,
)
from revision_quality.web.lift_wing_requests import (
    Asked,
    AskedRevision,
    ByEvent,
    ByIds,
    ByText,
    RefusedRequestError,
    read_request,
    read_text,
)
from revision_quality.web.operation import routes
from revision_quality.web.served_model import ServedModel
from revision_quality.web.shortcuts import Shortcut
from revision_quality.web.wiki_names import WikiNames
from revision_quality.wiki.revision import Revision

_UNSAVED = -1

_log = structlog.get_logger()


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
        return json_answer(ModelState(name, True)) if self._called(name) else no_model(name)

    async def predict(self, request: Request) -> Response:
        """Answer with the prediction for one revision, or with one for each of several."""
        name = request.path_params["name"]
        called = self._called(name)
        if called is None:
            return no_model(name)
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
        return encode_json(prediction_json(asked.wiki_id, _UNSAVED, _scored(answer, model)))

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
            return json_answer(ErrorJson(WIKI_FAILED), 500)
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
        return respond(asked, await served.answers.of(asked.wiki_id, rev_ids))

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
        return respond(ByIds(change.wiki_id, lang, (AskedRevision(rev_id, rev_id),)), [answer])


async def _predict_text(asked: ByText, model: Model) -> Response:
    [answer] = await model.predict([_revision(asked)])
    read = _read(answer, model)
    if isinstance(read, Scored):
        return json_answer(prediction_json(asked.wiki_id, _UNSAVED, read))
    unsaved = AskedRevision(_UNSAVED, _UNSAVED)
    return respond(ByIds(asked.wiki_id, asked.data.lang, (unsaved,)), [read])


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
