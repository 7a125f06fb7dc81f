"""Schema 6: what became of each edit, the counts of it, and the levels chosen on them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

from revision_quality.views.migrations.present import add_column, create_index, create_table
from revision_quality.views.tables import Word

revision = "6"
down_revision = "5"

_LABEL_COLUMNS = (
    ("page_id", sa.BigInteger, False),
    ("timestamp", sa.BigInteger, False),
    ("is_known", sa.Boolean, False),
    ("parent_id", sa.BigInteger, False),
    ("sha1", Word(16), True),
    ("parent_sha1", Word(16), True),
    ("editor", Word(16), True),
    ("kind", Word(16), False),
    ("is_counted", sa.Boolean, False),
    ("text_hidden", sa.Boolean, False),
    ("user_hidden", sa.Boolean, False),
    ("is_tagged_reverted", sa.Boolean, False),
    ("is_tagged_reverting", sa.Boolean, False),
    ("tags_dt", sa.BigInteger, False),
    ("undone_first", sa.BigInteger, False),
    ("undone_last", sa.BigInteger, False),
    ("label", sa.Integer, False),
    ("reverted_by", sa.BigInteger, False),
    ("reverted_after", sa.BigInteger, False),
    ("undone_by", sa.BigInteger, False),
    ("undone_dt", sa.BigInteger, False),
)


def upgrade() -> None:
    """Add the tables, and to every change whether it was reverted: no label is known yet."""
    flag = sa.Column("is_reverted", sa.Boolean, nullable=False, server_default=sa.false())
    add_column("changes", flag)
    add_column("changes", sa.Column("reverted_by", sa.BigInteger))
    add_column("changes", sa.Column("reverted_dt", sa.BigInteger, comment="Unix seconds"))
    _create_labels()
    _create_levels()
    progress = sa.table("progress", sa.column("name"), sa.column("value"))
    op.execute(sa.update(progress).where(progress.c.name == "schema").values(value=6))


def _create_labels() -> None:
    columns = (sa.Column(name, kind, nullable=null) for name, kind, null in _LABEL_COLUMNS)
    create_table(sa.Table("edit_labels", sa.MetaData(), *_key("rev_id"), *columns))
    create_index("edit_labels_page", "edit_labels", "wiki_id", "page_id", "rev_id")
    create_index("edit_labels_time", "edit_labels", "timestamp")
    create_table(
        sa.Table(
            "edit_scores",
            sa.MetaData(),
            *_key("rev_id", "model"),
            sa.Column("score", sa.Double, nullable=False),
            sa.Column("scored_dt", sa.BigInteger, nullable=False),
        )
    )
    create_table(
        sa.Table(
            "scored_models",
            sa.MetaData(),
            sa.Column("model", sa.BigInteger, primary_key=True, autoincrement=False),
            sa.Column("name", _text(), nullable=False),
            sa.Column("version", _text(), nullable=False),
        )
    )


def _create_levels() -> None:
    create_table(
        sa.Table(
            "level_counts",
            sa.MetaData(),
            *_key("model"),
            sa.Column("day", sa.Integer, primary_key=True, autoincrement=False),
            sa.Column("cell", sa.Integer, primary_key=True, autoincrement=False),
            sa.Column("number", sa.BigInteger, nullable=False),
        )
    )
    create_table(
        sa.Table(
            "level_sets",
            sa.MetaData(),
            *_key("model"),
            sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
            sa.Column("since", sa.BigInteger, nullable=False),
            sa.Column("chosen_by", _text(), nullable=False),
            sa.Column("measured", sa.BigInteger, nullable=False),
            sa.Column("levels", _text(), nullable=False),
        )
    )


def _key(*numbers: str) -> list[sa.Column[object]]:
    wiki_id: sa.Column[object] = sa.Column("wiki_id", Word(64), primary_key=True)
    return [wiki_id, *(_number(name) for name in numbers)]


def _number(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.BigInteger, primary_key=True, autoincrement=False)


def _text() -> sa.types.TypeEngine[str]:
    medium = mysql.MEDIUMTEXT(charset="utf8mb4", collation="utf8mb4_bin")
    return sa.Text().with_variant(medium, "mysql", "mariadb")
