"""Conditions on a number of facets, as SQL has them."""

import sqlite3
from contextlib import closing

import pytest

from revision_quality.recent_changes.facet_predicate import is_of_grades
from revision_quality.views.facets import GRADE


@pytest.mark.parametrize(
    "grades", [(), (3,), (7, 8, 9), (15, 14, 13), (0, 15), (1, 2, 4), (2, 2, 3), tuple(range(16))]
)
def test_the_grades_asked_for_are_found_and_no_others(grades):
    condition = is_of_grades(grades)
    statement = f"SELECT {condition.text} FROM (SELECT ? AS facets)"
    with closing(sqlite3.connect(":memory:")) as connection:
        told = {
            grade: connection.execute(
                statement, (*condition.values, grade << GRADE.shift)
            ).fetchone()
            for grade in range(16)
        }
    found = {grade for grade, (is_found,) in told.items() if is_found}

    assert found == set(grades)
