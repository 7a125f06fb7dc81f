"""The rights that the ORES tables need in a wiki's database, asked of the server itself."""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct
from sqlalchemy import URL, Connection, Table, delete, false, insert, literal, select, text, update
from sqlalchemy.engine.interfaces import Dialect

from revision_quality.errors import StoreError
from revision_quality.views.database import Database
from revision_quality.views.ores_tables import WikiTables


class Right(Struct, frozen=True):
    """What may be done with a table; `refusal` is the server's own reason, None if it may."""

    name: str
    table: str
    refusal: str | None = None


async def check_rights(database: Database, tables: WikiTables) -> list[Right]:
    """Try every statement that the view needs on no row at all: nothing is changed."""
    return [await _tried(database, *attempt) for attempt in _attempts(tables)]


def grants(url: URL, dialect: Dialect, tables: WikiTables) -> list[str]:
    """Return the statements by which the server's administrator gives the rights, none more.

    SQLite has no rights: the file and its folder must be writable.
    """
    if dialect.name == "sqlite":
        return []
    rights: dict[Table, list[str]] = {}
    for name, table, _ in _attempts(tables):
        rights.setdefault(table, []).append(name)
    quote = dialect.identifier_preparer
    is_postgresql = dialect.name == "postgresql"
    user = quote.quote(url.username or "revq") if is_postgresql else f"'{url.username}'@'%'"
    place = "" if is_postgresql else f"{quote.quote(url.database or '')}."
    given = [
        f"GRANT {', '.join(names)} ON {place}{quote.format_table(table)} TO {user};"
        for table, names in rights.items()
    ]
    return given + ([f"{each} TO {user};" for each in _sequences(tables)] if is_postgresql else [])


def _attempts(tables: WikiTables) -> list[tuple[str, Table, Any]]:
    model, scores = tables.model, tables.classification
    reads = (model, scores, tables.recentchanges, tables.revision, tables.archive)
    return [
        *(("SELECT", table, select(*table.columns).where(false())) for table in reads),
        ("INSERT", model, _insert(model)),
        (
            "UPDATE",
            model,
            update(model).where(model.c.oresm_id == -1).values(oresm_is_current=0),
        ),
        ("INSERT", scores, _insert(scores)),
        ("DELETE", scores, delete(scores).where(scores.c.oresc_id == -1)),
    ]


def _insert(table: Table) -> Any:
    columns = [column for column in table.columns if not column.primary_key]
    values = [literal(0, column.type) for column in columns]
    return insert(table).from_select(columns, select(*values).select_from(table).where(false()))


def _sequences(tables: WikiTables) -> Sequence[str]:
    return [
        f"GRANT USAGE ON SEQUENCE {table.fullname}_{column}_seq"
        for table, column in _numbered(tables)
    ]


def _numbered(tables: WikiTables) -> list[tuple[Table, str]]:
    return [(tables.model, "oresm_id"), (tables.classification, "oresc_id")]


async def _tried(database: Database, name: str, table: Table, statement: Any) -> Right:
    def attempt(connection: Connection) -> None:
        connection.execute(statement)
        if name == "INSERT" and connection.dialect.name == "postgresql":
            _check_sequence(connection, table)

    try:
        await database.write(attempt)
    except StoreError as error:
        return Right(name, table.fullname, _reason(error))
    return Right(name, table.fullname)


def _reason(error: StoreError) -> str:
    """Return the server's own words; what was asked is told beside them."""
    cause = error.__cause__ or error
    return " ".join(str(getattr(cause, "orig", None) or cause).split())


def _check_sequence(connection: Connection, table: Table) -> None:
    [column] = table.primary_key
    sequence = connection.execute(
        text("SELECT pg_get_serial_sequence(:name, :column)"),
        {"name": table.fullname, "column": column.name},
    ).scalar()
    may = connection.execute(
        text("SELECT has_sequence_privilege(:sequence, 'USAGE')"), {"sequence": sequence}
    ).scalar()
    if sequence and not may:
        raise StoreError(f"no USAGE of the sequence {sequence}")
