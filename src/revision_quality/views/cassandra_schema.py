"""The tables of the score store in Cassandra and all statements that are run on them.

`scores` has a partition of each revision. One row of each model version and state: which of two
outcomes counts is then decided by readers, and no write needs a read. What was removed is
remembered in the partition's static columns, which are no tombstones and so outlive
`gc_grace_seconds`.

`page_revisions` has a partition of each page, its revisions newest first, and in a static column
until when they are deleted. It finds the latest score of a page, and what a deletion removes.

A write's timestamp is its event's time, in microseconds, so that of two writes of the same the
later event wins, whenever they come. A removal has REMOVED, which no event's time reaches: it wins
over writes before and behind it. Marks lie one above, because they survive the removal.
"""

REMOVED = 253_402_300_800_000_000
"""The first microsecond behind the year 9999, the last that RFC 3339 can write."""

MARKED = REMOVED + 1

VERSION = 1

TABLES = (
    """CREATE TABLE IF NOT EXISTS scores (
        wiki_id text, rev_id bigint,
        page_id bigint STATIC, rev_dt bigint STATIC,
        removed set<text> STATIC,
        model_name text, model_version text, state text,
        score double, prediction boolean, reason text, message text, scored_dt bigint,
        PRIMARY KEY ((wiki_id, rev_id), model_name, model_version, state)
    )""",
    """CREATE TABLE IF NOT EXISTS page_revisions (
        wiki_id text, page_id bigint,
        deleted_dt bigint STATIC,
        rev_dt bigint, rev_id bigint,
        PRIMARY KEY ((wiki_id, page_id), rev_dt, rev_id)
    ) WITH CLUSTERING ORDER BY (rev_dt DESC, rev_id DESC)""",
    """CREATE TABLE IF NOT EXISTS positions (
        stream text, partition_number int, value bigint,
        PRIMARY KEY (stream, partition_number)
    )""",
    "CREATE TABLE IF NOT EXISTS schema_version (name text PRIMARY KEY, value int)",
)
"""`rev_dt` and `deleted_dt` are Unix seconds, `scored_dt` Unix milliseconds."""


STATEMENTS = {
    "put_score": """INSERT INTO scores
        (wiki_id, rev_id, page_id, rev_dt, model_name, model_version, state, scored_dt,
         score, prediction)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) USING TIMESTAMP ? AND TTL ?""",
    "put_error": """INSERT INTO scores
        (wiki_id, rev_id, page_id, rev_dt, model_name, model_version, state, scored_dt,
         reason, message)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) USING TIMESTAMP ? AND TTL ?""",
    "remove": """BEGIN UNLOGGED BATCH
        DELETE FROM scores USING TIMESTAMP ? WHERE wiki_id = ? AND rev_id = ?;
        UPDATE scores USING TIMESTAMP ? AND TTL ? SET removed = removed + ?
            WHERE wiki_id = ? AND rev_id = ?;
        APPLY BATCH""",
    "get_scores": """SELECT removed, model_name, model_version, state, scored_dt,
        score, prediction, reason, message
        FROM scores WHERE wiki_id = ? AND rev_id = ?""",
    "put_revision": """INSERT INTO page_revisions (wiki_id, page_id, rev_dt, rev_id)
        VALUES (?, ?, ?, ?) USING TIMESTAMP ? AND TTL ?""",
    "put_deletion": """UPDATE page_revisions USING TIMESTAMP ? AND TTL ? SET deleted_dt = ?
        WHERE wiki_id = ? AND page_id = ?""",
    "get_deletion": """SELECT DISTINCT wiki_id, page_id, deleted_dt FROM page_revisions
        WHERE wiki_id = ? AND page_id = ?""",
    "get_revisions": """SELECT rev_id, rev_dt, deleted_dt FROM page_revisions
        WHERE wiki_id = ? AND page_id = ?""",
    "get_deleted_revisions": """SELECT rev_id, rev_dt FROM page_revisions
        WHERE wiki_id = ? AND page_id = ? AND rev_dt <= ?""",
    "drop_deleted_revisions": """DELETE FROM page_revisions USING TIMESTAMP ?
        WHERE wiki_id = ? AND page_id = ? AND rev_dt <= ?""",
    "put_position": "INSERT INTO positions (stream, partition_number, value) VALUES (?, ?, ?)",
    "get_position": "SELECT value FROM positions WHERE stream = ? AND partition_number = ?",
    "put_version": "INSERT INTO schema_version (name, value) VALUES ('scores', ?)",
    "get_version": "SELECT value FROM schema_version WHERE name = 'scores'",
}
