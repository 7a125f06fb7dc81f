"""Opens a wiki's ORES tables."""

from collections.abc import Mapping

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from revision_quality.clock import Clock, system_clock
from revision_quality.ores_tables_block import OresTablesBlock
from revision_quality.views.database import Database
from revision_quality.views.ores import OresTables, OresWiki
from revision_quality.views.ores_policy import models_of, policy_of
from revision_quality.views.ores_tables import wiki_tables
from revision_quality.views.positions import ViewPositions


def open_ores_tables(
    block: OresTablesBlock,
    wiki_id: str,
    versions: Mapping[str, str],
    views: Database,
    clock: Clock = system_clock,
) -> OresTables:
    """Return the view of a wiki; `versions` has the models that run by name, the first one first.

    `views` is the database that keeps its positions. Raises SettingsError, StoreError.
    """
    wiki = OresWiki(
        wiki_id,
        wiki_tables(block.prefix, block.schema),
        models_of(block, versions),
        policy_of(block),
    )
    positions = ViewPositions(views, f"ores_tables:{wiki_id}")
    return OresTables(wiki_database(block.database), wiki, positions, clock)


def wiki_database(url: str) -> Database:
    """Open a wiki's database. Raises StoreError for a URL that names none.

    SQLite makes a file that is not there, and MediaWiki would take it for its own.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        return Database(url)
    if parsed.get_backend_name() == "sqlite" and parsed.database:
        existing = parsed.set(
            database=f"file:{parsed.database}", query={"mode": "rw", "uri": "true"}
        )
        return Database(existing.render_as_string(hide_password=False))
    return Database(url)
