"""The block `[wikis.mediawiki_tables]`: a wiki that has the extension RevisionQuality."""

from typing import Annotated

from msgspec import Meta, Struct


class MediaWikiTablesBlock(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the wiki's tables are and which edits they get.

    `database` is the SQLAlchemy URL of the wiki's database, of its primary where it has replicas;
    `prefix` is $wgDBprefix and `schema`, on PostgreSQL, $wgDBmwschema. The first model's scores
    are shown. The policy says which edits are left out: by default none, because recent changes
    have filters of their own for bots and namespaces.
    """

    database: str
    prefix: Annotated[str, Meta(pattern="^[A-Za-z0-9_]*$")] = ""
    schema: Annotated[str, Meta(pattern="^[A-Za-z0-9_]+$")] | None = None
    excludes_bots: bool = False
    excludes_autopatrolled: bool = False
    namespaces: Annotated[tuple[int, ...], Meta(min_length=1)] | None = None
