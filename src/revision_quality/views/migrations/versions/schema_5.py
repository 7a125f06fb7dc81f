"""Schema 5: alarms, and what is usual."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

from revision_quality.views.migrations.present import create_index, create_table
from revision_quality.views.tables import Word

revision = "5"
down_revision = "4"


def upgrade() -> None:
    """Add the tables; alarms begin to learn from the streams."""
    create_table(
        sa.Table(
            "alarms",
            sa.MetaData(),
            sa.Column("id", Word(36), primary_key=True),
            sa.Column("kind", Word(16), nullable=False),
            sa.Column("wiki_id", Word(64), nullable=False, comment='"" for all'),
            sa.Column("model_name", _text(), nullable=False),
            sa.Column("model_version", _text(), nullable=False),
            sa.Column("level", _text(), nullable=False),
            sa.Column("message", _text(), nullable=False),
            sa.Column("since_dt", sa.BigInteger, nullable=False, comment="Unix ms"),
            sa.Column(
                "ended_dt", sa.BigInteger, nullable=False, comment="Unix ms, 0 while it is on"
            ),
            sa.Column("told", Word(8), nullable=False, comment="to the webhook: raised, ended"),
        )
    )
    create_index("alarms_ended", "alarms", "ended_dt")
    create_table(
        sa.Table(
            "alarm_series",
            sa.MetaData(),
            sa.Column("id", Word(36), primary_key=True),
            sa.Column("wiki_id", Word(64), nullable=False, comment='"" for all'),
            sa.Column("model_name", _text(), nullable=False),
            sa.Column("model_version", _text(), nullable=False),
            sa.Column("state", _text(), nullable=False, comment="JSON of alarms.drift.SeriesState"),
        )
    )
    progress = sa.table("progress", sa.column("name"), sa.column("value"))
    op.execute(sa.update(progress).where(progress.c.name == "schema").values(value=5))


def _text() -> sa.types.TypeEngine[str]:
    medium = mysql.MEDIUMTEXT(charset="utf8mb4", collation="utf8mb4_bin")
    return sa.Text().with_variant(medium, "mysql", "mariadb")
