"""Schema 15: the facets of the edits of each tag stand beside them."""

import sqlalchemy as sa
from alembic import op

from revision_quality.views.migrations.present import add_column
from revision_quality.views.tables import Word

revision = "15"
down_revision = "14"


def upgrade() -> None:
    """Add the column, and the facets of the edits that are there."""
    add_column("change_tags", sa.Column("facets", sa.BigInteger, comment="views.facets"))
    entries, changes = (
        sa.table(
            name,
            sa.column("wiki_id", Word(64)),
            *(sa.column(column, sa.BigInteger) for column in ("rev_id", "facets")),
        )
        for name in ("change_tags", "changes")
    )
    of_edit = (changes.c.wiki_id == entries.c.wiki_id) & (changes.c.rev_id == entries.c.rev_id)
    facets = sa.select(changes.c.facets).where(of_edit).scalar_subquery()
    op.execute(sa.update(entries).values(facets=facets))
    progress = sa.table("progress", sa.column("name"), sa.column("value"))
    op.execute(sa.update(progress).where(progress.c.name == "schema").values(value=15))
