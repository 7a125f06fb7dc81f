"""Edits that are few among many, or in an order by risk, looked up under their numbers of facets.

The sources of a page (`sources`) tell from what rank on there are enough rows; from there on, the
index of each grade's facets is read by time. Its cost grows with the numbers and the rows of a
page, not with the edits.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace
from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    Select,
    select,
    tuple_,
    union_all,
)

from revision_quality.recent_changes.cursor import Cursor
from revision_quality.recent_changes.filters import Filters
from revision_quality.recent_changes.index import name_of
from revision_quality.recent_changes.query import by_index, matching
from revision_quality.recent_changes.ranking import GRADES
from revision_quality.recent_changes.sources import (
    Source,
    enough_since,
    latest_of,
    sources_of,
)
from revision_quality.recent_changes.wiki_levels import WikiLevels
from revision_quality.views.facets import EVERY_WIKI
from revision_quality.views.tables import changes

Ranked = tuple[Cursor, RowMapping]
"""The place of a change in the order of the page, and its row."""

_columns = changes.c


def sparse_changes(
    connection: Connection, filters: Filters, levels: WikiLevels, *, now: float
) -> Sequence[RowMapping]:
    """Return a page of changes, newest first, at most `filters.limit` rows.

    `now` is the time from which `filters.days` counts, in Unix seconds.
    """
    return [row for _, row in ranked_changes(connection, filters, levels, now=now)]


def ranked_changes(
    connection: Connection,
    filters: Filters,
    levels: WikiLevels,
    *,
    now: float,
    grades: Sequence[int] = GRADES,
    least: int = 0,
) -> list[Ranked]:
    """Return a page of the changes of some grades with a rank of at least `least`."""
    sources = sources_of(connection, filters, levels, now=now, grades=grades, least=least)
    least = max(least, enough_since(connection, sources, filters, now=now))
    by_move: defaultdict[int, list[Source]] = defaultdict(list)
    for source in sources:
        if source.rank >= least:
            by_move[source.moved].append(source)
    pages = {
        moved: _page_of(
            some, matching(_moved(filters, moved), levels, now=now, since=max(least - moved, 1))
        ).limit(filters.limit)
        for moved, some in by_move.items()
    }
    if len(pages) > 1:
        keys = _first(connection, pages, filters.limit)
        return _rows_of(connection, keys, matching(replace(filters, before=None), levels, now=now))
    return [
        (Cursor(row["timestamp"] + moved, row["rev_id"], row["wiki_id"]), row)
        for moved, page in pages.items()
        for row in connection.execute(page.with_only_columns(*_columns)).mappings()
    ]


def _moved(filters: Filters, moved: int) -> Filters:
    """Return the filters with the cursor as a time of edits that are moved so."""
    before, latest = filters.before, latest_of(filters, moved)
    if before is None or latest is None:
        return filters
    return replace(filters, before=Cursor(latest, before.rev_id, before.wiki_id))


def _page_of(sources: Sequence[Source], condition: ColumnElement[bool]) -> Select[Any]:
    """Return the statement for the keys of rows of some sources that meet a condition."""
    wikis = sorted({source.wiki_id for source in sources} - {EVERY_WIKI})
    facets = sorted({source.facets for source in sources})
    keys = (_columns.timestamp, _columns.rev_id, _columns.wiki_id)
    statement: Select[Any] = select(*keys).where(_columns.facets.in_(facets), condition)
    if wikis:
        statement = statement.where(_columns.wiki_id.in_(wikis))
    index = name_of(bool(wikis), of_facets=True)
    statement = by_index(statement, index).with_hint(changes, f"INDEXED BY {index}", "sqlite")
    # Not the plain time, which would tempt a server to walk through the index of all edits.
    order = (_columns.timestamp + 0, _columns.rev_id, _columns.wiki_id)
    return statement.order_by(*(column.desc() for column in order))


def _first(connection: Connection, pages: dict[int, Select[Any]], limit: int) -> list[Cursor]:
    """Return the places of the first rows of several pages, each moved so, read at once."""
    places = (
        select(page.c.timestamp + moved, page.c.rev_id, page.c.wiki_id)
        for moved, page in ((moved, page.subquery()) for moved, page in pages.items())
    )
    found = (Cursor(*place) for place in connection.execute(union_all(*places)))
    return sorted(found, reverse=True)[:limit]


def _rows_of(
    connection: Connection, keys: Sequence[Cursor], condition: ColumnElement[bool]
) -> list[Ranked]:
    """Return the rows of some places, but for those that a writer has changed meanwhile."""
    wanted = tuple_(_columns.wiki_id, _columns.rev_id).in_([(k.wiki_id, k.rev_id) for k in keys])
    statement = by_index(select(changes).where(wanted, condition), "PRIMARY")
    rows = connection.execute(statement).mappings()
    by_key = {(row["wiki_id"], row["rev_id"]): row for row in rows}
    found = ((key, by_key.get((key.wiki_id, key.rev_id))) for key in keys)
    return [(key, row) for key, row in found if row is not None]
