"""Facets in one number: what is told apart, and the grades between which a threshold lies."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from revision_quality.views.change import State
from revision_quality.views.database import Database
from revision_quality.views.facets import (
    EDGES,
    EVERY_WIKI,
    facets_of,
    grade_of,
    grades_below,
    grades_from,
)
from revision_quality.views.migrations.versions import schema_3
from revision_quality.views.tables import change_facets, changes
from tests.events.examples import page_change, prediction
from tests.recent_changes.examples import change
from tests.recent_changes.examples import changes as any_changes
from tests.views.examples import open_view, records

scores = st.one_of(st.floats(0, 1), st.sampled_from([0.0, *EDGES, 1.0]))


@given(score=scores, threshold=scores)
def test_grades_enclose_a_threshold(score: float, threshold: float) -> None:
    grade = grade_of(score)
    if score >= threshold:
        assert grade in grades_from(threshold, surely=False)
        assert grade not in grades_below(threshold, surely=True)
    else:
        assert grade in grades_below(threshold, surely=False)
        assert grade not in grades_from(threshold, surely=True)


@pytest.mark.parametrize("edge", EDGES)
def test_at_an_edge_every_grade_is_sure(edge: float) -> None:
    assert grades_from(edge, surely=True) == grades_from(edge, surely=False)
    assert grades_below(edge, surely=True) == grades_below(edge, surely=False)


@given(one=any_changes, other=any_changes)
def test_what_differs_in_a_facet_has_another_number(one, other) -> None:
    def facets(row):
        return (
            row.namespace,
            grade_of(row.score),
            row.state,
            row.user_level,
            row.is_bot,
            row.is_minor,
            row.is_new_page,
            row.is_reverted,
        )

    if not one.deleted and not other.deleted:
        assert (facets_of(one) == facets_of(other)) is (facets(one) == facets(other))


def test_a_deleted_change_has_none() -> None:
    assert facets_of(change(deleted=True)) is None


async def test_the_view_notes_facets_with_the_rows(view) -> None:
    await view.apply(records([page_change()]))
    await view.apply(records([prediction(page_change())]))

    (row,) = await view.rows(select(changes))
    assert row.state is State.SCORED
    known = await view._database.read(lambda c: c.execute(select(change_facets)).all())
    numbers = {facets for _, facets in known}
    assert facets_of(row) in numbers
    assert len(numbers) == 2  # also of the edit that was pending
    assert {wiki_id for wiki_id, _ in known} == {row.wiki_id, EVERY_WIKI}
    assert len(known) == 4


async def test_rows_of_an_older_schema_get_the_numbers_that_the_view_gives(url) -> None:
    examples = [page_change(rev_id=n) for n in range(1, 9)]
    async with open_view(url) as view:
        await view.apply(
            records([*examples, *(prediction(e, score=n / 7) for n, e in enumerate(examples))])
        )
    database = Database(url)
    try:
        database.write_now(
            lambda c: (
                c.execute(update(changes).values(facets=None)),
                c.execute(schema_3.numbering()),
                None,
            )[-1]
        )
    finally:
        database.close_now()
    async with open_view(url) as view:
        rows = await view.rows(select(changes).order_by(changes.c.rev_id))
        numbers = await view._database.read(
            lambda c: c.execute(select(changes.c.facets).order_by(changes.c.rev_id)).scalars().all()
        )
    assert list(numbers) == [facets_of(row) for row in rows]
    assert len(set(numbers)) > 5
