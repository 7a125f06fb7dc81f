"""Conditions on a change, said once and read twice: as SQL and as a test of one row."""

import operator
from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import ColumnElement, Integer, and_, false, not_, or_, true
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

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


class Tagged(Struct, frozen=True):
    """The change has one of some tags, or (`negated`) none of them."""

    tags: tuple[str, ...]
    negated: bool = False


class Every(Struct, frozen=True):
    """All parts hold; true of no parts."""

    parts: tuple["Predicate", ...]


class Either(Struct, frozen=True):
    """At least one part holds; false of no parts."""

    parts: tuple["Predicate", ...]


Predicate = Compare | OneOf | Tagged | Every | Either


def to_sql(predicate: Predicate) -> ColumnElement[bool]:
    """Return the predicate as a condition on the table of changes."""
    match predicate:
        case Compare(column, sign, value):
            condition: ColumnElement[bool] = _OPERATORS[sign](changes.c[column], value)
            return condition
        case OneOf(column, values, negated):
            return one_of(changes.c[column], values, negated)
        case Tagged(tags, negated):
            found = or_(false(), *(_Holds(changes.c.tags, _encoded(tag)) > 0 for tag in tags))
            return not_(found) if negated else found
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
        case Tagged(tags, negated):
            return any(tag in change.tags for tag in tags) is not negated
        case Every(parts):
            return all(holds(part, change) for part in parts)
        case Either(parts):
            return any(holds(part, change) for part in parts)


class _Holds(FunctionElement[int]):
    """The place of a text in another, 0 where it is not: byte for byte, on every server."""

    type = Integer()
    inherit_cache = True
    name = "holds"


@compiles(_Holds)
def _instr(element: _Holds, compiler: SQLCompiler, **options: Any) -> str:
    return f"instr({compiler.process(element.clauses, **options)})"


@compiles(_Holds, "postgresql")
def _strpos(element: _Holds, compiler: SQLCompiler, **options: Any) -> str:
    return f"strpos({compiler.process(element.clauses, **options)})"


def _encoded(tag: str) -> str:
    """Return a tag as it stands in the column, which holds JSON."""
    return msgspec.json.encode(tag).decode()


def one_of(
    column: ColumnElement[Any], values: tuple[Any, ...], negated: bool
) -> ColumnElement[bool]:
    """Return whether a column holds one of some values, or none of them."""
    if len(values) == 1:
        sign = operator.ne if negated else operator.eq
        condition: ColumnElement[bool] = sign(column, values[0])
        return condition
    return column.not_in(values) if negated else column.in_(values)
