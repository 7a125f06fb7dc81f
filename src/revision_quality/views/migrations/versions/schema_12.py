"""Schema 12: whether a text was on a page before is read off an index."""

import sqlalchemy as sa
from alembic import op

from revision_quality.views.migrations.present import create_index, drop_index

revision = "12"
down_revision = "11"


def upgrade() -> None:
    """Put an index that has the texts in place of the one that has not."""
    columns = ("wiki_id", "page_id", "rev_id", "sha1", "parent_sha1")
    create_index("edit_labels_page_texts", "edit_labels", *columns)
    drop_index("edit_labels_page", "edit_labels")
    progress = sa.table("progress", sa.column("name"), sa.column("value"))
    op.execute(sa.update(progress).where(progress.c.name == "schema").values(value=12))
