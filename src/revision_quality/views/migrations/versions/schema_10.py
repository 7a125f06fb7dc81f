"""Schema 10: the edits of each tag are found by an index."""

import msgspec
import sqlalchemy as sa
from alembic import op

from revision_quality.views.migrations.present import create_table
from revision_quality.views.name_key import name_key
from revision_quality.views.tables import Word

revision = "10"
down_revision = "9"

_ROWS_AT_ONCE = 10_000

_changes = sa.table(
    "changes",
    sa.column("wiki_id", Word(64)),
    sa.column("tags", sa.Text),
    sa.column("deleted", sa.Boolean),
    *(sa.column(name, sa.BigInteger) for name in ("rev_id", "timestamp")),
)


def upgrade() -> None:
    """Add the table, and to it the edits that are there."""
    entries = sa.Table(
        "change_tags",
        sa.MetaData(),
        _number("tag", "views.name_key"),
        _number("timestamp"),
        _number("rev_id"),
        sa.Column("wiki_id", Word(64), primary_key=True),
        sqlite_with_rowid=False,
    )
    create_table(entries)
    op.execute(entries.delete())
    for wiki_id in op.get_bind().scalars(sa.select(_changes.c.wiki_id).distinct()).all():
        _fill(entries, wiki_id)
    progress = sa.table("progress", sa.column("name"), sa.column("value"))
    op.execute(sa.update(progress).where(progress.c.name == "schema").values(value=10))


def _number(name: str, comment: str | None = None) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, primary_key=True, autoincrement=False, comment=comment)


def _fill(entries: sa.Table, wiki_id: str) -> None:
    columns, after = _changes.c, -1
    tagged = (
        sa.select(columns.rev_id, columns.timestamp, columns.tags)
        .where(columns.wiki_id == wiki_id, columns.tags != "[]", columns.deleted == sa.false())
        .order_by(columns.rev_id)
        .limit(_ROWS_AT_ONCE)
    )
    while rows := op.get_bind().execute(tagged.where(columns.rev_id > after)).all():
        after = rows[-1].rev_id
        op.bulk_insert(
            entries,
            [
                {"tag": tag, "timestamp": row.timestamp, "rev_id": row.rev_id, "wiki_id": wiki_id}
                for row in rows
                for tag in _keys(wiki_id, row.tags)
            ],
        )


def _keys(wiki_id: str, tags: str) -> set[int]:
    return {name_key(of, tag) for tag in msgspec.json.decode(tags) for of in (wiki_id, "")}
