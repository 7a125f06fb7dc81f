"""Schema 11: the last writes are noted beside the rows, in place of an index of their numbers."""

from collections.abc import Sequence

import msgspec
import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

from revision_quality.views.migrations.present import create_table, drop_index
from revision_quality.views.tables import Word

revision = "11"
down_revision = "10"

_KEPT, _IN_AN_ENTRY = 5000, 500

_changes = sa.table(
    "changes",
    sa.column("wiki_id", Word(64)),
    *(sa.column(name, sa.BigInteger) for name in ("rev_id", "seq")),
)


def upgrade() -> None:
    """Add the table, note the last writes in it, drop the index."""
    entries = sa.Table(
        "change_writes",
        sa.MetaData(),
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("edits", _text(), nullable=False, comment="JSON of [wiki_id, rev_id] each"),
    )
    create_table(entries)
    op.execute(entries.delete())
    columns = _changes.c
    last = (
        sa.select(columns.wiki_id, columns.rev_id, columns.seq)
        .order_by(columns.seq.desc())
        .limit(_KEPT)
    )
    rows = op.get_bind().execute(last).all()
    parts = [rows[start : start + _IN_AN_ENTRY] for start in range(0, len(rows), _IN_AN_ENTRY)]
    op.bulk_insert(entries, [{"seq": part[0].seq, "edits": _edits(part)} for part in parts])
    drop_index("changes_seq", "changes")
    progress = sa.table("progress", sa.column("name"), sa.column("value"))
    op.execute(sa.update(progress).where(progress.c.name == "schema").values(value=11))


def _edits(rows: Sequence[sa.Row[str, int, int]]) -> str:
    return msgspec.json.encode([(row.wiki_id, row.rev_id) for row in rows]).decode()


def _text() -> sa.types.TypeEngine[str]:
    medium = mysql.MEDIUMTEXT(charset="utf8mb4", collation="utf8mb4_bin")
    return sa.Text().with_variant(medium, "mysql", "mariadb")
