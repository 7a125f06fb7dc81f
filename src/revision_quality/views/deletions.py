"""When pages were deleted: their edits, those that come later too, leave every view."""

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection

from revision_quality.views import bulk
from revision_quality.views.incoming import Key
from revision_quality.views.tables import page_deletions


def remember_deletions(connection: Connection, deletions: Mapping[Key, int]) -> None:
    """Note the times, Unix seconds, by (wiki_id, page_id); of several the latest stays."""
    values = [
        {"wiki_id": wiki_id, "page_id": page_id, "deleted_dt": deleted_dt}
        for (wiki_id, page_id), deleted_dt in deletions.items()
    ]
    if values:
        latest = bulk.upsert(connection, page_deletions, "deleted_dt", bulk.greatest)
        connection.execute(latest, values)


def known_deletions(connection: Connection, pages: Iterable[Key]) -> dict[Key, int]:
    """Return when those of the pages that were deleted were, in Unix seconds."""
    found = bulk.read(connection, page_deletions, pages)
    return {(wiki_id, page_id): deleted_dt for wiki_id, page_id, deleted_dt in found}
