"""Schema 7: the edits of a page, and of a user, are found by an index in the order of time."""

import sqlalchemy as sa
from alembic import op

from revision_quality.views.migrations.present import add_column, create_index, drop_index

revision = "7"
down_revision = "6"


def upgrade() -> None:
    """Add the column and the indices; edits written before have no user's number."""
    add_column("changes", sa.Column("user_key", sa.BigInteger, comment="views.user_key"))
    create_index("changes_user_time", "changes", "user_key", "timestamp")
    create_index("changes_page_time", "changes", "wiki_id", "page_id", "timestamp")
    drop_index("changes_page", "changes")
    progress = sa.table("progress", sa.column("name"), sa.column("value"))
    op.execute(sa.update(progress).where(progress.c.name == "schema").values(value=7))
