"""What a database has already: a step that broke off half-way is run again from its start."""

from typing import Any
from warnings import catch_warnings, filterwarnings

from alembic import op
from sqlalchemy import Column, Table, TextClause, inspect, text


def create_table(table: Table) -> None:
    """Create a table where it is missing."""
    table.create(op.get_bind(), checkfirst=True)


def add_column(table: str, column: Column[Any]) -> None:
    """Add a column where it is missing."""
    if column.name not in {known["name"] for known in inspect(op.get_bind()).get_columns(table)}:
        op.add_column(table, column)


def drop_index(name: str, table: str) -> None:
    """Drop an index where it is there."""
    if name in _indices(table):
        op.drop_index(name, table)


def create_index(
    name: str,
    table: str,
    *columns: str | TextClause,
    unique: bool = False,
    where: str | None = None,
) -> None:
    """Create an index where it is missing; of all rows where the server knows no `where`."""
    is_of_expression = any(isinstance(column, TextClause) for column in columns)
    # SQLAlchemy does not see those of SQLite.
    if not is_of_expression and name in _indices(table):
        return
    condition = None if where is None else text(where)
    op.create_index(
        name,
        table,
        columns,
        unique=unique,
        sqlite_where=condition,
        postgresql_where=condition,
        if_not_exists=True if is_of_expression else None,
    )


def _indices(table: str) -> set[str | None]:
    with catch_warnings():
        filterwarnings("ignore", "Skipped unsupported reflection of expression-based index")
        return {index["name"] for index in inspect(op.get_bind()).get_indexes(table)}
