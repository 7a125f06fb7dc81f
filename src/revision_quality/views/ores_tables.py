"""The extension ORES's two tables in a wiki's database, and what of the wiki's own is read.

Source: the extension's `sql/tables.json` and MediaWiki's `maintenance/tables.json`. The columns
named here were read in MediaWiki 1.39. With MediaWiki's default charset `binary` a server gives
texts as bytes.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Any, TypeVar

from msgspec import Struct
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Integer,
    MetaData,
    Numeric,
    Select,
    String,
    Table,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from revision_quality.views.ores_policy import KnownEdit, RecentEdit

CLASS = 1
"""The class whose probability is kept; class 0 would mislead readers that do not ask for one."""

LARGEST_REVISION = {"postgresql": 2**31 - 1}
"""Where `oresc_rev` ends: INT on PostgreSQL, INT UNSIGNED elsewhere."""
LARGEST_UNSIGNED = 2**32 - 1

_EDITS = ("mw.edit", "mw.new")
"""`rc_source` of edits and page creations, those that the extension scores."""

_AUTOPATROLLED = 2
"""`rc_patrolled` (RecentChange::PRC_AUTOPATROLLED)."""
_TEXT_HIDDEN = 1
"""The bit of `rev_deleted` (RevisionRecord::DELETED_TEXT)."""

_PART = 500
"""Keys in one statement."""

T = TypeVar("T")


class WikiTables(Struct, frozen=True):
    """The tables under the wiki's prefix and schema."""

    model: Table
    classification: Table
    recentchanges: Table
    revision: Table
    archive: Table


class ModelRow(Struct, frozen=True):
    """A model version in `ores_model`."""

    id: int
    name: str
    version: str
    is_current: bool


class ScoreRow(Struct, frozen=True):
    """A score as the table has it: `probability` has three decimals and is 0.999 at most."""

    rev_id: int
    model_id: int
    probability: float
    is_predicted: bool


class ListedEdit(Struct, frozen=True):
    """An edit in recent changes, in their order of `rc_id`."""

    rc_id: int
    rev_id: int
    edit: RecentEdit


@cache
def wiki_tables(prefix: str = "", schema: str | None = None) -> WikiTables:
    """Return the tables; `prefix` is $wgDBprefix, `schema` $wgDBmwschema or None.

    Numbers are wider than the columns, so that one beyond them is not found instead of an error.
    """
    metadata = MetaData(schema=schema)

    def table(name: str, *columns: Column[Any]) -> Table:
        return Table(f"{prefix}{name}", metadata, *columns)

    def numbers(*names: str) -> list[Column[Any]]:
        return [Column(name, BigInteger) for name in names]

    return WikiTables(
        model=table(
            "ores_model",
            Column("oresm_id", Integer, primary_key=True),
            Column("oresm_name", String),
            Column("oresm_version", String),
            *numbers("oresm_is_current"),
        ),
        classification=table(
            "ores_classification",
            Column("oresc_id", Integer, primary_key=True),
            *numbers("oresc_rev", "oresc_model", "oresc_class", "oresc_is_predicted"),
            Column("oresc_probability", Numeric(3, 3, asdecimal=False)),
        ),
        recentchanges=table(
            "recentchanges",
            *numbers("rc_id", "rc_this_oldid", "rc_namespace", "rc_bot", "rc_patrolled"),
            Column("rc_source", String),
        ),
        revision=table("revision", *numbers("rev_id", "rev_deleted")),
        archive=table(
            "archive",
            *numbers("ar_rev_id", "ar_page_id", "ar_namespace"),
            Column("ar_title", String),
        ),
    )


def probability(score: float) -> float:
    """Return a score as the column holds it: DECIMAL(3,3) ends at 0.999 (Phabricator T355089)."""
    return min(float(f"{score:.3f}"), 0.999)


def largest_revision(connection: Connection) -> int:
    """Return the highest rev_id that `oresc_rev` holds."""
    return LARGEST_REVISION.get(connection.dialect.name, LARGEST_UNSIGNED)


def models(connection: Connection, tables: WikiTables, names: Iterable[str]) -> list[ModelRow]:
    """Read the versions of some models."""
    columns = tables.model.c
    statement = select(
        columns.oresm_id, columns.oresm_name, columns.oresm_version, columns.oresm_is_current
    ).where(columns.oresm_name.in_(sorted(names)))
    return [
        ModelRow(number, _text(name), _text(version), bool(is_current))
        for number, name, version, is_current in connection.execute(statement)
    ]


def add_model(
    connection: Connection, tables: WikiTables, name: str, version: str, *, is_current: bool
) -> None:
    """Add a version that is not there."""
    connection.execute(
        insert(tables.model).inline(),
        {"oresm_name": name, "oresm_version": version, "oresm_is_current": int(is_current)},
    )


def make_current(connection: Connection, tables: WikiTables, name: str, version: str) -> None:
    """Make a version the only current one of its model."""
    columns = tables.model.c
    of_model = update(tables.model).where(columns.oresm_name == name)
    connection.execute(of_model.where(columns.oresm_version != version).values(oresm_is_current=0))
    connection.execute(of_model.where(columns.oresm_version == version).values(oresm_is_current=1))


def known_edits(
    connection: Connection, tables: WikiTables, rev_ids: Iterable[int]
) -> dict[int, KnownEdit]:
    """Read what the wiki has of some revisions; deleted ones are left out."""
    revision, changes = tables.revision.c, tables.recentchanges.c
    statement = select(
        *(revision.rev_id, revision.rev_deleted, changes.rc_source),
        *(changes.rc_namespace, changes.rc_bot, changes.rc_patrolled),
    ).select_from(
        tables.revision.outerjoin(tables.recentchanges, changes.rc_this_oldid == revision.rev_id)
    )
    found: dict[int, KnownEdit] = {}
    for part in _parts(rev_ids):
        for row in connection.execute(statement.where(revision.rev_id.in_(part))):
            earlier = found.get(row.rev_id)
            is_edit = row.rc_source is not None and _text(row.rc_source) in _EDITS
            found[row.rev_id] = KnownEdit(
                is_hidden=bool(row.rev_deleted & _TEXT_HIDDEN),
                is_listed=row.rc_source is not None,
                edit=_recent_edit(row) if is_edit else (earlier.edit if earlier else None),
            )
    return found


def add_scores(connection: Connection, tables: WikiTables, rows: Iterable[ScoreRow]) -> int:
    """Add scores; one that is there already stays as it is. Returns how many were added."""
    wanted = {(row.rev_id, row.model_id): row for row in rows}
    there = _scored(connection, tables, wanted)
    new = [row for key, row in sorted(wanted.items()) if key not in there]
    if new:
        connection.execute(_insert_ignore(connection, tables.classification), _values(new))
    return len(new)


def has_score(
    connection: Connection, tables: WikiTables, model_id: int, rev_ids: Iterable[int]
) -> set[int]:
    """Return those revisions that have a row of a model version."""
    keys = dict.fromkeys((rev_id, model_id) for rev_id in rev_ids)
    return {rev_id for rev_id, _ in _scored(connection, tables, keys)}


def remove_scores(
    connection: Connection, tables: WikiTables, model_ids: Sequence[int], rev_ids: Iterable[int]
) -> int:
    """Remove the scores of some model versions of some revisions; return how many."""
    columns = tables.classification.c
    removed = 0
    for part in _parts(rev_ids):
        statement = delete(tables.classification).where(
            columns.oresc_rev.in_(part), columns.oresc_model.in_(model_ids)
        )
        removed += connection.execute(statement).rowcount
    return removed


def deleted_revisions(
    connection: Connection, tables: WikiTables, page_id: int, namespace: int, title: str
) -> list[int]:
    """Return the scored revisions of a deleted page, found by the title's index."""
    archive, scores = tables.archive.c, tables.classification.c
    statement = (
        select(archive.ar_rev_id)
        .distinct()
        .join_from(tables.archive, tables.classification, scores.oresc_rev == archive.ar_rev_id)
        .where(
            archive.ar_namespace == namespace,
            archive.ar_title == title,
            archive.ar_page_id == page_id,
        )
    )
    return list(connection.execute(statement).scalars())


def listed_edits(
    connection: Connection, tables: WikiTables, below: int | None, limit: int
) -> list[ListedEdit]:
    """Read up to `limit` edits of recent changes, newest first, with `rc_id` below `below`."""
    columns = tables.recentchanges.c
    statement: Select[Any] = (
        select(
            *(columns.rc_id, columns.rc_this_oldid),
            *(columns.rc_namespace, columns.rc_bot, columns.rc_patrolled),
        )
        .where(columns.rc_source.in_(_EDITS))
        .order_by(columns.rc_id.desc())
        .limit(limit)
    )
    if below is not None:
        statement = statement.where(columns.rc_id < below)
    return [
        ListedEdit(row.rc_id, row.rc_this_oldid, _recent_edit(row))
        for row in connection.execute(statement)
    ]


def newest_listed(connection: Connection, tables: WikiTables) -> int:
    """Return the highest revision in recent changes, 0 if there is none."""
    highest = connection.execute(select(func.max(tables.recentchanges.c.rc_this_oldid))).scalar()
    return int(highest or 0)


def scores_after(
    connection: Connection, tables: WikiTables, model_ids: Sequence[int], after: int, limit: int
) -> list[tuple[int, int]]:
    """Read (oresc_id, oresc_rev) of up to `limit` scores of some models with ids above `after`."""
    columns = tables.classification.c
    statement = (
        select(columns.oresc_id, columns.oresc_rev)
        .where(columns.oresc_id > after, columns.oresc_model.in_(model_ids))
        .order_by(columns.oresc_id)
        .limit(limit)
    )
    return [(row.oresc_id, row.oresc_rev) for row in connection.execute(statement)]


def unlisted(connection: Connection, tables: WikiTables, rev_ids: Iterable[int]) -> set[int]:
    """Return those revisions that are not in recent changes."""
    wanted = set(rev_ids)
    column = tables.recentchanges.c.rc_this_oldid
    for part in _parts(wanted):
        wanted -= set(connection.execute(select(column).where(column.in_(part))).scalars())
    return wanted


def _scored(
    connection: Connection, tables: WikiTables, keys: Iterable[tuple[int, int]]
) -> set[tuple[int, int]]:
    columns = tables.classification.c
    found: set[tuple[int, int]] = set()
    by_model: dict[int, list[int]] = {}
    for rev_id, model_id in keys:
        by_model.setdefault(model_id, []).append(rev_id)
    for model_id, rev_ids in by_model.items():
        for part in _parts(rev_ids):
            statement = select(columns.oresc_rev).where(
                columns.oresc_rev.in_(part),
                columns.oresc_model == model_id,
                columns.oresc_class == CLASS,
            )
            found |= {(rev_id, model_id) for rev_id in connection.execute(statement).scalars()}
    return found


def _insert_ignore(connection: Connection, table: Table) -> Any:
    """Return an INSERT that leaves a row that somebody else adds meanwhile as it is."""
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table).on_conflict_do_nothing().inline()
    if connection.dialect.name == "sqlite":
        return sqlite.insert(table).on_conflict_do_nothing().inline()
    return insert(table).prefix_with("IGNORE").inline()


def _values(rows: Iterable[ScoreRow]) -> list[dict[str, Any]]:
    return [
        {
            "oresc_rev": row.rev_id,
            "oresc_model": row.model_id,
            "oresc_class": CLASS,
            "oresc_probability": row.probability,
            "oresc_is_predicted": int(row.is_predicted),
        }
        for row in rows
    ]


def _recent_edit(row: Any) -> RecentEdit:
    return RecentEdit(
        namespace=row.rc_namespace,
        is_bot=bool(row.rc_bot),
        is_autopatrolled=row.rc_patrolled == _AUTOPATROLLED,
    )


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _parts(keys: Iterable[T]) -> Iterator[list[T]]:
    ordered = list(dict.fromkeys(keys))
    for start in range(0, len(ordered), _PART):
        yield ordered[start : start + _PART]
