"""What the database tells of two models: the shown one, and one that scores beside it."""

from msgspec import Struct
from sqlalchemy import Connection, select

from revision_quality.levels.comparison import Comparison, Measured, compare, measure
from revision_quality.levels.level import Level
from revision_quality.levels.scores import NamedModel
from revision_quality.scoring.model_rule import ModelKey
from revision_quality.views.shown_model import pairs
from revision_quality.views.tables import edit_labels, edit_scores

COMPARED = 50_000
"""Edits that are looked at, the newest ones."""

_DAY = 86_400


class LevelledModel(Struct, frozen=True):
    """A model version and levels of it: those that it brings, or those of one wiki."""

    key: ModelKey
    levels: tuple[Level, ...]


class SideBySide(Struct, frozen=True, kw_only=True):
    """`agreement` is of all edits that both have scored, `measured` of those that have a label."""

    agreement: Comparison
    measured: Measured


def read_side_by_side(
    connection: Connection,
    shown: LevelledModel,
    other: LevelledModel,
    last: int,
    wiki_id: str | None = None,
) -> SideBySide:
    """Compare two models on the edits of all wikis, or of one.

    `last` is the last day of which every label is settled, from 1970.
    """
    both = pairs(connection, other.key, COMPARED, wiki_id)
    labelled = _labelled(connection, shown.key, other.key, last, wiki_id)
    levels = (shown.levels, other.levels)
    return SideBySide(
        agreement=compare([pair.shown for pair in both], [pair.other for pair in both], *levels),
        measured=measure(
            [one for one, _, _ in labelled],
            [two for _, two, _ in labelled],
            [label for _, _, label in labelled],
            *levels,
        ),
    )


def _labelled(
    connection: Connection, shown: ModelKey, other: ModelKey, last: int, wiki_id: str | None
) -> list[tuple[float, float, int]]:
    """Read the scores and the label of the newest settled edits, as far as both have a score.

    The newest of one wiki are those of the highest numbers: that is an order which the table has.
    """
    columns = edit_labels.c
    settled = (
        select(columns.wiki_id, columns.rev_id, columns.label)
        .where(columns.is_counted, columns.timestamp < (last + 1) * _DAY)
        .limit(COMPARED)
    )
    if wiki_id is None:
        newest = settled.order_by(columns.timestamp.desc()).subquery()
    else:
        of_wiki = settled.where(columns.wiki_id == wiki_id)
        newest = of_wiki.order_by(columns.rev_id.desc()).subquery()
    mine, theirs = edit_scores.alias("mine"), edit_scores.alias("theirs")
    statement = select(mine.c.score, theirs.c.score, newest.c.label)
    for scores, model in ((mine, shown), (theirs, other)):
        of_edit = (scores.c.wiki_id == newest.c.wiki_id) & (scores.c.rev_id == newest.c.rev_id)
        of_model = scores.c.model == NamedModel(*model).number
        statement = statement.where(of_edit, of_model)
    return [(row[0], row[1], row[2]) for row in connection.execute(statement)]
