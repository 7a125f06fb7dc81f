"""Schema 8: models side by side, and which one is shown."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

from revision_quality.views.migrations.present import create_index, create_table
from revision_quality.views.tables import Word

revision = "8"
down_revision = "7"


def upgrade() -> None:
    """Add the tables; the first model of the settings is shown until another one is promoted."""
    create_table(
        sa.Table(
            "model_scores",
            sa.MetaData(),
            sa.Column("wiki_id", Word(64), primary_key=True),
            sa.Column("rev_id", sa.BigInteger, primary_key=True, autoincrement=False),
            sa.Column("model", Word(36), primary_key=True, comment="views.model_scores.key_of"),
            sa.Column("model_name", _text(), nullable=False),
            sa.Column("model_version", _text(), nullable=False),
            sa.Column("timestamp", sa.BigInteger, nullable=False, comment="of the edit"),
            sa.Column("state", Word(16), nullable=False),
            sa.Column("reason", _text()),
            sa.Column("message", _text()),
            sa.Column("score", sa.Double),
            sa.Column("scored_dt", sa.BigInteger, nullable=False, comment="Unix ms"),
        )
    )
    create_index("model_scores_time", "model_scores", "model", "timestamp")
    create_index("model_scores_age", "model_scores", "timestamp")
    coverage = "of recent changes when it was shown"
    create_table(
        sa.Table(
            "shown_models",
            sa.MetaData(),
            sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
            sa.Column("model_name", _text(), nullable=False),
            sa.Column("model_version", _text(), nullable=False),
            sa.Column("since_dt", sa.BigInteger, nullable=False, comment="Unix ms"),
            sa.Column("coverage", sa.Double, nullable=False, comment=coverage),
        )
    )
    create_table(
        sa.Table(
            "shadow_models",
            sa.MetaData(),
            sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
            sa.Column("block", _text(), nullable=False, comment="JSON of a [[models]] block"),
            sa.Column("added_dt", sa.BigInteger, nullable=False, comment="Unix ms"),
        )
    )
    progress = sa.table("progress", sa.column("name"), sa.column("value"))
    op.execute(sa.update(progress).where(progress.c.name == "schema").values(value=8))


def _text() -> sa.types.TypeEngine[str]:
    medium = mysql.MEDIUMTEXT(charset="utf8mb4", collation="utf8mb4_bin")
    return sa.Text().with_variant(medium, "mysql", "mariadb")
