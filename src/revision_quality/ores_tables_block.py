"""The block `[wikis.ores_tables]`: a wiki whose own tables of the extension ORES are kept."""

from typing import Annotated

from msgspec import Meta, Struct

RISK = "revertrisklanguageagnostic"
"""The extension's own name of the model behind its filter "Likely to be reverted"."""


class OresTablesBlock(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the wiki's tables are and which scores they get.

    `database` is the SQLAlchemy URL of the wiki's database, of its primary where it has replicas;
    `prefix` is $wgDBprefix and `schema`, on PostgreSQL, $wgDBmwschema. `models` gives by the
    extension's name of a model the name of the one whose scores it shows; without any,
    `revertrisklanguageagnostic` shows the first model's. The policy says which edits are left out
    of the tables: those flagged as bot edits, those that were patrolled automatically, those
    outside of `namespaces`. All edits are scored and published all the same.
    """

    database: str
    prefix: Annotated[str, Meta(pattern="^[A-Za-z0-9_]*$")] = ""
    schema: Annotated[str, Meta(pattern="^[A-Za-z0-9_]+$")] | None = None
    models: dict[str, str] = {}
    excludes_bots: bool = True
    excludes_autopatrolled: bool = False
    namespaces: Annotated[tuple[int, ...], Meta(min_length=1)] | None = None
