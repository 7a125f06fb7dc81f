"""The tables of the SQL views, one schema for every server."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)

metadata = MetaData()

changes = Table(
    "changes",
    metadata,
    Column("wiki_id", String(64), primary_key=True),
    Column("rev_id", BigInteger, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False),
    Column("timestamp", BigInteger, nullable=False),
    Column("parent_id", BigInteger, nullable=False),
    Column("page_id", BigInteger, nullable=False),
    Column("namespace", Integer, nullable=False),
    Column("title", String(512), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("user", String(255)),
    Column("user_level", String(16), nullable=False),
    Column("is_temp", Boolean, nullable=False),
    Column("is_bot", Boolean, nullable=False),
    Column("is_minor", Boolean, nullable=False),
    Column("comment", Text),
    Column("tags", Text, nullable=False, comment="JSON array of strings"),
    Column("size", Integer),
    Column("parent_size", Integer),
    Column("content_hidden", Boolean, nullable=False),
    Column("user_hidden", Boolean, nullable=False),
    Column("comment_hidden", Boolean, nullable=False),
    Column("deleted", Boolean, nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", String(64)),
    Column("message", Text),
    Column("score", Float(53)),
    Column("model_name", String(64)),
    Column("model_version", String(32)),
    Column("facts_dt", BigInteger, nullable=False, comment="Unix ms"),
    Column("visibility_dt", BigInteger, nullable=False, comment="Unix ms"),
    Column("tags_dt", BigInteger, nullable=False, comment="Unix ms"),
    Column("scored_dt", BigInteger, nullable=False, comment="Unix ms"),
    Column("score_withheld", Boolean, nullable=False),
    Index("changes_seq", "seq", unique=True),
    Index("changes_time", "timestamp", "rev_id"),
    Index("changes_wiki_time", "wiki_id", "timestamp", "rev_id"),
    Index("changes_page", "wiki_id", "page_id"),
)

page_deletions = Table(
    "page_deletions",
    metadata,
    Column("wiki_id", String(64), primary_key=True),
    Column("page_id", BigInteger, primary_key=True, autoincrement=False),
    Column("deleted_dt", BigInteger, nullable=False, comment="Unix seconds"),
)

change_counts = Table(
    "change_counts",
    metadata,
    Column("wiki_id", String(64), primary_key=True),
    Column("state", String(16), primary_key=True),
    Column("number", BigInteger, nullable=False),
)
"""How many rows of `changes` are not deleted: counting ten million takes seconds."""

progress = Table(
    "progress",
    metadata,
    Column("name", String(128), primary_key=True),
    Column("value", BigInteger, nullable=False),
)
"""Per stream the offset up to which it is in the view; `seq`, the last one given."""
