"""Schema 14: the edits of each grade of the score are found by time."""

import sqlalchemy as sa
from alembic import op

from revision_quality.views.migrations.present import add_column, create_index
from revision_quality.views.servers import MARIADB

revision = "14"
down_revision = "13"


def upgrade() -> None:
    """Index the grades; MariaDB, which indexes no expression, has a column for it."""
    grade: str | sa.TextClause = sa.text("(facets >> 8 & 15)")
    if op.get_bind().dialect.name in MARIADB:
        add_column("changes", sa.Column("grade", sa.SmallInteger, sa.Computed(grade)))
        grade = "grade"
    others = ("timestamp", "rev_id", "wiki_id", "facets")
    create_index("changes_grade_time", "changes", grade, *others)
    progress = sa.table("progress", sa.column("name"), sa.column("value"))
    op.execute(sa.update(progress).where(progress.c.name == "schema").values(value=14))
