"""Schema 4: verdicts, each author's latest, and what they say in all beside the change."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

from revision_quality.views.migrations.present import add_column, create_index, create_table
from revision_quality.views.tables import Word

revision = "4"
down_revision = "3"


def upgrade() -> None:
    """Add the table and the columns; no verdict has been given yet."""
    add_column("changes", sa.Column("verdicts", sa.Integer, nullable=False, server_default="0"))
    add_column("changes", sa.Column("verdict", Word(16)))
    medium = mysql.MEDIUMTEXT(charset="utf8mb4", collation="utf8mb4_bin")
    comment = sa.Text().with_variant(medium, "mysql", "mariadb")
    create_table(
        sa.Table(
            "verdicts",
            sa.MetaData(),
            sa.Column("wiki_id", Word(64), primary_key=True),
            sa.Column("rev_id", sa.BigInteger, primary_key=True, autoincrement=False),
            sa.Column("author", Word(255), primary_key=True, comment='"" where none was named'),
            sa.Column("verdict", Word(16), nullable=False),
            sa.Column("comment", comment, nullable=False),
            sa.Column("id", Word(36), nullable=False, comment="meta.id of the event"),
            sa.Column("given_dt", sa.BigInteger, nullable=False, comment="Unix ms"),
        )
    )
    create_index("verdicts_time", "verdicts", "given_dt")
    progress = sa.table("progress", sa.column("name"), sa.column("value"))
    op.execute(sa.update(progress).where(progress.c.name == "schema").values(value=4))
