"""Outcomes as Lift Wing's revert risk server answers with them, its statuses and its words."""

from collections.abc import Iterable

from starlette.responses import Response

from revision_quality.events.prediction_error import Outcome
from revision_quality.web.answering import Answer, NotScored, Scored
from revision_quality.web.json_answers import json_answer
from revision_quality.web.lift_wing_json import (
    DetailJson,
    ErrorJson,
    Output,
    PredictionJson,
    Predictions,
    Probabilities,
)
from revision_quality.web.lift_wing_requests import ByIds

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

WIKI_FAILED = (
    "An error happened while fetching info for revision from the MediaWiki API,"
    " please contact the ML-Team if the issue persists."
)


def respond(asked: ByIds, answers: Iterable[Answer]) -> Response:
    """Answer with what became of the revisions asked for, in their order."""
    pairs = list(zip(asked.revisions, answers, strict=True))
    predictions = [
        prediction_json(asked.wiki_id, revision.shown, answer)
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


def prediction_json(wiki_id: str, shown: int | str, answer: Scored) -> PredictionJson:
    """Return a score as Lift Wing shows it, the revision as it was asked for."""
    output = Output(answer.prediction, Probabilities(answer.score, 1 - answer.score))
    return PredictionJson(answer.model_name, answer.model_version, wiki_id, shown, output)


def _nothing(asked: ByIds, unscored: list[tuple[int | str, NotScored]]) -> Response:
    failed = [answer for _, answer in unscored if answer.state is Outcome.FAILED]
    if failed:
        of_wiki = failed[0].reason == "wiki_error"
        return json_answer(ErrorJson(WIKI_FAILED if of_wiki else failed[0].message), 500)
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


def no_model(name: str) -> Response:
    """Say that there is no model of this name."""
    return json_answer(ErrorJson(f"Model with name {name} does not exist."), 404)
