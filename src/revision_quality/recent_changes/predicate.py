"""Conditions on a change, said once and read twice: as SQL and as a test of one row."""

import operator
from collections.abc import Callable
from typing import Any

from msgspec import Struct
from sqlalchemy import ColumnElement, and_, false, or_, true

from revision_quality.views.change import Change
from revision_quality.views.tables import changes

_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">=": operator.ge,
}


class Compare(Struct, frozen=True):
    """A column beside a value; an unknown (None, NULL) never holds."""

    column: str
    sign: str
    value: Any


class OneOf(Struct, frozen=True):
    """A column, never NULL, that holds one of some values, or (`negated`) none of them."""

    column: str
    values: tuple[Any, ...]
    negated: bool = False


class Every(Struct, frozen=True):
    """All parts hold; true of no parts."""

    parts: tuple["Predicate", ...]


class Either(Struct, frozen=True):
    """At least one part holds; false of no parts."""

    parts: tuple["Predicate", ...]


Predicate = Compare | OneOf | Every | Either


def to_sql(predicate: Predicate) -> ColumnElement[bool]:
    """Return the predicate as a condition on the table of changes."""
    match predicate:
        case Compare(column, sign, value):
            condition: ColumnElement[bool] = _OPERATORS[sign](changes.c[column], value)
            return condition
        case OneOf(column, values, negated):
            return _one_of(changes.c[column], values, negated)
        case Every(parts):
            return and_(true(), *map(to_sql, parts))
        case Either(parts):
            return or_(false(), *map(to_sql, parts))


def holds(predicate: Predicate, change: Change) -> bool:
    """Return whether the predicate holds of a change."""
    match predicate:
        case Compare(column, sign, value):
            actual = getattr(change, column)
            return actual is not None and bool(_OPERATORS[sign](actual, value))
        case OneOf(column, values, negated):
            return (getattr(change, column) in values) is not negated
        case Every(parts):
            return all(holds(part, change) for part in parts)
        case Either(parts):
            return any(holds(part, change) for part in parts)


def _one_of(
    column: ColumnElement[Any], values: tuple[Any, ...], negated: bool
) -> ColumnElement[bool]:
    if len(values) == 1:
        sign = operator.ne if negated else operator.eq
        condition: ColumnElement[bool] = sign(column, values[0])
        return condition
    return column.not_in(values) if negated else column.in_(values)
