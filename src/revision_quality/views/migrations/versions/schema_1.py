"""Schema 1: the changes view as it began."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

from revision_quality.views.migrations.present import create_index, create_table
from revision_quality.views.tables import Word

revision = "1"
down_revision = None


def _text() -> sa.types.TypeEngine[str]:
    medium = mysql.MEDIUMTEXT(charset="utf8mb4", collation="utf8mb4_bin")
    return sa.Text().with_variant(medium, "mysql", "mariadb")


def upgrade() -> None:
    """Create the tables."""
    metadata = sa.MetaData()
    create_table(
        sa.Table(
            "changes",
            metadata,
            sa.Column("wiki_id", Word(64), primary_key=True),
            sa.Column("rev_id", sa.BigInteger, primary_key=True, autoincrement=False),
            sa.Column("seq", sa.BigInteger, nullable=False),
            sa.Column("timestamp", sa.BigInteger, nullable=False),
            sa.Column("parent_id", sa.BigInteger, nullable=False),
            sa.Column("page_id", sa.BigInteger, nullable=False),
            sa.Column("namespace", sa.Integer, nullable=False),
            sa.Column("title", _text(), nullable=False),
            sa.Column("kind", Word(16), nullable=False),
            sa.Column("user", _text()),
            sa.Column("user_level", Word(16), nullable=False),
            sa.Column("is_temp", sa.Boolean, nullable=False),
            sa.Column("is_bot", sa.Boolean, nullable=False),
            sa.Column("is_minor", sa.Boolean, nullable=False),
            sa.Column("comment", _text()),
            sa.Column("tags", _text(), nullable=False, comment="JSON array of strings"),
            sa.Column("size", sa.BigInteger),
            sa.Column("parent_size", sa.BigInteger),
            sa.Column("content_hidden", sa.Boolean, nullable=False),
            sa.Column("user_hidden", sa.Boolean, nullable=False),
            sa.Column("comment_hidden", sa.Boolean, nullable=False),
            sa.Column("deleted", sa.Boolean, nullable=False),
            sa.Column("state", Word(16), nullable=False),
            sa.Column("reason", _text()),
            sa.Column("message", _text()),
            sa.Column("score", sa.Double),
            sa.Column("model_name", _text()),
            sa.Column("model_version", _text()),
            sa.Column("facts_dt", sa.BigInteger, nullable=False, comment="Unix ms"),
            sa.Column("visibility_dt", sa.BigInteger, nullable=False, comment="Unix ms"),
            sa.Column("tags_dt", sa.BigInteger, nullable=False, comment="Unix ms"),
            sa.Column("scored_dt", sa.BigInteger, nullable=False, comment="Unix ms"),
            sa.Column("score_withheld", sa.Boolean, nullable=False),
        )
    )
    create_index("changes_seq", "changes", "seq", unique=True)
    create_index("changes_time", "changes", "timestamp", "rev_id")
    create_index("changes_wiki_time", "changes", "wiki_id", "timestamp", "rev_id")
    create_index("changes_page", "changes", "wiki_id", "page_id")
    create_table(
        sa.Table(
            "page_deletions",
            metadata,
            sa.Column("wiki_id", Word(64), primary_key=True),
            sa.Column("page_id", sa.BigInteger, primary_key=True, autoincrement=False),
            sa.Column("deleted_dt", sa.BigInteger, nullable=False, comment="Unix seconds"),
        )
    )
    create_table(
        sa.Table(
            "change_counts",
            metadata,
            sa.Column("wiki_id", Word(64), primary_key=True),
            sa.Column("state", Word(16), primary_key=True),
            sa.Column("number", sa.BigInteger, nullable=False),
        )
    )
    progress = sa.Table(
        "progress",
        metadata,
        sa.Column("name", Word(128), primary_key=True),
        sa.Column("value", sa.BigInteger, nullable=False),
    )
    create_table(progress)
    has_schema = sa.select(progress).where(progress.c.name == "schema")
    if op.get_bind().execute(has_schema).first() is None:
        op.get_bind().execute(sa.insert(progress).values(name="schema", value=1))
