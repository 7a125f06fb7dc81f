"""The levels of every wiki in the database, one set after another."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from revision_quality.levels.level_set import (
    LevelSet,
    StoredSet,
    has_same_thresholds,
    read_set,
    write_set,
)
from revision_quality.views.progress import position_of, set_positions, take_turn
from revision_quality.views.tables import level_sets

CHANGES = "levels seq"
"""The number of `progress` that grows with every change to levels."""

HISTORY = 100
"""Sets of a wiki that the log of changes is told from."""


def last_change(connection: Connection) -> int:
    """Return the number of the last change to levels."""
    return position_of(connection, CHANGES)


def current_sets(connection: Connection, model: int) -> dict[str, StoredSet]:
    """Return the sets in force of a model's number, by wiki_id."""
    columns = level_sets.c
    newest = (
        select(columns.wiki_id, func.max(columns.number).label("number"))
        .where(columns.model == model)
        .group_by(columns.wiki_id)
        .subquery()
    )
    statement = select(level_sets).where(
        columns.model == model,
        columns.wiki_id == newest.c.wiki_id,
        columns.number == newest.c.number,
    )
    return {row.wiki_id: _stored(row) for row in connection.execute(statement)}


def current_set(connection: Connection, wiki_id: str, model: int) -> StoredSet | None:
    """Return the set in force, None if there was none yet."""
    return next(iter(history(connection, wiki_id, model, limit=1)), None)


def history(
    connection: Connection, wiki_id: str, model: int, *, limit: int = HISTORY
) -> list[StoredSet]:
    """Return the sets of a wiki, the newest first."""
    columns = level_sets.c
    statement = (
        select(level_sets)
        .where(columns.wiki_id == wiki_id, columns.model == model)
        .order_by(columns.number.desc())
        .limit(limit)
    )
    return [_stored(row) for row in connection.execute(statement)]


def put_sets(
    connection: Connection, model: int, sets: Mapping[str, LevelSet], *, by: str, now: int
) -> int:
    """Bring sets into force, all at once; return how many flag other edits than before.

    Where the thresholds stay the figures are brought up to date, and the set keeps its number.
    `now` is in Unix seconds.
    """
    take_turn(connection)
    known = current_sets(connection, model)
    changed = 0
    for wiki_id, chosen in sorted(sets.items()):
        old = known.get(wiki_id)
        if old and has_same_thresholds(old.chosen, chosen):
            _measure_again(connection, old, chosen, now)
        else:
            number = old.number + 1 if old else 1
            values = {"wiki_id": wiki_id, "model": model, "number": number, "since": now}
            values |= {"chosen_by": by, "measured": now, "levels": write_set(chosen)}
            connection.execute(insert(level_sets), values)
            changed += 1
    if sets:
        set_positions(connection, {CHANGES: position_of(connection, CHANGES) + 1})
    return changed


def _measure_again(connection: Connection, old: StoredSet, chosen: LevelSet, now: int) -> None:
    columns = level_sets.c
    found = (
        (columns.wiki_id == old.wiki_id)
        & (columns.model == old.model)
        & (columns.number == old.number)
    )
    connection.execute(
        update(level_sets).where(found).values(measured=now, levels=write_set(chosen))
    )


def _stored(row: Row[Any]) -> StoredSet:
    return StoredSet(
        wiki_id=row.wiki_id,
        model=row.model,
        number=row.number,
        since=row.since,
        chosen_by=row.chosen_by,
        measured=row.measured,
        chosen=read_set(row.levels),
    )
