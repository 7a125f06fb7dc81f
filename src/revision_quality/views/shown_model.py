"""Which model the changes view shows, and which ones are beside it."""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, delete, func, insert, select

from revision_quality.scoring.model_rule import ModelKey
from revision_quality.views.change import State
from revision_quality.views.model_scores import key_of
from revision_quality.views.tables import changes, model_scores, shadow_models, shown_models

RECENT_DAYS = 30
"""Days of recent changes whose coverage counts: the page's filters look back no further."""

_DAY = 86_400
_NONE = ""


class Shown(Struct, frozen=True, kw_only=True):
    """That a model was shown from `since` on, Unix milliseconds; 0 for the one of the settings."""

    model: ModelKey
    since: int
    coverage: float


class Coverage(Struct, frozen=True):
    """Of `edits` recent changes with an outcome, how many have one of another model too."""

    edits: int
    covered: int

    @property
    def share(self) -> float:
        """The share, 0 to 1; 0 without edits."""
        return self.covered / self.edits if self.edits else 0.0


def history(connection: Connection) -> list[Shown]:
    """Read which models were shown, one after another; nothing before the first promotion."""
    statement = select(shown_models).order_by(shown_models.c.number)
    return [
        Shown(model=(row.model_name, row.model_version), since=row.since_dt, coverage=row.coverage)
        for row in connection.execute(statement)
    ]


def shown(connection: Connection) -> ModelKey | None:
    """Return the model that is shown, None for the first one of the settings."""
    statement = select(shown_models).order_by(shown_models.c.number.desc()).limit(1)
    row = connection.execute(statement).first()
    return None if row is None else (row.model_name, row.model_version)


def add_shown(connection: Connection, model: ModelKey, since: int, coverage: float) -> None:
    """Say that a model is shown from now on."""
    connection.execute(
        insert(shown_models).values(
            number=_next(connection, shown_models),
            model_name=model[0],
            model_version=model[1],
            since_dt=since,
            coverage=coverage,
        )
    )


def shadows(connection: Connection) -> list[dict[str, Any]]:
    """Read the blocks of the models beside those of the settings, the first added first."""
    columns = shadow_models.c
    statement = select(columns.block).where(columns.block != _NONE).order_by(columns.number)
    return [msgspec.json.decode(block) for block in connection.execute(statement).scalars()]


def add_shadow(connection: Connection, block: dict[str, Any], added: int) -> None:
    """Add a model's block; `added` in Unix milliseconds."""
    connection.execute(
        insert(shadow_models).values(
            number=_next(connection, shadow_models),
            block=msgspec.json.encode(block).decode(),
            added_dt=added,
        )
    )


def drop_shadow(connection: Connection, place: int) -> None:
    """Remove one of the blocks, by its place in `shadows`."""
    columns = shadow_models.c
    numbers = select(columns.number).where(columns.block != _NONE).order_by(columns.number)
    number = list(connection.execute(numbers).scalars())[place]
    # A block without a model takes the highest number: `state` must grow.
    gone = {"number": _next(connection, shadow_models), "block": _NONE, "added_dt": 0}
    connection.execute(delete(shadow_models).where(columns.number == number))
    connection.execute(insert(shadow_models).values(gone))


def state(connection: Connection) -> tuple[int, int]:
    """Return two numbers, one of which grows whenever the models change."""
    return _next(connection, shown_models), _next(connection, shadow_models)


def coverage(connection: Connection, model: ModelKey, days: int = RECENT_DAYS) -> Coverage:
    """Count the recent changes that have an outcome, and those that have one of `model` too.

    Recent are those of the last `days` before the newest edit.
    """
    columns = changes.c
    newest = connection.execute(select(func.max(columns.timestamp))).scalar() or 0
    is_meant = (
        (columns.timestamp >= newest - days * _DAY)
        & columns.deleted.is_(False)
        & columns.score_withheld.is_(False)
        & columns.state.in_((State.SCORED, State.NOT_SCORABLE))
    )
    edits = connection.execute(select(func.count()).select_from(changes).where(is_meant)).scalar()
    both = changes.join(
        model_scores,
        (model_scores.c.wiki_id == columns.wiki_id)
        & (model_scores.c.rev_id == columns.rev_id)
        & (model_scores.c.model == key_of(model)),
    )
    is_done = model_scores.c.state.in_((State.SCORED, State.NOT_SCORABLE))
    covered = connection.execute(select(func.count()).select_from(both).where(is_meant, is_done))
    return Coverage(edits or 0, covered.scalar() or 0)


def _next(connection: Connection, table: Any) -> int:
    return int(connection.execute(select(func.max(table.c.number))).scalar() or 0) + 1


def in_order(models: Sequence[ModelKey], first: ModelKey | None) -> list[ModelKey]:
    """Return the models with `first` ahead, if it is one of them."""
    return sorted(models, key=lambda model: model != first)


class Pair(Struct, frozen=True):
    """The scores of two models on one edit: of the one that is shown, and of another."""

    wiki_id: str
    shown: float
    other: float


def pairs(
    connection: Connection, model: ModelKey, limit: int, wiki_id: str | None = None
) -> list[Pair]:
    """Read the newest edits that both the shown model and `model` have scored, of all wikis or one.

    Those of one wiki are found along its edits: `model_scores` has no order of time by wiki.
    """
    columns, beside = changes.c, model_scores.c
    both = model_scores.join(
        changes, (beside.wiki_id == columns.wiki_id) & (beside.rev_id == columns.rev_id)
    )
    statement = (
        select(columns.wiki_id, columns.score, beside.score)
        .select_from(both)
        .where(beside.model == key_of(model), beside.score.is_not(None), columns.score.is_not(None))
        .limit(limit)
    )
    if wiki_id is None:
        statement = statement.order_by(beside.timestamp.desc())
    else:
        statement = statement.where(columns.wiki_id == wiki_id)
        statement = statement.order_by(columns.timestamp.desc(), columns.rev_id.desc())
    return [Pair(*row) for row in connection.execute(statement)]


def beside(connection: Connection) -> list[ModelKey]:
    """Return the models that have scores beside those that are shown."""
    columns = model_scores.c
    statement = select(columns.model_name, columns.model_version).group_by(
        columns.model, columns.model_name, columns.model_version
    )
    return sorted((row[0], row[1]) for row in connection.execute(statement))
