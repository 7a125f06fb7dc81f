"""Conditions on a change, said once and read twice: as SQL and as a test of one row."""

import operator
from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Struct

from revision_quality.recent_changes.sql import Sql, either, every, one_of
from revision_quality.views.change import Change

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


class Odd(Struct, frozen=True):
    """A whole number, never NULL, that is odd or (`negated`) even."""

    column: str
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


Predicate = Compare | OneOf | Odd | Tagged | Every | Either


def to_sql(predicate: Predicate) -> Sql:
    """Return the predicate as a condition on the table of changes."""
    match predicate:
        case Compare(column, sign, value):
            return Sql(f"{column} {sign} ?", (value,))
        case OneOf(column, values, negated):
            return one_of(column, values, negated=negated)
        case Odd(column, negated):
            return Sql(f"({column} & 1) = {int(not negated)}")
        case Tagged(tags, negated):
            return _tagged(tags, negated)
        case Every(parts):
            return every(map(to_sql, parts))
        case Either(parts):
            return either(map(to_sql, parts))


def holds(predicate: Predicate, change: Change) -> bool:
    """Return whether the predicate holds of a change."""
    match predicate:
        case Compare(column, sign, value):
            actual = getattr(change, column)
            return actual is not None and bool(_OPERATORS[sign](actual, value))
        case OneOf(column, values, negated):
            return (getattr(change, column) in values) is not negated
        case Odd(column, negated):
            return bool(getattr(change, column) % 2) is not negated
        case Tagged(tags, negated):
            return any(tag in change.tags for tag in tags) is not negated
        case Every(parts):
            return all(holds(part, change) for part in parts)
        case Either(parts):
            return any(holds(part, change) for part in parts)


def _tagged(tags: tuple[str, ...], negated: bool) -> Sql:
    """Look for tags as they stand in the column, which holds JSON.

    Every server replaces byte for byte, while each has another name for the place of a text.
    """
    encoded = tuple(msgspec.json.encode(tag).decode() for tag in tags)
    if negated:
        return every(Sql("replace(tags, ?, '') = tags", (tag,)) for tag in encoded)
    return either(Sql("replace(tags, ?, '') <> tags", (tag,)) for tag in encoded)
