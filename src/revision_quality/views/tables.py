"""The tables of the SQL views, one schema for every server."""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Dialect,
    Double,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    false,
    text,
)
from sqlalchemy.dialects import mysql
from sqlalchemy.types import TypeEngine

from revision_quality.events.verdict import MAX_AUTHOR
from revision_quality.views.servers import MARIADB

MAX_WIKI_ID = 64
"""Characters of a wiki_id: it is the name of a database, and MySQL's have 64."""


class Word(TypeDecorator[str]):
    """A short text, equal to another only where every byte is: case and trailing blanks count."""

    impl = String
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the server's type; its default collations compare more loosely."""
        length = getattr(self.impl, "length", None)
        if dialect.name == "postgresql":
            return String(length, collation="C")
        if dialect.name in MARIADB:
            is_mariadb = getattr(dialect, "is_mariadb", False)
            collation = "utf8mb4_nopad_bin" if is_mariadb else "utf8mb4_0900_bin"
            return mysql.VARCHAR(length, charset="utf8mb4", collation=collation)
        return String(length)


def _text() -> TypeEngine[str]:
    """Return the type of a text of any length: MySQL's TEXT ends at 64 KiB, an event at 4 MiB."""
    medium = mysql.MEDIUMTEXT(charset="utf8mb4", collation="utf8mb4_bin")
    return Text().with_variant(medium, *MARIADB)


metadata = MetaData()

changes = Table(
    "changes",
    metadata,
    Column("wiki_id", Word(MAX_WIKI_ID), primary_key=True),
    Column("rev_id", BigInteger, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False),
    Column("timestamp", BigInteger, nullable=False),
    Column("parent_id", BigInteger, nullable=False),
    Column("page_id", BigInteger, nullable=False),
    Column("namespace", Integer, nullable=False),
    Column("title", _text(), nullable=False),
    Column("kind", Word(16), nullable=False),
    Column("user", _text()),
    Column("user_level", Word(16), nullable=False),
    Column("is_temp", Boolean, nullable=False),
    Column("is_bot", Boolean, nullable=False),
    Column("is_minor", Boolean, nullable=False),
    Column("comment", _text()),
    Column("tags", _text(), nullable=False, comment="JSON array of strings"),
    Column("size", BigInteger),
    Column("parent_size", BigInteger),
    Column("content_hidden", Boolean, nullable=False),
    Column("user_hidden", Boolean, nullable=False),
    Column("comment_hidden", Boolean, nullable=False),
    Column("deleted", Boolean, nullable=False),
    Column("state", Word(16), nullable=False),
    Column("reason", _text()),
    Column("message", _text()),
    Column("score", Double),
    Column("model_name", _text()),
    Column("model_version", _text()),
    Column("verdicts", Integer, nullable=False, server_default="0"),
    Column("verdict", Word(16)),
    Column("is_reverted", Boolean, nullable=False, server_default=false()),
    Column("reverted_by", BigInteger),
    Column("reverted_dt", BigInteger, comment="Unix seconds"),
    Column("facts_dt", BigInteger, nullable=False, comment="Unix ms"),
    Column("visibility_dt", BigInteger, nullable=False, comment="Unix ms"),
    Column("tags_dt", BigInteger, nullable=False, comment="Unix ms"),
    Column("scored_dt", BigInteger, nullable=False, comment="Unix ms"),
    Column("score_withheld", Boolean, nullable=False),
    Column("facets", BigInteger, comment="views.facets"),
    Column("user_key", BigInteger, comment="views.user_key"),
    Index("changes_time", "timestamp", "rev_id", "wiki_id", "facets"),
    Index("changes_wiki_time", "wiki_id", "timestamp", "rev_id"),
    Index("changes_page_time", "wiki_id", "page_id", "timestamp"),
    Index("changes_user_time", "user_key", "timestamp"),
    Index("changes_facets", "facets", "timestamp", "rev_id"),
    Index("changes_wiki_facets", "wiki_id", "facets", "timestamp", "rev_id"),
    # In MariaDB it is of a computed column, `grade`, that no Table tells of (schema 14).
    Index(
        "changes_grade_time",
        text("(facets >> 8 & 15)"),
        *("timestamp", "rev_id", "wiki_id", "facets"),
    ).ddl_if(callable_=lambda *_, dialect, **__: dialect.name not in MARIADB),
)

change_writes = Table(
    "change_writes",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("edits", _text(), nullable=False, comment="JSON of [wiki_id, rev_id] each"),
)
"""The edits of the last writes; `seq` is the number of an entry's last (`views.change_writes`)."""

change_facets = Table(
    "change_facets",
    metadata,
    Column("wiki_id", Word(MAX_WIKI_ID), primary_key=True),
    Column("facets", BigInteger, primary_key=True, autoincrement=False),
)
"""Which numbers `changes.facets` has or once had, by wiki and (wiki_id "") in any of them: a
filter's edits are looked up under each number that it takes, however few there are."""

change_tags = Table(
    "change_tags",
    metadata,
    Column("tag", BigInteger, primary_key=True, autoincrement=False, comment="views.name_key"),
    Column("timestamp", BigInteger, primary_key=True, autoincrement=False),
    Column("rev_id", BigInteger, primary_key=True, autoincrement=False),
    Column("wiki_id", Word(MAX_WIKI_ID), primary_key=True),
    Column("facets", BigInteger, comment="views.facets"),
    sqlite_with_rowid=False,
)
"""The edits of each tag in the order of time, of its wiki and of all (`views.change_tags`)."""

verdicts = Table(
    "verdicts",
    metadata,
    Column("wiki_id", Word(MAX_WIKI_ID), primary_key=True),
    Column("rev_id", BigInteger, primary_key=True, autoincrement=False),
    Column("author", Word(MAX_AUTHOR), primary_key=True, comment='"" where none was named'),
    Column("verdict", Word(16), nullable=False),
    Column("comment", _text(), nullable=False),
    Column("id", Word(36), nullable=False, comment="meta.id of the event"),
    Column("given_dt", BigInteger, nullable=False, comment="Unix ms"),
    Index("verdicts_time", "given_dt"),
)
"""The latest verdict of each author on each edit."""

alarms = Table(
    "alarms",
    metadata,
    Column("id", Word(36), primary_key=True),
    Column("kind", Word(16), nullable=False),
    Column("wiki_id", Word(MAX_WIKI_ID), nullable=False, comment='"" for all'),
    Column("model_name", _text(), nullable=False),
    Column("model_version", _text(), nullable=False),
    Column("level", _text(), nullable=False),
    Column("message", _text(), nullable=False),
    Column("since_dt", BigInteger, nullable=False, comment="Unix ms"),
    Column("ended_dt", BigInteger, nullable=False, comment="Unix ms, 0 while it is on"),
    Column("told", Word(8), nullable=False, comment="to the webhook: raised, ended"),
    Index("alarms_ended", "ended_dt"),
)

alarm_series = Table(
    "alarm_series",
    metadata,
    Column("id", Word(36), primary_key=True),
    Column("wiki_id", Word(MAX_WIKI_ID), nullable=False, comment='"" for all'),
    Column("model_name", _text(), nullable=False),
    Column("model_version", _text(), nullable=False),
    Column("state", _text(), nullable=False, comment="JSON of alarms.drift.SeriesState"),
)
"""What is usual, of each wiki and model version."""

model_scores = Table(
    "model_scores",
    metadata,
    Column("wiki_id", Word(MAX_WIKI_ID), primary_key=True),
    Column("rev_id", BigInteger, primary_key=True, autoincrement=False),
    Column("model", Word(36), primary_key=True, comment="views.model_scores.key_of"),
    Column("model_name", _text(), nullable=False),
    Column("model_version", _text(), nullable=False),
    Column("timestamp", BigInteger, nullable=False, comment="of the edit"),
    Column("state", Word(16), nullable=False),
    Column("reason", _text()),
    Column("message", _text()),
    Column("score", Double),
    Column("scored_dt", BigInteger, nullable=False, comment="Unix ms"),
    Index("model_scores_time", "model", "timestamp"),
    Index("model_scores_age", "timestamp"),
)
"""What models that are not shown have made of the edits in `changes`."""

shown_models = Table(
    "shown_models",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("model_name", _text(), nullable=False),
    Column("model_version", _text(), nullable=False),
    Column("since_dt", BigInteger, nullable=False, comment="Unix ms"),
    Column("coverage", Double, nullable=False, comment="of recent changes when it was shown"),
)
"""Which model `changes` shows: the last one; before the first, the first of the settings."""

shadow_models = Table(
    "shadow_models",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("block", _text(), nullable=False, comment="JSON of a [[models]] block"),
    Column("added_dt", BigInteger, nullable=False, comment="Unix ms"),
)
"""Models beside those of the settings."""

page_deletions = Table(
    "page_deletions",
    metadata,
    Column("wiki_id", Word(MAX_WIKI_ID), primary_key=True),
    Column("page_id", BigInteger, primary_key=True, autoincrement=False),
    Column("deleted_dt", BigInteger, nullable=False, comment="Unix seconds"),
)

change_counts = Table(
    "change_counts",
    metadata,
    Column("wiki_id", Word(MAX_WIKI_ID), primary_key=True),
    Column("state", Word(16), primary_key=True),
    Column("number", BigInteger, nullable=False),
)
"""How many rows of `changes` are not deleted: counting ten million takes seconds."""

edit_labels = Table(
    "edit_labels",
    metadata,
    Column("wiki_id", Word(MAX_WIKI_ID), primary_key=True),
    Column("rev_id", BigInteger, primary_key=True, autoincrement=False),
    Column("page_id", BigInteger, nullable=False),
    Column("timestamp", BigInteger, nullable=False),
    Column("is_known", Boolean, nullable=False),
    Column("parent_id", BigInteger, nullable=False),
    Column("sha1", Word(16)),
    Column("parent_sha1", Word(16)),
    Column("editor", Word(16)),
    Column("kind", Word(16), nullable=False),
    Column("is_counted", Boolean, nullable=False),
    Column("text_hidden", Boolean, nullable=False),
    Column("user_hidden", Boolean, nullable=False),
    Column("is_tagged_reverted", Boolean, nullable=False),
    Column("is_tagged_reverting", Boolean, nullable=False),
    Column("tags_dt", BigInteger, nullable=False),
    Column("undone_first", BigInteger, nullable=False),
    Column("undone_last", BigInteger, nullable=False),
    Column("label", Integer, nullable=False),
    Column("reverted_by", BigInteger, nullable=False),
    Column("reverted_after", BigInteger, nullable=False),
    Column("undone_by", BigInteger, nullable=False),
    Column("undone_dt", BigInteger, nullable=False),
    Column("verdicts", _text(), comment="JSON of levels.said.Verdicts"),
    Index("edit_labels_page_texts", "wiki_id", "page_id", "rev_id", "sha1", "parent_sha1"),
    Index("edit_labels_time", "timestamp"),
)
"""What became of each edit, and what tells it of the others of its page (`levels.edit`, which says
what the columns hold)."""

edit_scores = Table(
    "edit_scores",
    metadata,
    Column("wiki_id", Word(MAX_WIKI_ID), primary_key=True),
    Column("rev_id", BigInteger, primary_key=True, autoincrement=False),
    Column("model", BigInteger, primary_key=True, autoincrement=False),
    Column("score", Double, nullable=False),
    Column("scored_dt", BigInteger, nullable=False),
)
"""The scores of every model and version, by its number in `scored_models`; times in Unix ms."""

scored_models = Table(
    "scored_models",
    metadata,
    Column("model", BigInteger, primary_key=True, autoincrement=False),
    Column("name", _text(), nullable=False),
    Column("version", _text(), nullable=False),
)
"""Which model and version a number stands for; it is made out of their names."""

level_counts = Table(
    "level_counts",
    metadata,
    Column("wiki_id", Word(MAX_WIKI_ID), primary_key=True),
    Column("model", BigInteger, primary_key=True, autoincrement=False),
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("cell", Integer, primary_key=True, autoincrement=False),
    Column("number", BigInteger, nullable=False),
)
"""How many edits of a day have a kind of editor, a label and a score: what curves are made of.
Days are counted from 1970-01-01, cells as in `levels.tally`."""

level_sets = Table(
    "level_sets",
    metadata,
    Column("wiki_id", Word(MAX_WIKI_ID), primary_key=True),
    Column("model", BigInteger, primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("since", BigInteger, nullable=False),
    Column("chosen_by", _text(), nullable=False),
    Column("measured", BigInteger, nullable=False),
    Column("levels", _text(), nullable=False),
)
"""The levels of a wiki and model version, one set after another; the greatest number is in force.
What was replaced stays: the log of changes is what differs between them. `levels` is JSON
(`levels.level_set`), times are Unix seconds."""

progress = Table(
    "progress",
    metadata,
    Column("name", Word(128), primary_key=True),
    Column("value", BigInteger, nullable=False),
)
"""Per partition of a stream the offset up to which it is in the view; `seq`, the last one given;
`schema`, which every revq since schema 1 looks at and every writer locks."""
