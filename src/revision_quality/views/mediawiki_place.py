"""Opens the tables of the extension RevisionQuality in a wiki."""

from collections.abc import Sequence

from revision_quality.clock import Clock, system_clock
from revision_quality.levels.level import Level
from revision_quality.mediawiki_tables_block import MediaWikiTablesBlock
from revision_quality.views.database import Database
from revision_quality.views.mediawiki import MediaWikiTables, MediaWikiWiki
from revision_quality.views.mediawiki_tables import extension_tables
from revision_quality.views.ores_place import wiki_database
from revision_quality.views.ores_policy import OresPolicy
from revision_quality.views.ores_tables import wiki_tables
from revision_quality.views.positions import ViewPositions


def open_mediawiki_tables(
    block: MediaWikiTablesBlock,
    wiki_id: str,
    levels: Sequence[Level],
    views: Database,
    clock: Clock = system_clock,
    *,
    model: tuple[str, str] | None = None,
) -> MediaWikiTables:
    """Return the view of a wiki; `views` is the database that keeps its positions.

    `levels` are of `model`, a name and a version.

    Raises StoreError for a URL that names no database.
    """
    wiki = MediaWikiWiki(
        wiki_id,
        wiki_tables(block.prefix, block.schema),
        extension_tables(block.prefix, block.schema),
        OresPolicy(block.excludes_bots, block.excludes_autopatrolled, block.namespaces),
    )
    positions = ViewPositions(views, f"mediawiki_tables:{wiki_id}")
    return MediaWikiTables(
        wiki_database(block.database), wiki, positions, levels, clock, model=model
    )
