"""Schema 13: the index of all edits by time holds their wikis and facets."""

import sqlalchemy as sa
from alembic import op

from revision_quality.views.migrations.present import create_index, drop_index

revision = "13"
down_revision = "12"


def upgrade() -> None:
    """Make the index anew."""
    drop_index("changes_time", "changes")
    create_index("changes_time", "changes", "timestamp", "rev_id", "wiki_id", "facets")
    progress = sa.table("progress", sa.column("name"), sa.column("value"))
    op.execute(sa.update(progress).where(progress.c.name == "schema").values(value=13))
