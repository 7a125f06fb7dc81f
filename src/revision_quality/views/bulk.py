"""Many rows at once, read by their keys and written, in each server's fastest way.

Statements are SQLAlchemy's or by hand, values go to the driver as they are: SQLAlchemy's own path
takes as long for the values of a row as SQLite takes for the row (`benchmarks/views.py`).
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, lru_cache
from itertools import chain, compress, groupby
from operator import itemgetter
from typing import Any

import msgspec
import sqlalchemy
from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Dialect,
    Table,
    case,
    delete,
    select,
    tuple_,
)
from sqlalchemy.dialects import mysql, postgresql, sqlite

from revision_quality.views.servers import MARIADB, read_by

_KEYS_PER_DELETE = 200
_PART_BYTES = 1024 * 1024
"""Of rows in one packet, and a row has up to 4 MiB: MariaDB takes 16, `max_allowed_packet`."""

_ROWS_IN_A_STATEMENT = 500
"""A row of `changes` has 40 values, and SQLite takes up to 32,766 in one statement."""

_PAIR = 2
"""Columns of most keys: a wiki_id and a number."""

Values = tuple[Any, ...]
Assign = Callable[[Any], dict[str, Any]]
Merge = Callable[[ColumnElement[Any], ColumnElement[Any]], ColumnElement[Any]]


def read(
    connection: Connection,
    table: Table,
    keys: Iterable[tuple[str, int]],
    *,
    by: tuple[str, str] | None = None,
    columns: tuple[str, ...] | None = None,
) -> list[Values]:
    """Read rows in which a pair of columns is one of `keys`: their columns in order.

    `by` names the pair, the first two of the primary key if not given; `columns` those to read.
    """
    ordered = sorted(keys)
    if not ordered:
        return []
    arguments = arguments_of(ordered, connection.dialect)
    first, second, *_ = (column.name for column in table.primary_key)
    sql = _select_sql(table, connection.dialect, by or (first, second), columns)
    return fetched(connection, sql, arguments)


def rows_for(
    connection: Connection, sql: Callable[[Dialect], str], keys: Sequence[Values]
) -> list[Values]:
    """Return the rows of a statement that joins with `keys_sql`, for some keys."""
    if not keys:
        return []
    return fetched(connection, sql(connection.dialect), arguments_of(keys, connection.dialect))


def fetched(connection: Connection, sql: str, arguments: tuple[Any, ...]) -> list[Values]:
    """Return rows as the driver makes them: with SQLAlchemy's they take twice the time."""
    result: Any = connection.exec_driver_sql(sql, arguments)
    rows = list(result.cursor.fetchall())
    result.close()
    return rows


def keys_sql(columns: Sequence[Column[Any]], dialect: Dialect) -> str:
    """Return a table `k` of keys given as one parameter, its columns k0, k1 and on.

    They are of the types of `columns`, so that they compare with them as these do.
    """
    names = [f"k{number}" for number in range(len(columns))]
    types = [column.type.compile(dialect) for column in columns]
    if is_postgresql(dialect):
        arrays = ", ".join(f"%s::{wire_type(column, dialect)}[]" for column in columns)
        return f"unnest({arrays}) AS k ({', '.join(names)})"
    if dialect.name == "sqlite" and len(columns) == _PAIR:
        grouped = "json_each(?) AS a CROSS JOIN json_each(a.value) AS b"
        return f"(SELECT a.key AS k0, b.value AS k1 FROM {grouped}) AS k"  # noqa: S608, names are ours
    if dialect.name == "sqlite":
        parts = (f"json_extract(value, '$[{n}]') AS {name}" for n, name in enumerate(names))
        return f"(SELECT {', '.join(parts)} FROM json_each(?)) AS k"  # noqa: S608, names are ours
    given = zip(names, types, range(len(names)), strict=True)
    parts = (f"{name} {kind} PATH '$[{number}]'" for name, kind, number in given)
    return f"JSON_TABLE(%s, '$[*]' COLUMNS ({', '.join(parts)})) AS k"


def arguments_of(keys: Sequence[Values], dialect: Dialect) -> tuple[str, ...]:
    """Return keys as `keys_sql` takes them, of one at least, and those that begin alike together.

    SQLite takes pairs grouped, each name once: that is twice as fast as an array for each.
    """
    if is_postgresql(dialect):
        return tuple(map(array_of, zip(*keys, strict=True)))
    if dialect.name == "sqlite" and len(keys[0]) == _PAIR:
        grouped = {a: [b for _, b in some] for a, some in groupby(keys, key=itemgetter(0))}
        return (msgspec.json.encode(grouped).decode(),)
    return (msgspec.json.encode(keys).decode(),)


def joined(dialect: Dialect) -> tuple[str, str]:
    """Return how a SELECT and a JOIN begin that are done in the order in which they are written."""
    if dialect.name == "sqlite":
        return "SELECT", "CROSS JOIN"
    return ("SELECT", "JOIN") if is_postgresql(dialect) else ("SELECT STRAIGHT_JOIN", "JOIN")


def looked_up(table: Table, by: tuple[str, ...], dialect: Dialect) -> str:
    """Return a table as `c`, looked up by the index that begins with the columns `by`.

    By itself MariaDB may read all edits of a wiki for each page (`servers.read_by`). Not needed for
    the primary key.
    """
    named = f"{table.name} AS c"
    if tuple(table.primary_key.columns.keys())[: len(by)] == by:
        return named
    [index] = (str(i.name) for i in table.indexes if tuple(i.columns.keys())[: len(by)] == by)
    return read_by(index, named, dialect.name)


def write(
    connection: Connection, table: Table, rows: Sequence[Values], assign: Assign | None = None
) -> None:
    """Write whole rows, their columns in order, no two with the same primary key.

    Of a row whose primary key is there, what `assign` says is assigned instead, as `merging` does;
    all that is no key if it is not given.
    """
    if not rows:
        return
    if connection.dialect.name == "sqlite":
        _insert(connection, table, rows, assign)
    elif is_postgresql(connection.dialect):
        _copy_beside(connection, table, rows, assign)
    else:
        for part in parts_of(rows):
            _send(connection, table, part, assign)


def add(connection: Connection, table: Table, rows: Sequence[Values]) -> None:
    """Write whole rows, their columns in order, of which none is there yet."""
    if not rows:
        return
    if is_postgresql(connection.dialect):
        _copy(connection, table, table.name, rows)
    else:
        write(connection, table, rows)


def delete_keys(connection: Connection, table: Table, keys: Iterable[tuple[str, int]]) -> None:
    """Delete the rows of which the first two columns of the primary key are one of `keys`."""
    first, second, *_ = table.primary_key
    ordered = sorted(keys)
    for start in range(0, len(ordered), _KEYS_PER_DELETE):
        part = ordered[start : start + _KEYS_PER_DELETE]
        connection.execute(delete(table).where(tuple_(first, second).in_(part)))


def upsert(connection: Connection, table: Table, column: str, merge: Merge) -> Any:
    """Return an INSERT that, where the primary key is there already, merges a column's values.

    `merge` is a function of a module: statements are kept by it.
    """
    return _upsert(table, connection.dialect.name, merging(table, column, merge))


@cache
def merging(table: Table, column: str, merge: Merge) -> Assign:
    """Return what assigns the merged values of a column; `merge` is a function of a module."""
    known = table.columns[column]
    return lambda new: {column: merge(known, new[column])}


def total(known: ColumnElement[Any], new: ColumnElement[Any]) -> ColumnElement[Any]:
    """Add to what is there."""
    return known + new


def greatest(known: ColumnElement[Any], new: ColumnElement[Any]) -> ColumnElement[Any]:
    """Let the greater one stay."""
    return case((known < new, new), else_=known)


@lru_cache(maxsize=256)
def _upsert(table: Table, server: str, assign: Assign) -> Any:
    if server in MARIADB:
        statement = mysql.insert(table)
        return statement.on_duplicate_key_update(assign(statement.inserted))
    made = postgresql.insert(table) if server == "postgresql" else sqlite.insert(table)
    return made.on_conflict_do_update(
        index_elements=list(table.primary_key), set_=assign(made.excluded)
    )


def upsert_sql(table: Table, dialect: Dialect, assign: Assign | None = None) -> str:
    """Return the statement that writes a whole row, its columns in order as parameters."""
    return _upsert_sql(table, dialect, tuple(table.columns.keys()), assign)


@lru_cache(maxsize=256)
def _upsert_sql(
    table: Table, dialect: Dialect, given: tuple[str, ...], assign: Assign | None
) -> str:
    statement = _upsert(table, dialect.name, assign or _all_facts_of(table))
    return str(statement.compile(dialect=dialect, column_keys=given))


@cache
def _all_facts_of(table: Table) -> Assign:
    return lambda new: {column.name: new[column.name] for column in _facts(table)}


def _send(
    connection: Connection, table: Table, rows: Sequence[Values], assign: Assign | None
) -> None:
    """Send rows to MariaDB, which takes many in one packet unless one column is all NULL."""
    # Most columns are known by their first value.
    given = [
        column[0] is not None or column.count(None) < len(rows)
        for column in zip(*rows, strict=True)
    ]
    names = tuple(compress(table.columns.keys(), given))
    sql = _upsert_sql(table, connection.dialect, names, assign)
    # Of each table two columns at least are never NULL.
    values_of = itemgetter(*compress(range(len(given)), given))
    connection.exec_driver_sql(sql, list(map(values_of, rows)))


def _insert(
    connection: Connection, table: Table, rows: Sequence[Values], assign: Assign | None
) -> None:
    """Give rows to SQLite, many in one statement: other threads go on until it is done."""
    single, *_ = rows
    one = upsert_sql(table, connection.dialect, assign)
    rest = len(rows) % _ROWS_IN_A_STATEMENT
    for start in range(0, len(rows) - rest, _ROWS_IN_A_STATEMENT):
        values = tuple(chain.from_iterable(rows[start : start + _ROWS_IN_A_STATEMENT]))
        connection.exec_driver_sql(_many_sql(one, len(single)), values)
    if rest:
        connection.exec_driver_sql(one, list(rows[-rest:]))


@cache
def _many_sql(sql: str, width: int) -> str:
    """Return the statement that writes a row as one that writes `_ROWS_IN_A_STATEMENT` of them."""
    values = f"({', '.join('?' * width)})"
    return sql.replace(values, ", ".join([values] * _ROWS_IN_A_STATEMENT), 1)


def parts_of(rows: Sequence[Values]) -> Iterator[Sequence[Values]]:
    """Divide rows such that each part surely fits into one of MariaDB's packets."""
    if len(msgspec.msgpack.encode(rows)) <= _PART_BYTES:
        yield rows
        return
    first = size = 0
    for place, row in enumerate(rows):
        size += len(msgspec.msgpack.encode(row))
        if size > _PART_BYTES:
            yield rows[first : place + 1]
            first, size = place + 1, 0
    if first < len(rows):
        yield rows[first:]


def _copy_beside(
    connection: Connection, table: Table, rows: Sequence[Values], assign: Assign | None
) -> None:
    """Send rows to PostgreSQL into a table beside, as COPY knows no conflicts, and from there."""
    incoming = _beside(table)
    connection.exec_driver_sql(
        f"CREATE TEMPORARY TABLE IF NOT EXISTS {incoming} (LIKE {table.name}) ON COMMIT DELETE ROWS"
    )
    _copy(connection, table, incoming, rows)
    connection.exec_driver_sql(_take_over_sql(table, connection.dialect, assign))


def _beside(table: Table) -> str:
    return f"incoming_{table.name}"


@lru_cache(maxsize=256)
def _take_over_sql(table: Table, dialect: Dialect, assign: Assign | None) -> str:
    """Return PostgreSQL's statement that moves rows from the table beside, which is empty then."""
    names = table.columns.keys()
    taken = sqlalchemy.table("taken", *map(sqlalchemy.column, names))
    made = postgresql.insert(table).from_select(names, select(taken))
    moved = made.on_conflict_do_update(
        index_elements=list(table.primary_key),
        set_=(assign or _all_facts_of(table))(made.excluded),
    )
    taking = f"WITH taken AS (DELETE FROM {_beside(table)} RETURNING *)"  # noqa: S608
    return f"{taking} {moved.compile(dialect=dialect)}"


def _copy(connection: Connection, table: Table, into: str, rows: Sequence[Values]) -> None:
    """Send rows by COPY into a table that has all columns of `table`."""
    names = _names(table.columns, connection.dialect)
    sql = f"COPY {into} ({names}) FROM STDIN (FORMAT BINARY)"
    driver: Any = connection.connection.cursor()
    with driver as cursor, cursor.copy(sql) as copy:
        copy.set_types([wire_type(column, connection.dialect) for column in table.columns])
        for row in rows:
            copy.write_row(row)


@cache
def _select_sql(
    table: Table, dialect: Dialect, by: tuple[str, str], columns: tuple[str, ...] | None
) -> str:
    """Join with the keys, given as one parameter: MariaDB looks up long lists of pairs slowly."""
    wanted = [table.columns[name] for name in columns or table.columns.keys()]
    names = ", ".join(f"c.{name}" for name in quoted(wanted, dialect))
    pair = [table.columns[name] for name in by]
    keys = keys_sql(pair, dialect)
    first, second = quoted(pair, dialect)
    select, join = joined(dialect)
    on_keys = f"{looked_up(table, by, dialect)} ON c.{first} = k.k0 AND c.{second} = k.k1"
    return f"{select} {names} FROM {keys} {join} {on_keys}"


def wire_type(column: Column[Any], dialect: Dialect) -> str:
    """Return PostgreSQL's type of a column's values; a cast to VARCHAR would cut long ones."""
    kind = column.type.compile(dialect).lower()
    return "text" if "char" in kind else kind


def array_of(values: Sequence[Any]) -> str:
    """Return an array as PostgreSQL reads it: the driver takes ten times as long for a list."""
    kinds = set(map(type, values))
    if kinds <= {int, float}:
        return f"{{{','.join(map(repr, values))}}}"
    if kinds == {str}:
        joined = '","'.join(values)
        if "\\" not in joined and joined.count('"') == 2 * (len(values) - 1):
            return f'{{"{joined}"}}'
    return f"{{{','.join(map(_element, values))}}}"


def _element(value: Any) -> str:
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return "NULL" if value is None else str(value)


def is_postgresql(dialect: Dialect) -> bool:
    """Tell whether the server is PostgreSQL."""
    return dialect.name == "postgresql"


def _facts(table: Table) -> list[Column[Any]]:
    return [column for column in table.columns if not column.primary_key]


def _names(columns: Iterable[Column[Any]], dialect: Dialect) -> str:
    return ", ".join(quoted(columns, dialect))


def quoted(columns: Iterable[Column[Any]], dialect: Dialect) -> list[str]:
    """Return the names of columns as they stand in a statement."""
    return [dialect.identifier_preparer.quote(column.name) for column in columns]
