"""The extension RevisionQuality's tables in a wiki's database.

Source: `extension/RevisionQuality/sql/tables.json`.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any, TypeVar

from msgspec import Struct
from sqlalchemy import (
    Column,
    Connection,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.types import NullType

from revision_quality.levels.level import Level
from revision_quality.views.change import State
from revision_quality.views.ores_facts import DeletedPage
from revision_quality.views.servers import MARIADB

UNSCORED = 0
"""`rqf_level` of an edit that waits for its score."""

NUMBERS = {"likelygood": 1, "maybebad": 2, "likelybad": 3, "verylikelybad": 4}
"""`rql_level` of each level."""

NUMBERS_OR_UNSCORED = {"maybebad": 5, "likelybad": 6, "verylikelybad": 7}
"""`rqf_level` of an edit that a level holds for or that waits for its score: one ordered read."""

_WITHOUT_SCORE = (UNSCORED, *NUMBERS_OR_UNSCORED.values())

_STATES = {State.PENDING: 0, State.SCORED: 1, State.NOT_SCORABLE: 2, State.FAILED: 3}
_SCORED = _STATES[State.SCORED]
_RANKS = [
    _STATES[state] for state in (State.PENDING, State.FAILED, State.NOT_SCORABLE, State.SCORED)
]
"""From the state that any other replaces to the one that only itself does."""
_WAITING = (_STATES[State.PENDING], _STATES[State.FAILED])

_PART = 500
"""Keys in one statement."""

_DAY_SECONDS = 86400
_WEEK_SECONDS = 7 * _DAY_SECONDS

T = TypeVar("T")


class ExtensionTables(Struct, frozen=True):
    """The tables under the wiki's prefix and schema."""

    edit: Table
    flag: Table
    level: Table
    model: Table


class EditRow(Struct, frozen=True, kw_only=True):
    """What became of an edit. `rev_dt` is in Unix seconds; `score` is P(reverted), 0 to 1."""

    rev_id: int
    rev_dt: int
    state: State
    score: float | None = None
    model_id: int | None = None


@cache
def extension_tables(prefix: str = "", schema: str | None = None) -> ExtensionTables:
    """Return the tables; `prefix` is $wgDBprefix, `schema` $wgDBmwschema or None."""
    metadata = MetaData(schema=schema)

    def table(name: str, *columns: Column[Any]) -> Table:
        return Table(f"{prefix}revision_quality{name}", metadata, *columns)

    text = String().with_variant(LargeBinary(), *MARIADB)
    return ExtensionTables(
        edit=table(
            "",
            Column("rq_rev", Integer, primary_key=True, autoincrement=False),
            Column("rq_timestamp", NullType),
            Column("rq_state", Integer),
            Column("rq_score", Float),
            Column("rq_model", Integer),
        ),
        flag=table(
            "_flag",
            Column("rqf_level", Integer, primary_key=True, autoincrement=False),
            Column("rqf_timestamp", NullType, primary_key=True),
            Column("rqf_rev", Integer, primary_key=True),
        ),
        level=table(
            "_level",
            Column("rql_level", Integer, primary_key=True, autoincrement=False),
            *(
                Column(f"rql_{name}", Float)
                for name in (
                    *("threshold", "precision", "precision_low", "precision_high"),
                    "edits_a_day",
                )
            ),
        ),
        model=table(
            "_model",
            Column("rqm_id", Integer, primary_key=True),
            Column("rqm_name", text),
            Column("rqm_version", text),
        ),
    )


def model_id(connection: Connection, tables: ExtensionTables, name: str, version: str) -> int:
    """Return the key of a model version, which is added if it is not there."""
    columns = tables.model.c
    key = {"rqm_name": _binary(connection, name), "rqm_version": _binary(connection, version)}
    wanted = select(columns.rqm_id).where(*(columns[each] == key[each] for each in key))
    found = connection.execute(wanted).scalar()
    if found is None:
        connection.execute(_insert_ignore(connection, tables.model), key)
        found = connection.execute(wanted).scalar_one()
    return int(found)


def write_edits(
    connection: Connection,
    tables: ExtensionTables,
    rows: Iterable[EditRow],
    levels: Sequence[Level],
) -> int:
    """Write edits and their flags; a score stays where a later row has none. Returns how many."""
    latest: dict[int, EditRow] = {}
    for row in rows:
        known = latest.get(row.rev_id)
        if _is_news(row, None if known is None else _STATES[known.state]):
            latest[row.rev_id] = row
    written = 0
    for part in _parts(sorted(latest)):
        states = _states(connection, tables, part)
        new = [latest[rev_id] for rev_id in part if _is_news(latest[rev_id], states.get(rev_id))]
        _write(connection, tables, new, states.keys(), levels)
        written += len(new)
    return written


def remove_edits(connection: Connection, tables: ExtensionTables, rev_ids: Iterable[int]) -> int:
    """Remove edits and their flags; return how many were there."""
    removed = 0
    for part in _parts(rev_ids):
        connection.execute(delete(tables.flag).where(tables.flag.c.rqf_rev.in_(part)))
        gone = delete(tables.edit).where(tables.edit.c.rq_rev.in_(part))
        removed += connection.execute(gone).rowcount
    return removed


def deleted_revisions(
    connection: Connection, tables: ExtensionTables, archive: Table, page: DeletedPage
) -> list[int]:
    """Return the revisions of a deleted page that have a row, found by the title's index."""
    columns = archive.c
    statement = (
        select(columns.ar_rev_id)
        .distinct()
        .join_from(archive, tables.edit, tables.edit.c.rq_rev == columns.ar_rev_id)
        .where(
            columns.ar_namespace == page.namespace,
            columns.ar_title == page.title,
            columns.ar_page_id == page.page_id,
        )
    )
    return list(connection.execute(statement).scalars())


def thresholds(connection: Connection, tables: ExtensionTables) -> dict[int, float]:
    """Read the threshold of each level, by number."""
    columns = tables.level.c
    rows = connection.execute(select(columns.rql_level, columns.rql_threshold))
    return {int(number): float(threshold) for number, threshold in rows}


def write_levels(
    connection: Connection, tables: ExtensionTables, levels: Sequence[Level], now: int
) -> None:
    """Put the levels in place of those that are there; `now` is in Unix seconds."""
    rows = [
        {
            "rql_level": NUMBERS[level.name],
            "rql_threshold": level.threshold,
            "rql_precision": level.precision,
            "rql_precision_low": getattr(level, "low", None),
            "rql_precision_high": getattr(level, "high", None),
            "rql_edits_a_day": _edits_a_day(connection, tables, NUMBERS[level.name], now),
        }
        for level in levels
    ]
    connection.execute(delete(tables.level))
    if rows:
        connection.execute(insert(tables.level), rows)


def flag_again(
    connection: Connection,
    tables: ExtensionTables,
    levels: Sequence[Level],
    model: tuple[str, str] | None,
    *,
    after: int,
    limit: int,
) -> int | None:
    """Set the flags of the next `limit` edits above a revision by these levels of `model`.

    A score of another model or version means something else: its flags stay as they are, unless
    `model` is None. Returns the last revision, None at the end.
    """
    columns = tables.edit.c
    found = connection.execute(
        select(
            columns.rq_rev,
            columns.rq_timestamp,
            columns.rq_state,
            columns.rq_score,
            columns.rq_model,
        )
        .where(columns.rq_rev > after)
        .order_by(columns.rq_rev)
        .limit(limit)
    ).all()
    number = None if model is None else model_id(connection, tables, *model)
    meant = [row for row in found if number is None or row.rq_model in (None, number)]
    flags = [
        flag for rev, at, state, score, _ in meant for flag in _flags(rev, at, state, score, levels)
    ]
    _replace_flags(connection, tables, [row.rq_rev for row in meant], flags)
    return int(found[-1].rq_rev) if found else None


def _write(
    connection: Connection,
    tables: ExtensionTables,
    rows: Sequence[EditRow],
    known: Collection[int],
    levels: Sequence[Level],
) -> None:
    values = [
        {
            "rq_rev": row.rev_id,
            "rq_timestamp": _time(connection, row.rev_dt),
            "rq_state": _STATES[row.state],
            "rq_score": row.score,
            "rq_model": row.model_id,
        }
        for row in rows
    ]
    if not values:
        return
    new = [each for each in values if each["rq_rev"] not in known]
    if new:
        connection.execute(_insert_ignore(connection, tables.edit), new)
    changes = tables.edit.c
    connection.execute(
        update(tables.edit)
        .where(changes.rq_rev == bindparam("rev"))
        .values({name: bindparam(f"new_{name}") for name in ("rq_state", "rq_score", "rq_model")}),
        [
            {"rev": each["rq_rev"]}
            | {f"new_{name}": each[name] for name in ("rq_state", "rq_score", "rq_model")}
            for each in values
        ],
    )
    flags = [
        flag
        for each in values
        for flag in _flags(
            each["rq_rev"], each["rq_timestamp"], each["rq_state"], each["rq_score"], levels
        )
    ]
    _replace_flags(connection, tables, [row.rev_id for row in rows], flags)


def _replace_flags(
    connection: Connection,
    tables: ExtensionTables,
    rev_ids: Sequence[int],
    flags: Sequence[dict[str, Any]],
) -> None:
    for part in _parts(rev_ids):
        connection.execute(delete(tables.flag).where(tables.flag.c.rqf_rev.in_(part)))
    if flags:
        connection.execute(_insert_ignore(connection, tables.flag), list(flags))


def _flags(
    rev_id: int, at: Any, state: int, score: float | None, levels: Sequence[Level]
) -> Iterator[dict[str, Any]]:
    for number in _numbers(state, score, levels):
        yield {"rqf_level": number, "rqf_timestamp": at, "rqf_rev": rev_id}


def _numbers(state: int, score: float | None, levels: Sequence[Level]) -> Iterator[int]:
    if state in _WAITING:
        yield from _WITHOUT_SCORE
    if state != _SCORED or score is None:
        return
    for level in levels:
        is_below = score < level.threshold
        if is_below is (level.name == "likelygood"):
            yield NUMBERS[level.name]
            if level.name in NUMBERS_OR_UNSCORED:
                yield NUMBERS_OR_UNSCORED[level.name]


def _is_news(row: EditRow, known: int | None) -> bool:
    """Tell whether a row changes what is known: the order is that of the changes view."""
    return known is None or _RANKS.index(_STATES[row.state]) >= _RANKS.index(known)


def _states(
    connection: Connection, tables: ExtensionTables, rev_ids: Sequence[int]
) -> dict[int, int]:
    columns = tables.edit.c
    wanted = select(columns.rq_rev, columns.rq_state).where(columns.rq_rev.in_(rev_ids))
    return {int(rev_id): int(state) for rev_id, state in connection.execute(wanted)}


def _edits_a_day(
    connection: Connection, tables: ExtensionTables, number: int, now: int
) -> float | None:
    """Count what the filter would have shown in the last week; None before a day is over."""
    columns = tables.flag.c
    oldest = select(func.min(columns.rqf_timestamp))
    times = (
        connection.execute(oldest.where(columns.rqf_level == each)).scalar()
        for each in (UNSCORED, *NUMBERS.values())
    )
    seconds = min(_WEEK_SECONDS, now - min((_seconds(at) for at in times if at), default=now))
    if seconds < _DAY_SECONDS:
        return None
    since = _time(connection, now - seconds)
    flagged = select(func.count()).where(
        columns.rqf_level == number, columns.rqf_timestamp >= since
    )
    return float(connection.execute(flagged).scalar_one()) / (seconds / _DAY_SECONDS)


def _time(connection: Connection, seconds: int) -> Any:
    """Return a time as MediaWiki keeps it: TIMESTAMPTZ on PostgreSQL, else 14 digits."""
    at = datetime.fromtimestamp(seconds, UTC)
    if connection.dialect.name == "postgresql":
        return at
    return _binary(connection, at.strftime("%Y%m%d%H%M%S"))


def _seconds(at: Any) -> int:
    if isinstance(at, datetime):
        return int(at.timestamp())
    digits = at.decode() if isinstance(at, bytes) else at
    return int(datetime.strptime(digits, "%Y%m%d%H%M%S").replace(tzinfo=UTC).timestamp())


def _binary(connection: Connection, value: str) -> str | bytes:
    """Return a text for a column that is binary on MariaDB and MySQL."""
    return value.encode() if connection.dialect.name in MARIADB else value


def _insert_ignore(connection: Connection, table: Table) -> Any:
    """Return an INSERT that leaves a row that somebody else adds meanwhile as it is."""
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table).on_conflict_do_nothing().inline()
    if connection.dialect.name == "sqlite":
        return sqlite.insert(table).on_conflict_do_nothing().inline()
    return mysql.insert(table).prefix_with("IGNORE").inline()


def _parts(keys: Iterable[T]) -> Iterator[list[T]]:
    ordered = list(dict.fromkeys(keys))
    for start in range(0, len(ordered), _PART):
        yield ordered[start : start + _PART]
