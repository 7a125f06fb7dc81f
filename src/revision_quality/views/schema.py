"""Bringing a database to the schema that this revq knows."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Column, Connection, MetaData, String, Table, inspect, select, text

from revision_quality.errors import NewerViewsError, StoreError
from revision_quality.views.servers import MARIADB
from revision_quality.views.tables import progress

HEAD = "15"
"""The newest step in `views/migrations`."""

VERSION_TABLE = "views_schema"
"""Alembic's own table, under a name that another application's does not have."""

_LOCK_NAME, _LOCK_NUMBER = "revq views schema", 0x72657671
_LOCK_SECONDS = 600

_SCHEMA_1 = "1"
"""The one that was made without Alembic."""

_version = Table(VERSION_TABLE, MetaData(), Column("version_num", String(32), primary_key=True))


def bring_up_to_date(connection: Connection) -> None:
    """Create the tables, or change those of an older revq, in the transaction of `connection`.

    Of several processes that start at once, one does it and the others wait. Raises StoreError
    if a newer revq has been here, or the server cannot keep every character.
    """
    _check_encoding(connection)
    # MariaDB cannot even be asked for its tables while another process makes them.
    with _alone(connection):
        version = check(connection)
        if version != HEAD:
            _upgrade(connection, version)


def check(connection: Connection) -> str | None:
    """Return the schema of the tables, None where there are none.

    Raises NewerViewsError if a newer revq has made them.
    """
    version = _found(connection)
    refuse_newer(connection, int(version or 0))
    return version


def refuse_newer(connection: Connection, version: int) -> None:
    """Raise NewerViewsError if a newer revq has made tables of that schema."""
    if version > int(HEAD):
        raise NewerViewsError(
            f"the views in {connection.engine.url!r} have schema {version}, this revq knows"
            f" {HEAD}: install the revq that wrote them, or drop them: they are rebuilt from"
            " the streams"
        )


def _found(connection: Connection) -> str | None:
    """Return the schema that the database has, None for an empty one."""
    stamped = _stamped(connection)
    if stamped is not None or not inspect(connection).has_table(progress.name):
        return stamped
    value = connection.execute(select(progress.c.value).where(progress.c.name == "schema")).scalar()
    return None if value is None else str(value)


def _stamped(connection: Connection) -> str | None:
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    return connection.execute(select(_version)).scalar()


def _upgrade(connection: Connection, version: str | None) -> None:
    # Alembic takes a quarter of a second to import, and nearly no start needs it.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", "revision_quality.views:migrations")
    config.attributes["connection"] = connection
    config.attributes["version_table"] = VERSION_TABLE
    # Alembic would give the key a name, of which MariaDB says that it ignores it.
    _version.create(connection, checkfirst=True)
    if version == _SCHEMA_1 and _stamped(connection) is None:
        command.stamp(config, _SCHEMA_1)
    command.upgrade(config, HEAD)


@contextmanager
def _alone(connection: Connection) -> Iterator[None]:
    """Keep other processes from doing the same; SQLite's transaction does so by itself."""
    server = connection.dialect.name
    if server == "postgresql":
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK_NUMBER})"))
    if server not in MARIADB:
        yield
        return
    name = "concat(:name, ' ', database())"
    locked = {"name": _LOCK_NAME, "seconds": _LOCK_SECONDS}
    if not connection.execute(text(f"SELECT GET_LOCK({name}, :seconds)"), locked).scalar():
        raise StoreError(
            f"the views in {connection.engine.url!r} are being changed by another revq for more"
            f" than {_LOCK_SECONDS} seconds: wait for it, then start again"
        )
    try:
        yield
        # Its tables are changed outside of transactions: the version must be seen before the
        # lock is let go.
        connection.exec_driver_sql("COMMIT")
    finally:
        connection.execute(text(f"SELECT RELEASE_LOCK({name})"), {"name": _LOCK_NAME})


def _check_encoding(connection: Connection) -> None:
    if connection.dialect.name != "postgresql":
        return
    encoding = connection.execute(text("SHOW server_encoding")).scalar()
    if encoding != "UTF8":
        raise StoreError(
            f"the database {connection.engine.url!r} has the encoding {encoding}, which lacks"
            " characters: make it with CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0"
        )
