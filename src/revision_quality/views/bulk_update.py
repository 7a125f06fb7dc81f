"""Rows that are there written anew: of many, the columns alone that differ.

Each column that is assigned costs time, and SQLite writes anew the entries of every index that has
it, changed or not.
"""

from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache
from itertools import compress
from operator import itemgetter, ne

from sqlalchemy import Connection, Dialect, Table

from revision_quality.views import bulk

_MANY = 50
"""Rows that are worth a statement of their own where one waits for a server."""


def update(
    connection: Connection, table: Table, rows: Sequence[bulk.Values], old: Sequence[bulk.Values]
) -> None:
    """Write rows, their columns in order, in place of `old`, which are there."""
    names = table.columns.keys()
    alike: dict[tuple[bool, ...], list[bulk.Values]] = defaultdict(list)
    for row, before in zip(rows, old, strict=True):
        alike[tuple(map(ne, row, before))].append(row)
    whole: list[bulk.Values] = []
    for differ, some in alike.items():
        if len(some) < _MANY and connection.dialect.name != "sqlite":
            whole += some
        else:
            _assign(connection, table, tuple(compress(names, differ)), some)
    bulk.write(connection, table, whole)


def _assign(
    connection: Connection, table: Table, changed: tuple[str, ...], rows: Sequence[bulk.Values]
) -> None:
    names = table.columns.keys()
    keys = (column.name for column in table.primary_key)
    given = list(map(itemgetter(*map(names.index, (*changed, *keys))), rows))
    sql = _update_sql(table, connection.dialect, changed)
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(sql, given)
        return
    parts = [given] if bulk.is_postgresql(connection.dialect) else bulk.parts_of(given)
    for part in parts:
        connection.exec_driver_sql(sql, bulk.arguments_of(part, connection.dialect))


@lru_cache(maxsize=256)
def _update_sql(table: Table, dialect: Dialect, changed: tuple[str, ...]) -> str:
    """Return the statement that assigns some columns where the primary key is as given.

    SQLite takes the values of one row, those of the key last; the others many, as `bulk.keys_sql`.
    """
    given = [*(table.columns[name] for name in changed), *table.primary_key]
    names = bulk.quoted(given, dialect)
    is_sqlite = dialect.name == "sqlite"
    pairs = [(name, "?" if is_sqlite else f"k.k{place}") for place, name in enumerate(names)]
    assigned, keys = pairs[: len(changed)], pairs[len(changed) :]
    values = ", ".join(f"{name} = {value}" for name, value in assigned)
    where = " AND ".join(f"c.{name} = {value}" for name, value in keys)
    if is_sqlite:
        return f"UPDATE {table.name} AS c SET {values} WHERE {where}"  # noqa: S608
    rows = bulk.keys_sql(given, dialect)
    if bulk.is_postgresql(dialect):
        return f"UPDATE {table.name} AS c SET {values} FROM {rows} WHERE {where}"  # noqa: S608
    values = ", ".join(f"c.{name} = {value}" for name, value in assigned)
    return f"UPDATE {rows} STRAIGHT_JOIN {table.name} AS c ON {where} SET {values}"  # noqa: S608
