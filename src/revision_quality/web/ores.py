"""ORES's scores: `/v3/scores`, for old bots and gadgets.

Source: wikimedia/ores, `ores/wsgi/routes/v3` and `ores/wsgi/responses.py`; the types of errors are
revscoring's and the ORES extension's.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import structlog
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from revision_quality.errors import StoreError, WikiError
from revision_quality.events.prediction_error import Outcome
from revision_quality.levels.level import Level
from revision_quality.web.answering import REVISION_MISSING, Answer, Scored
from revision_quality.web.json_answers import json_answer
from revision_quality.web.lift_wing_requests import MAX_REV_ID
from revision_quality.web.operation import Content, Operation, Parameter, Reply, routes
from revision_quality.web.served_model import ServedModel
from revision_quality.web.wiki_names import WikiNames

MODEL = "revertrisklanguageagnostic"
"""The name that the ORES extension gives the model; it allows letters only."""

MAX_REVISIONS = 50

_TYPES = {
    REVISION_MISSING: "RevisionNotFound",
    "revision_hidden": "TextDeleted",
    "parent_revision_hidden": "TextDeleted",
    "not_wikitext": "UnexpectedContentType",
}
_NOT_SCORABLE = "RevisionNotScorable"
_FAILED = "ScoringFailed"

Json = dict[str, Any]

_log = structlog.get_logger()


class ScoreJson(Struct, frozen=True):
    """The model's decision at 0.5, and P(reverted) as "true" with the rest as "false"."""

    prediction: bool
    probability: dict[str, float]


class ScoreErrorJson(Struct, frozen=True):
    """Why a revision has no score."""

    type: str
    message: str


class RevisionScore(Struct, frozen=True, omit_defaults=True):
    """What one model says of one revision: `score` or `error`."""

    score: ScoreJson | None = None
    error: ScoreErrorJson | None = None


class WikiScores(Struct, frozen=True, omit_defaults=True):
    """`models` by name, `scores` by revision id and the model's name."""

    models: dict[str, Json]
    scores: dict[str, dict[str, RevisionScore]] | None = None


class RequestErrorJson(Struct, frozen=True):
    """What is wrong with a whole request."""

    code: str
    message: str


class RequestErrors(Struct, frozen=True):
    """An error in ORES's shape."""

    error: RequestErrorJson


class _RefusedError(Exception):
    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class Ores:
    """The handlers, for the wikis of `names`.

    The first model goes by the name that the ORES extension gives it, the others by the letters
    of their own. `aliases` are further names, such as `damaging`, with the names of the models
    that answer: old bots ask for nothing else. A risk of revert is not what they were made for,
    so there are none unless the operator wants them.
    """

    def __init__(
        self,
        models: Sequence[ServedModel],
        names: WikiNames,
        *,
        aliases: Mapping[str, str] = {},
    ) -> None:
        self._names = names
        self._models = {MODEL: models[0]}
        for served in models[1:]:
            self._models.setdefault(_letters(served.model.name), served)
        by_name = {served.model.name: served for served in reversed(models)}
        self._models |= {alias: by_name[name] for alias, name in aliases.items()}

    @property
    def routes(self) -> list[Route]:
        """The routes of OPERATIONS."""
        return [
            *routes(WIKIS, self._guarded(self._wikis)),
            *routes(WIKI, self._guarded(self._wiki)),
            *routes(REVISION, self._guarded(self._revision)),
            *routes(SCORE, self._guarded(self._revision)),
        ]

    def _guarded(self, read: Callable[[Request], Any]) -> Callable[[Request], Any]:
        async def answer(request: Request) -> Response:
            try:
                return json_answer(await read(request))
            except _RefusedError as error:
                return _error(error.status, error.code, str(error))
            except WikiError as error:
                _log.warning("no score for lack of the wiki", error=str(error))
                message = "The wiki does not answer; try again in a minute."
                return _error(503, "server overloaded", message, {"Retry-After": "10"})
            except StoreError:
                message = "Scores cannot be read or written at the moment."
                return _error(503, "server overloaded", message, {"Retry-After": "10"})

        return answer

    async def _wikis(self, request: Request) -> dict[str, WikiScores]:
        wanted = _wanted_info(request)
        return {
            wiki_id: WikiScores(self._infos(wiki_id, tuple(self._models), wanted))
            for wiki_id in self._names.wiki_ids
        }

    async def _wiki(self, request: Request) -> dict[str, WikiScores]:
        return await self._scores(request, _rev_ids(request), _split(request, "models"))

    async def _revision(self, request: Request) -> dict[str, WikiScores]:
        rev_id = request.path_params["rev_id"]
        model = request.path_params.get("model")
        models = [model] if model else _split(request, "models")
        return await self._scores(request, [rev_id], models)

    async def _scores(
        self, request: Request, rev_ids: Sequence[int], wanted: Sequence[str]
    ) -> dict[str, WikiScores]:
        wiki_id = request.path_params["wiki_id"]
        if wiki_id not in self._names:
            raise _RefusedError(404, "not found", f"No scorers available for {wiki_id}")
        models = tuple(dict.fromkeys(wanted)) or tuple(self._models)
        if unknown := tuple(name for name in models if name not in self._models):
            raise _RefusedError(404, "not found", f"Models {unknown} not available for {wiki_id}")
        infos = self._infos(wiki_id, models, _wanted_info(request))
        if not rev_ids:
            return {wiki_id: WikiScores(infos)}
        possible = [rev_id for rev_id in rev_ids if 0 < rev_id <= MAX_REV_ID]
        known = {name: await self._known(name, wiki_id, possible) for name in models}
        scores = {
            str(rev_id): {name: known[name].get(rev_id) or _not_found(rev_id) for name in models}
            for rev_id in rev_ids
        }
        return {wiki_id: WikiScores(infos, scores)}

    async def _known(
        self, name: str, wiki_id: str, rev_ids: Sequence[int]
    ) -> dict[int, RevisionScore]:
        answers = await self._models[name].answers.of(wiki_id, rev_ids)
        return {answer.rev_id: _score(answer) for answer in answers}

    def _infos(self, wiki_id: str, models: Sequence[str], wanted: Sequence[str]) -> dict[str, Json]:
        infos = {name: _info(self._models[name], wiki_id) for name in models}
        if wanted == ("",):
            return infos
        keys = wanted or ("version",)
        return {
            name: {key: info[key] for key in keys if key in info} for name, info in infos.items()
        }


def _letters(name: str) -> str:
    """Write a model's name as the ORES extension would have it, in letters only."""
    return re.sub("[^A-Za-z]", "", name).lower() or MODEL


def _info(served: ServedModel, wiki_id: str) -> Json:
    flagged = [level for level in served.levels.now.of(wiki_id) if level.name != "likelygood"]
    return {
        "version": served.model.version,
        "type": served.model.name,
        "statistics": {"thresholds": {"true": [_threshold(level) for level in flagged]}},
    }


def _threshold(level: Level) -> Json:
    """Return a level in ORES's words: the match rate is the share of edits flagged."""
    return {
        "threshold": level.threshold,
        "precision": level.precision,
        "recall": level.recall,
        "match_rate": level.flag_rate,
        "filter_rate": 1 - level.flag_rate,
    }


def _score(answer: Answer) -> RevisionScore:
    if isinstance(answer, Scored):
        probability = {"true": answer.score, "false": 1 - answer.score}
        return RevisionScore(score=ScoreJson(answer.prediction, probability))
    if answer.reason == REVISION_MISSING:
        return _not_found(answer.rev_id)
    default = _FAILED if answer.state is Outcome.FAILED else _NOT_SCORABLE
    kind = _TYPES.get(answer.reason, default)
    return RevisionScore(error=ScoreErrorJson(kind, f"{kind}: {answer.message}"))


def _not_found(rev_id: int) -> RevisionScore:
    kind = _TYPES[REVISION_MISSING]
    message = f"{kind}: Could not find revision ({{revision}}:{rev_id})"
    return RevisionScore(error=ScoreErrorJson(kind, message))


def _rev_ids(request: Request) -> list[int]:
    found = []
    for text in _split(request, "revids"):
        number = text.removeprefix("-")
        if not (number.isascii() and number.isdecimal() and len(number) < 20):
            message = f"Could not interpret revids: '{text[:40]}' is no revision id."
            raise _RefusedError(400, "bad request", message)
        found.append(int(text))
    found = list(dict.fromkeys(found))
    if len(found) > MAX_REVISIONS:
        message = f"{len(found)} revids are more than the limit of {MAX_REVISIONS} in one request."
        raise _RefusedError(400, "bad request", message)
    return found


def _split(request: Request, name: str) -> list[str]:
    value = request.query_params.get(name, "")
    return value.split("|") if value else []


def _wanted_info(request: Request) -> tuple[str, ...]:
    """Return the parts of the models' information to tell: (""), as ORES has it, for all."""
    value = request.query_params.get("model_info")
    return () if value is None else tuple(value.split("|"))


def _error(
    status: int, code: str, message: str, headers: Mapping[str, str] | None = None
) -> Response:
    return json_answer(RequestErrors(RequestErrorJson(code, message)), status, headers)


_TAG = "ORES"
_WIKI = Parameter(name="wiki_id", description="The wiki's database name.", example="enwiki")
_REV_ID = Parameter(name="rev_id", description="A revision.", kind=int, example=12345)
_INFO = Parameter(
    name="model_info",
    place="query",
    description="Tell of the models `version`, `type` or `statistics`; all where empty.",
    example="version",
)
_MODELS = Parameter(
    name="models", place="query", description="Models, parted by |; all without.", example=MODEL
)
_REVIDS = Parameter(
    name="revids",
    place="query",
    description=f"Up to {MAX_REVISIONS} revisions, parted by |.",
    example="1|2",
)
_FOUND = Reply("By wiki.", Content(kinds=(dict[str, WikiScores],)))
_UNREADABLE = Reply("The wiki or the streams do not answer.", Content(kinds=(RequestErrors,)))
_NONE = Reply("No such wiki or model.", Content(kinds=(RequestErrors,)))
_BAD = Reply("A parameter that cannot be read.", Content(kinds=(RequestErrors,)))

WIKIS = Operation(
    id="ores_wikis",
    method="GET",
    path="/v3/scores/",
    also=("/v3/scores",),
    tag=_TAG,
    summary="List the wikis with their models",
    parameters=(_INFO,),
    replies={200: _FOUND},
)
WIKI = Operation(
    id="ores_wiki",
    method="GET",
    path="/v3/scores/{wiki_id}/",
    also=("/v3/scores/{wiki_id}",),
    tag=_TAG,
    summary="Score revisions of a wiki, or list its models",
    parameters=(_WIKI, _MODELS, _REVIDS, _INFO),
    replies={200: _FOUND, 400: _BAD, 404: _NONE, 503: _UNREADABLE},
)
REVISION = Operation(
    id="ores_revision",
    method="GET",
    path="/v3/scores/{wiki_id}/{rev_id:int}/",
    also=("/v3/scores/{wiki_id}/{rev_id:int}",),
    tag=_TAG,
    summary="Score a revision with all models",
    parameters=(_WIKI, _REV_ID, _MODELS, _INFO),
    replies={200: _FOUND, 404: _NONE, 503: _UNREADABLE},
)
SCORE = Operation(
    id="ores_score",
    method="GET",
    path="/v3/scores/{wiki_id}/{rev_id:int}/{model}",
    also=("/v3/scores/{wiki_id}/{rev_id:int}/{model}/",),
    tag=_TAG,
    summary="Score a revision with a model",
    parameters=(
        _WIKI,
        _REV_ID,
        Parameter(name="model", description="A model.", example=MODEL),
        _INFO,
    ),
    replies={200: _FOUND, 404: _NONE, 503: _UNREADABLE},
)
OPERATIONS = (WIKIS, WIKI, REVISION, SCORE)
