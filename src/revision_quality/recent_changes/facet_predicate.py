"""Conditions on a change, as conditions on the number of its facets."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, false, literal_column, or_, true

from revision_quality.recent_changes.predicate import (
    Compare,
    Either,
    Every,
    OneOf,
    Predicate,
    Tagged,
    one_of,
)
from revision_quality.views import facets as places
from revision_quality.views.tables import change_facets

_FLAGS = {
    "is_bot": places.IS_BOT,
    "is_minor": places.IS_MINOR,
    "is_reverted": places.IS_REVERTED,
}
_STATES = {state.value: code for code, state in enumerate(places.STATES)}
_USER_LEVELS = {level.value: code for code, level in enumerate(places.USER_LEVELS)}


def to_facets(predicate: Predicate, *, surely: bool) -> ColumnElement[bool]:
    """Return the condition on `change_facets` under which changes may meet the predicate.

    Or, `surely`, under which all of them do: a grade holds many scores. Knows the columns that
    filters ask; raises KeyError for others.
    """
    match predicate:
        case Compare("score", sign, value):
            grades = places.grades_below if sign == "<" else places.grades_from
            return _field(places.GRADE).in_(tuple(grades(value, surely=surely)))
        case Compare(column, _, value):
            return _field(_FLAGS[column]) == int(value)
        case OneOf(column, values, negated):
            return _one_of(column, values, negated)
        case Tagged():
            return false() if surely else true()
        case Every(parts):
            return and_(true(), *(to_facets(part, surely=surely) for part in parts))
        case Either(parts):
            return or_(false(), *(to_facets(part, surely=surely) for part in parts))


def is_of_grades(grades: Sequence[int]) -> ColumnElement[bool]:
    """Return the condition on `change_facets` for some grades of the score."""
    return grade_in().in_(tuple(grades))


def grade_in() -> ColumnElement[int]:
    """Return the grade of the score of a row of `change_facets`."""
    return _field(places.GRADE)


def _one_of(column: str, values: tuple[Any, ...], negated: bool) -> ColumnElement[bool]:
    match column:
        case "wiki_id":
            return one_of(change_facets.c.wiki_id, values, negated)
        case "namespace":
            return one_of(_field(places.NAMESPACE), values, negated)
        case "kind":
            return _field(places.IS_NEW) == int(not negated)
        case "state":
            codes = tuple(_STATES[value] for value in values)
            return one_of(_field(places.STATE), codes, negated)
        case _:
            codes = tuple(_USER_LEVELS[value] for value in values)
            return one_of(_field(places.USER_LEVEL), codes, negated)


def _field(field: places.Field) -> ColumnElement[Any]:
    # PostgreSQL shifts by no more than an INTEGER, and a parameter is a BIGINT.
    by: ColumnElement[int] = literal_column(str(field.shift))
    value = change_facets.c.facets.bitwise_rshift(by)
    return value if field.mask is None else value.bitwise_and(field.mask)
