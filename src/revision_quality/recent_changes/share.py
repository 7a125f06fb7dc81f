"""Which part of all edits some wikis have, by the counts that are kept of each."""

from sqlalchemy import Connection

from revision_quality.recent_changes.sql import Sql, one_of, rows


def share_of(connection: Connection, wikis: frozenset[str]) -> float:
    """Return the part of all edits that are of some wikis, 1 where there are no edits."""
    own = one_of("wiki_id", sorted(wikis))
    statement = Sql(
        f"SELECT sum(number), sum(CASE WHEN {own.text} THEN number ELSE 0 END) FROM change_counts",  # noqa: S608
        own.values,
    )
    ((every, some),) = rows(connection, statement)
    return int(some) / int(every) if every else 1
