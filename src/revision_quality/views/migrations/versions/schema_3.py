"""Schema 3: every filter's edits are found by an index."""

import sqlalchemy as sa
from alembic import op

from revision_quality.views.migrations.present import (
    add_column,
    create_index,
    create_table,
    drop_index,
)
from revision_quality.views.tables import Word

revision = "3"
down_revision = "2"

_STATES = ("pending", "failed", "not_scorable", "scored")
_USER_LEVELS = ("unregistered", "newcomer", "learner", "experienced", "registered")
_EDGES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999)

_changes = sa.table(
    "changes",
    sa.column("wiki_id", Word(64)),
    sa.column("facets", sa.BigInteger),
    sa.column("namespace", sa.BigInteger),
    sa.column("score", sa.Double),
    sa.column("state", sa.String),
    sa.column("user_level", sa.String),
    sa.column("kind", sa.String),
    *(sa.column(name, sa.Boolean) for name in ("is_bot", "is_minor", "deleted")),
)


def upgrade() -> None:
    """Number the facets of all edits, note which numbers there are, index them."""
    add_column("changes", sa.Column("facets", sa.BigInteger, comment="views.facets"))
    known = sa.Table(
        "change_facets",
        sa.MetaData(),
        sa.Column("wiki_id", Word(64), primary_key=True),
        sa.Column("facets", sa.BigInteger, primary_key=True, autoincrement=False),
    )
    create_table(known)
    op.execute(numbering())
    create_index("changes_facets", "changes", "facets", "timestamp", "rev_id")
    create_index("changes_wiki_facets", "changes", "wiki_id", "facets", "timestamp", "rev_id")
    op.execute(known.delete())
    columns = _changes.c
    for wiki_id in (columns.wiki_id, sa.literal_column("''")):
        found = sa.select(wiki_id, columns.facets).where(columns.facets.is_not(None)).distinct()
        op.execute(known.insert().from_select(["wiki_id", "facets"], found))
    drop_index("changes_unscored_time", "changes")
    progress = sa.table("progress", sa.column("name"), sa.column("value"))
    op.execute(sa.update(progress).where(progress.c.name == "schema").values(value=3))


def numbering() -> sa.Update:
    """Return the statement that gives every row the number that this schema's revq gives it."""
    present = _changes.c.deleted == sa.false()
    return _changes.update().where(present).values(facets=_facets())


def _facets() -> sa.ColumnElement[int]:
    columns = _changes.c
    grades = [(columns.score >= _EDGES[place], place + 2) for place in reversed(range(len(_EDGES)))]
    grade = sa.case((columns.score.is_(None), 0), *grades, else_=1)
    return (
        columns.namespace * 8192
        + grade * 256
        + _place(columns.state, _STATES) * 64
        + _place(columns.user_level, _USER_LEVELS) * 8
        + sa.case((columns.is_bot == sa.true(), 4), else_=0)
        + sa.case((columns.is_minor == sa.true(), 2), else_=0)
        + sa.case((columns.kind == "create", 1), else_=0)
    )


def _place(column: sa.ColumnElement[str], words: tuple[str, ...]) -> sa.Case[int]:
    return sa.case(*((column == word, place) for place, word in enumerate(words)), else_=0)
