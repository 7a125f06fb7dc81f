"""A model of one's own needs one method."""

import asyncio
import threading
import time

import pytest
from msgspec.structs import replace

from revision_quality.errors import InvalidRevisionError
from revision_quality.models.base import Prediction
from revision_quality.models.user_model import TextModel
from revision_quality.wiki.revision import Revision
from tests.models.make import revision


class ByNumber(TextModel):
    version = "1"

    def score(self, revision: Revision) -> float:
        assert revision.rev_id is not None
        return revision.rev_id / 10


def edits(*rev_ids: int) -> list[Revision]:
    return [replace(revision(), rev_id=rev_id) for rev_id in rev_ids]


async def test_scores_come_back_in_order_and_not_from_the_event_loops_thread():
    class Where(ByNumber):
        def score(self, revision: Revision) -> float:
            assert threading.current_thread() is not threading.main_thread()
            return super().score(revision)

    assert await Where().predict(edits(3, 1, 2)) == [
        Prediction(0.3),
        Prediction(0.1),
        Prediction(0.2),
    ]


async def test_an_edit_on_which_the_model_fails_does_not_spoil_the_others():
    class Picky(ByNumber):
        def score(self, revision: Revision) -> float:
            if revision.rev_id == 2:
                raise KeyError("vocabulary")
            if revision.rev_id == 3:
                raise InvalidRevisionError("page.page_id is unknown")
            return super().score(revision)

    first, second, third = await Picky().predict(edits(1, 2, 3))

    assert first == Prediction(0.1)
    assert (second.reason, second.is_final) == ("model_error", False)
    assert "KeyError" in second.message
    assert (third.reason, third.is_final) == ("invalid_revision", True)


@pytest.mark.parametrize("answer", [-0.01, 1.01, float("nan"), float("inf"), None, "often"])
async def test_what_is_no_probability_is_no_score(answer):
    class Wrong(TextModel):
        version = "1"

        def score(self, revision: Revision) -> float:
            return answer

    (outcome,) = await Wrong().predict(edits(1))

    assert (outcome.reason, outcome.is_final) == ("model_error", False)


@pytest.mark.parametrize(("threads", "most"), [(1, 1), (3, 3)])
async def test_as_many_calls_run_at_once_as_the_class_says(threads, most):
    running, seen = 0, []
    lock = threading.Lock()

    class Counting(TextModel):
        version = "1"

        def score(self, revision: Revision) -> float:
            nonlocal running
            with lock:
                running += 1
                seen.append(running)
            time.sleep(0.02)
            with lock:
                running -= 1
            return 0.5

    model = Counting()
    model.threads = threads
    await asyncio.gather(model.predict(edits(1, 2, 3)), model.predict(edits(4, 5, 6)))

    assert max(seen) == most


def test_the_name_is_the_classs_unless_it_says_another():
    class LinkCounter2(ByNumber):
        name = "links"

    class HTMLOnly(TextModel):
        version = "1"

        def score(self, revision: Revision) -> float:
            return 0.0

    assert ByNumber().name == "by-number"
    assert LinkCounter2().name == "links"
    assert HTMLOnly().name == "htmlonly"


def test_a_subclass_of_a_named_model_keeps_its_name_unless_it_says_another():
    class ByNumberAgain(ByNumber):
        version = "2"

    assert (ByNumberAgain().name, ByNumberAgain().version) == ("by-number", "2")
