"""Every edit gets an outcome; one bad edit does not take the others along."""

import math
from collections.abc import Sequence

import msgspec
import numpy as np
import pytest

from revision_quality.errors import (
    ModelError,
    NotAWikiError,
    WikiRefusedError,
    WikiUnavailableError,
)
from revision_quality.events.prediction_error import Outcome
from revision_quality.models.base import Prediction, Unscored
from revision_quality.scoring.scorer import NotScored, Scorer
from revision_quality.wiki.reader import Unreadable
from revision_quality.wiki.revision import Revision
from tests.events.examples import page_change
from tests.scoring.fakes import FakeModel, FakeReader, Rule

EDITS = [page_change(rev_id=rev_id) for rev_id in range(10, 35)]


async def outcome_of(rule: Rule) -> Prediction | NotScored:
    (outcome,) = await Scorer(FakeModel(rule)).score(FakeReader(), EDITS[:1])
    return outcome


async def test_a_batch_is_read_and_scored_at_once():
    reader, model = FakeReader(), FakeModel()

    outcomes = await Scorer(model).score(reader, EDITS)

    assert outcomes == [Prediction(0.25)] * 25
    assert len(reader.batches) == 1
    assert model.asked == list(range(10, 35))


async def test_one_edit_that_the_wiki_refuses_fails_alone():
    reader = FakeReader()
    reader.failing[17] = WikiRefusedError("the wiki answers no", "internal")

    outcomes = await Scorer(FakeModel()).score(reader, EDITS)

    assert outcomes.pop(7) == NotScored(Outcome.FAILED, "wiki_error", "the wiki answers no")
    assert outcomes == [Prediction(0.25)] * 24
    assert len(reader.batches) < 15


async def test_what_the_wiki_does_not_have_can_have_no_score():
    reader = FakeReader()
    reader.unreadable[11] = [Unreadable("not_wikitext", "It is JSON.")]

    outcomes = await Scorer(FakeModel()).score(reader, EDITS[:3])

    assert outcomes == [
        Prediction(0.25),
        NotScored(Outcome.NOT_SCORABLE, "not_wikitext", "It is JSON."),
        Prediction(0.25),
    ]


@pytest.mark.parametrize(
    "failure",
    [WikiUnavailableError("down"), NotAWikiError("HTML"), WikiRefusedError("private", "x")],
)
async def test_a_wiki_that_does_not_answer_at_all_is_an_error(failure):
    reader = FakeReader()
    reader.failure = failure

    with pytest.raises(type(failure)):
        await Scorer(FakeModel()).score(reader, EDITS)
    assert len(reader.batches) == 1


async def test_a_wiki_that_is_back_when_it_is_checked_is_read_again():
    reader = FakeReader()
    reader.failure, reader.failures_left = WikiUnavailableError("down"), 1

    assert await Scorer(FakeModel()).score(reader, EDITS[:1]) == [Prediction(0.25)]


async def test_a_wiki_that_asks_to_wait_is_not_asked_for_each_edit():
    reader = FakeReader()
    reader.failing[17] = WikiUnavailableError("too many requests", retry_after=60)

    with pytest.raises(WikiUnavailableError):
        await Scorer(FakeModel()).score(reader, EDITS)
    assert len(reader.batches) == 1


@pytest.mark.parametrize("score", [math.nan, math.inf, -0.01, 1.01])
async def test_a_score_that_is_no_probability_is_a_failure(score):
    outcome = await outcome_of(lambda _: [Prediction(score)])

    assert isinstance(outcome, NotScored)
    assert (outcome.state, outcome.reason) == (Outcome.FAILED, "model_error")
    assert "which is no probability" in outcome.message


@pytest.mark.parametrize("score", [0, 0.5, 1])
async def test_the_ends_are_probabilities(score):
    assert await outcome_of(lambda _: [Prediction(score)]) == Prediction(score)


@pytest.mark.parametrize("score", [np.float64(0.5), np.float32(0.5), np.array([0.5])[0], True])
async def test_a_score_of_another_kind_of_number_is_one_that_can_be_published(score):
    outcome = await outcome_of(lambda _: [Prediction(score)])

    assert msgspec.json.encode(outcome) == b'{"score":%.1f}' % score


@pytest.mark.parametrize(("is_final", "state"), [(True, "not_scorable"), (False, "failed")])
async def test_a_model_may_say_that_it_cannot(is_final, state):
    outcome = await outcome_of(lambda _: [Unscored("text_too_large", "Too large.", is_final)])

    assert outcome == NotScored(Outcome(state), "text_too_large", "Too large.")


def broken(_: Sequence[Revision]) -> Sequence[Prediction]:
    raise ModelError("no memory")


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (broken, "The model failed with ModelError: no memory"),
        (lambda _: 1 / 0, "The model failed with ZeroDivisionError"),
        (lambda _: [], "The model failed with ValueError"),
        (lambda _: [None], "The model failed with AttributeError"),
        (lambda _: [Prediction(None)], "The model failed with TypeError"),
        (lambda _: [Prediction("high")], "The model failed with ValueError"),
    ],
)
async def test_a_model_that_fails_is_told_with_the_reason(rule, text):
    outcome = await outcome_of(rule)

    assert isinstance(outcome, NotScored)
    assert (outcome.state, outcome.reason) == (Outcome.FAILED, "model_error")
    assert outcome.message.startswith(text)


async def test_a_revision_that_breaks_the_model_fails_alone():
    def rule(revisions: Sequence[Revision]) -> Sequence[Prediction]:
        if any(revision.rev_id == 12 for revision in revisions):
            raise ModelError("this one")
        return [Prediction(0.5)] * len(revisions)

    outcomes = await Scorer(FakeModel(rule)).score(FakeReader(), EDITS)

    assert isinstance(outcomes.pop(2), NotScored)
    assert outcomes == [Prediction(0.5)] * 24
