"""Statements by hand.

SQLAlchemy takes longer to build those of a page than a server to answer them, as each is another.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection

from revision_quality.views.bulk import fetched


class Sql(Struct, frozen=True):
    """A piece of a statement: its text, with a `?` in the place of each of its values."""

    text: str
    values: tuple[Any, ...] = ()


TRUE, FALSE = Sql("1 = 1"), Sql("1 = 0")


def every(conditions: Iterable[Sql]) -> Sql:
    """Return the condition that all hold; true of none."""
    return joined(" AND ", conditions, of_none=TRUE)


def either(conditions: Iterable[Sql]) -> Sql:
    """Return the condition that one holds; false of none."""
    found = joined(" OR ", conditions, of_none=FALSE)
    return Sql(f"({found.text})", found.values)


def one_of(what: str, values: Sequence[Any], *, negated: bool = False) -> Sql:
    """Return the condition that an expression has one of some values, or (`negated`) none."""
    if len(values) == 1:
        return Sql(f"{what} {'<>' if negated else '='} ?", tuple(values))
    if not values:
        return TRUE if negated else FALSE
    marks = ", ".join("?" * len(values))
    return Sql(f"{what} {'NOT IN' if negated else 'IN'} ({marks})", tuple(values))


def joined(between: str, parts: Iterable[Sql], *, of_none: Sql = TRUE) -> Sql:
    """Return pieces one after another, with a text between them."""
    some = tuple(parts)
    if not some:
        return of_none
    values = tuple(value for part in some for value in part.values)
    return Sql(between.join(part.text for part in some), values)


def rows(connection: Connection, statement: Sql) -> Sequence[Any]:
    """Return the rows of a statement."""
    text = statement.text
    if connection.dialect.paramstyle != "qmark":
        text = text.replace("?", "%s")
    return fetched(connection, text, statement.values)
