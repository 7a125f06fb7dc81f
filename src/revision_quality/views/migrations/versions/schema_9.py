"""Schema 9: what patrollers say of an edit, which counts as a label."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

from revision_quality.views.migrations.present import add_column

revision = "9"
down_revision = "8"


def upgrade() -> None:
    """Add the column; the labels view reads the stream of verdicts from its beginning."""
    said = sa.Column("verdicts", _text(), comment="JSON of levels.said.Verdicts")
    add_column("edit_labels", said)
    progress = sa.table("progress", sa.column("name"), sa.column("value"))
    op.execute(sa.update(progress).where(progress.c.name == "schema").values(value=9))


def _text() -> sa.types.TypeEngine[str]:
    medium = mysql.MEDIUMTEXT(charset="utf8mb4", collation="utf8mb4_bin")
    return sa.Text().with_variant(medium, "mysql", "mariadb")
