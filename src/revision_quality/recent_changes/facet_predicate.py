"""Conditions on a change, as conditions on the number of its facets."""

from collections.abc import Sequence
from typing import Any

from revision_quality.recent_changes.predicate import (
    Compare,
    Either,
    Every,
    Odd,
    OneOf,
    Predicate,
    Tagged,
)
from revision_quality.recent_changes.sql import FALSE, TRUE, Sql, either, every, one_of
from revision_quality.views import facets as places

_FLAGS = {
    "is_bot": places.IS_BOT,
    "is_minor": places.IS_MINOR,
    "is_reverted": places.IS_REVERTED,
}
_STATES = {state.value: code for code, state in enumerate(places.STATES)}
_USER_LEVELS = {level.value: code for code, level in enumerate(places.USER_LEVELS)}


def to_facets(predicate: Predicate, *, surely: bool) -> Sql:
    """Return the condition on `change_facets` under which changes may meet the predicate.

    Or, `surely`, under which all of them do: a grade holds many scores. Knows the columns that
    filters ask; raises KeyError for others.
    """
    match predicate:
        case Compare("score", sign, value):
            grades = places.grades_below if sign == "<" else places.grades_from
            return is_of_grades(grades(value, surely=surely))
        case Compare(column, _, value):
            return Sql(f"{_field(_FLAGS[column])} = {int(value)}")
        case OneOf(column, values, negated):
            return _one_of(column, values, negated)
        case Odd(_, negated):
            return Sql(f"({_field(places.NAMESPACE)} & 1) = {int(not negated)}")
        case Tagged():
            return FALSE if surely else TRUE
        case Every(parts) | Either(parts):
            join = every if isinstance(predicate, Every) else either
            return join(to_facets(part, surely=surely) for part in parts)


def is_of_grades(grades: Sequence[int]) -> Sql:
    """Return the condition on a number of facets for some grades of the score.

    A range takes MariaDB two thirds of the time that a list takes (`benchmarks/recent_changes.py`).
    """
    lowest, highest = min(grades, default=0), max(grades, default=-1)
    if len(grades) > 1 and sorted(grades) == list(range(lowest, highest + 1)):
        return Sql(f"{_GRADE} BETWEEN ? AND ?", (lowest, highest))
    return one_of(_GRADE, tuple(grades))


def _one_of(column: str, values: tuple[Any, ...], negated: bool) -> Sql:
    match column:
        case "wiki_id":
            return one_of(column, values, negated=negated)
        case "namespace":
            return one_of(_field(places.NAMESPACE), values, negated=negated)
        case "kind":
            return Sql(f"{_field(places.IS_NEW)} = {int(not negated)}")
        case "state":
            codes = tuple(_STATES[value] for value in values)
            return one_of(_field(places.STATE), codes, negated=negated)
        case _:
            codes = tuple(_USER_LEVELS[value] for value in values)
            return one_of(_field(places.USER_LEVEL), codes, negated=negated)


def grade_in(column: str) -> str:
    """Return the grade of the score, as an expression of a column that holds numbers of facets."""
    return _field(places.GRADE, column)


def _field(field: places.Field, column: str = "facets") -> str:
    shifted = f"{column} >> {field.shift}"
    return f"({shifted})" if field.mask is None else f"({shifted} & {field.mask})"


_GRADE = grade_in("facets")
