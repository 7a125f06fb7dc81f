"""The score of one revision with its state: `/v1/scores`."""

from collections.abc import Sequence

import structlog
from msgspec import Struct
from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from revision_quality.errors import StoreError, WikiError
from revision_quality.events.prediction_error import Outcome
from revision_quality.models.reasons import Reason
from revision_quality.views.change import Change, State
from revision_quality.web.answering import REVISION_MISSING, Answer, Scored
from revision_quality.web.json_answers import Problem, json_answer, problem_answer
from revision_quality.web.lift_wing_requests import MAX_REV_ID
from revision_quality.web.operation import Content, Operation, Parameter, Reply, routes
from revision_quality.web.served_model import ServedModel
from revision_quality.web.wiki_names import WikiNames

_LATER = {"Retry-After": "10"}

_log = structlog.get_logger()


class StateJson(Struct, frozen=True, kw_only=True):
    """What became of an edit.

    `score` is P(reverted), 0 to 1, and `level` the gravest level that holds for it, both set where
    the state is scored; `reason` is a code and `message` a sentence, set where it is not_scorable
    or failed. `explanation` is set where it was asked for and the model can tell.
    """

    wiki_id: str
    rev_id: int
    state: State
    score: float | None = None
    level: str | None = None
    reason: str | None = None
    message: str | None = None
    model_name: str | None = None
    model_version: str | None = None
    explanation: tuple[Reason, ...] | None = None


class Scores:
    """The handlers; `names` are the wikis that can be asked.

    The first of `models` is the one whose scores the changes view shows.
    """

    def __init__(self, models: Sequence[ServedModel], names: WikiNames) -> None:
        self._first = models[0]
        self._models = {served.model.name: served for served in reversed(models)}
        self._names = names

    @property
    def routes(self) -> list[Route]:
        """The routes of OPERATIONS."""
        return routes(SCORE, self.score)

    async def score(self, request: Request) -> Response:
        """Answer with what is known of a revision; scores it if nothing is."""
        wiki_id, rev_id = request.path_params["wiki_id"], request.path_params["rev_id"]
        with_reasons = request.query_params.get("explain") in ("1", "true")
        name = request.query_params.get("model", self._first.model.name)
        served = self._models.get(name)
        if served is None:
            known = ", ".join(self._models)
            return problem_answer(404, f"There is no model {name[:255]!r}; known are {known}.")
        try:
            found = await self._find(served, wiki_id, rev_id)
            if with_reasons and found and found.state is State.SCORED:
                found = await _explained(served, found)
        except WikiError as error:
            _log.warning("no score for lack of the wiki", wiki_id=wiki_id, error=str(error))
            message = f"The wiki {wiki_id} does not answer; try again in a minute."
            return problem_answer(503, message, _LATER)
        except StoreError:
            return problem_answer(503, "Scores cannot be read or written at the moment.", _LATER)
        if found is not None:
            return json_answer(found)
        if wiki_id in self._names:
            return problem_answer(404, f"The wiki {wiki_id} has no revision {rev_id}.")
        return problem_answer(404, f"No score of {wiki_id} is here, and it is not configured.")

    async def _find(self, served: ServedModel, wiki_id: str, rev_id: int) -> StateJson | None:
        if not 0 < rev_id <= MAX_REV_ID:
            return None
        row = (await served.answers.rows(wiki_id, [rev_id])).get(rev_id)
        if row is not None and row.deleted:
            return None
        is_settled = row is not None and row.state in (State.SCORED, State.NOT_SCORABLE)
        is_told = row is not None and served is self._first
        if is_told and row and (is_settled or wiki_id not in self._names):
            return _of_row(served, row)
        if wiki_id not in self._names:
            return None
        [answer] = await served.answers.of(wiki_id, [rev_id])
        return _of_answer(served, wiki_id, answer)


def _of_row(served: ServedModel, row: Change) -> StateJson:
    return StateJson(
        wiki_id=row.wiki_id,
        rev_id=row.rev_id,
        state=row.state,
        score=row.score,
        level=_level(served, row.wiki_id, row.score),
        reason=row.reason,
        message=row.message,
        model_name=row.model_name,
        model_version=row.model_version,
    )


def _of_answer(served: ServedModel, wiki_id: str, answer: Answer) -> StateJson | None:
    if isinstance(answer, Scored):
        return StateJson(
            wiki_id=wiki_id,
            rev_id=answer.rev_id,
            state=State.SCORED,
            score=answer.score,
            level=_level(served, wiki_id, answer.score),
            model_name=answer.model_name,
            model_version=answer.model_version,
        )
    if answer.reason == REVISION_MISSING and answer.state is Outcome.NOT_SCORABLE:
        return None
    return StateJson(
        wiki_id=wiki_id,
        rev_id=answer.rev_id,
        state=State(answer.state),
        reason=answer.reason,
        message=answer.message,
    )


def _level(served: ServedModel, wiki_id: str, score: float | None) -> str | None:
    level = None if score is None else served.levels.now.level_of(wiki_id, score)
    return level.name if level else None


async def _explained(served: ServedModel, found: StateJson) -> StateJson:
    if (found.model_name, found.model_version) != (served.model.name, served.model.version):
        return found
    reasons = await served.explanations.of(found.wiki_id, found.rev_id)
    return replace(found, explanation=reasons)


_PROBLEM = Content(kinds=(Problem,), media_type="application/problem+json")

SCORE = Operation(
    id="score",
    method="GET",
    path="/v1/scores/{wiki_id}/{rev_id:int}",
    tag="Scores",
    summary="Tell the state and the score of a revision",
    description="A revision of a configured wiki that has no score yet is scored.",
    parameters=(
        Parameter(name="wiki_id", description="The wiki's database name.", example="enwiki"),
        Parameter(name="rev_id", description="The revision.", kind=int, example=12345),
        Parameter(
            name="explain",
            place="query",
            description="Tell what moved the score most; the texts are read again for it.",
            kind=bool,
        ),
        Parameter(
            name="model",
            place="query",
            description="The model that is asked; without it the one whose scores are shown.",
        ),
    ),
    replies={
        200: Reply("What is known.", Content(kinds=(StateJson,))),
        404: Reply("No such revision, wiki or model.", _PROBLEM),
        503: Reply("The wiki or the streams do not answer.", _PROBLEM),
    },
)
OPERATIONS = (SCORE,)
