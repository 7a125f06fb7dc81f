"""Two models: one is shown, the other is beside it, and they change places at once."""

from collections.abc import AsyncIterator, Sequence
from itertools import permutations
from typing import Any

import pytest
from sqlalchemy import select

from revision_quality.events.prediction import PredictionChange, build_prediction
from revision_quality.events.prediction_error import (
    ErrorDetail,
    Outcome,
    PredictionError,
    build_prediction_error,
)
from revision_quality.events.streams import PREDICTION
from revision_quality.views import shown_model
from revision_quality.views.change import Change
from revision_quality.views.changes import ChangesView
from revision_quality.views.database import Database
from revision_quality.views.tables import changes, model_scores
from tests.events.examples import page_change, visibility_change
from tests.views.examples import Event, records

OLD, NEW = ("revertrisk", "1"), ("revertrisk", "2")
NOW = 1_800_000_000_000


@pytest.fixture
async def view(url: str) -> AsyncIterator[ChangesView]:
    opened = ChangesView(Database(url), [OLD, NEW])
    yield opened
    await opened.close()


def scored(rev_id: int, score: float, model: tuple[str, str] = OLD) -> PredictionChange:
    return build_prediction(
        page_change(rev_id=rev_id),
        stream=PREDICTION,
        model_name=model[0],
        model_version=model[1],
        score=score,
    )


def failed(rev_id: int, model: tuple[str, str]) -> PredictionError:
    detail = ErrorDetail(
        model_name=model[0],
        model_version=model[1],
        state=Outcome.FAILED,
        reason="wiki_error",
        message="It does not answer.",
    )
    return build_prediction_error(page_change(rev_id=rev_id), detail)


async def brings(view: ChangesView, *events: Event) -> None:
    brings.offset = getattr(brings, "offset", 0) + len(events)  # type: ignore[attr-defined]
    await view.apply(records(events, brings.offset))  # type: ignore[attr-defined]


async def shown(view: ChangesView) -> dict[int, tuple[float | None, str | None]]:
    found: Sequence[Change] = await view.rows(select(changes))
    return {row.rev_id: (row.score, row.model_version) for row in found}


async def beside(view: ChangesView) -> dict[int, tuple[float | None, str]]:
    columns = model_scores.c
    statement = select(columns.rev_id, columns.score, columns.model_version)
    rows: Any = await view.read(lambda connection: connection.execute(statement).all())
    return {row[0]: (row[1], row[2]) for row in rows}


async def promote(view: ChangesView, model: tuple[str, str] = NEW, least: float = 0.95) -> float:
    return (await view.promote(model, NOW, least)).share


async def test_the_scores_of_the_other_model_are_kept_beside(view: ChangesView) -> None:
    await brings(view, page_change(), scored(10, 0.2), scored(10, 0.7, NEW))

    assert await shown(view) == {10: (0.2, "1")}
    assert await beside(view) == {10: (0.7, "2")}


async def test_promotion_makes_them_change_places_and_back(view: ChangesView) -> None:
    await brings(view, *(page_change(rev_id=rev_id) for rev_id in (10, 11)))
    await brings(view, scored(10, 0.2), scored(11, 0.3), scored(10, 0.7, NEW), scored(11, 0.8, NEW))

    assert await promote(view) == 1.0
    assert await shown(view) == {10: (0.7, "2"), 11: (0.8, "2")}
    assert await beside(view) == {10: (0.2, "1"), 11: (0.3, "1")}

    assert await promote(view, OLD) == 1.0
    assert await shown(view) == {10: (0.2, "1"), 11: (0.3, "1")}
    told = await view.read(shown_model.history)
    assert [one.model for one in told] == [NEW, OLD]


async def test_what_comes_after_a_promotion_goes_where_it_belongs(view: ChangesView) -> None:
    await brings(view, page_change(), scored(10, 0.2), scored(10, 0.7, NEW))
    await promote(view)
    await brings(view, page_change(rev_id=11), scored(11, 0.3), scored(11, 0.8, NEW))
    await brings(view, scored(10, 0.2))

    assert await shown(view) == {10: (0.7, "2"), 11: (0.8, "2")}
    assert await beside(view) == {10: (0.2, "1"), 11: (0.3, "1")}


async def test_a_model_that_has_too_few_scores_is_not_shown(view: ChangesView) -> None:
    edits = range(10, 20)
    await brings(view, *(page_change(rev_id=rev_id) for rev_id in edits))
    await brings(view, *(scored(rev_id, 0.2) for rev_id in edits))
    await brings(view, *(scored(rev_id, 0.9, NEW) for rev_id in range(10, 19)))

    assert await promote(view) == 0.9
    assert set((await shown(view)).values()) == {(0.2, "1")}
    assert await view.read(shown_model.shown) is None

    assert await promote(view, least=0.9) == 0.9
    assert (await shown(view))[19] == (0.2, "1")
    assert list((await shown(view)).values()).count((0.9, "2")) == 9


async def test_a_failure_takes_the_place_of_no_score(view: ChangesView) -> None:
    await brings(view, page_change(), scored(10, 0.2), failed(10, NEW))

    await promote(view, least=0.0)
    assert await shown(view) == {10: (0.2, "1")}


async def test_readers_see_a_promotion_as_writes(view: ChangesView) -> None:
    await brings(view, page_change(), scored(10, 0.2), scored(10, 0.7, NEW))
    before = await view.last_seq()
    await promote(view)

    assert [row.score for row in await view.since(before, 9)] == [0.7]
    assert await view.counts() == {("my_wiki", "scored"): 1}


async def test_nothing_is_kept_beside_of_what_is_deleted_or_hidden(view: ChangesView) -> None:
    gone = page_change("delete", second=80)
    hidden = visibility_change(10, text=False)
    for ending in (gone, hidden):
        for order in permutations([page_change(), scored(10, 0.7, NEW), ending]):
            for event in order:
                await brings(view, event)
            assert await beside(view) == {}


async def test_what_is_old_is_purged_beside_too(view: ChangesView) -> None:
    await brings(view, page_change(), scored(10, 0.2), scored(10, 0.7, NEW))

    await view.purge(int(page_change().revision.rev_dt.timestamp()) + 1)
    assert await beside(view) == {}


async def test_without_other_models_every_score_is_shown(url: str) -> None:
    view = ChangesView(Database(url), [OLD])
    await brings(view, page_change(), scored(10, 0.7, NEW))

    assert await shown(view) == {10: (0.7, "2")}
    await view.close()
