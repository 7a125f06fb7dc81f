"""Schema 2: the few edits that have no score are found by an index."""

import sqlalchemy as sa
from alembic import op

from revision_quality.views.migrations.present import create_index

revision = "2"
down_revision = "1"


def upgrade() -> None:
    """Add the index, and tell a revq of schema 1, which knows no Alembic."""
    create_index(
        "changes_unscored_time",
        "changes",
        *("state", "timestamp", "rev_id"),
        where="state <> 'scored'",
    )
    progress = sa.table("progress", sa.column("name"), sa.column("value"))
    op.execute(sa.update(progress).where(progress.c.name == "schema").values(value=2))
