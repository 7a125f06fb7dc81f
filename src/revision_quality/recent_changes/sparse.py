"""Edits that are few among many, or in an order by risk, looked up under their numbers of facets.

The sources of a page (`sources`) tell from what rank on there are enough rows; from there on, the
index of each grade's facets is read by time. Its cost grows with the numbers and the rows of a
page, not with the edits.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import replace
from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    Select,
    and_,
    false,
    or_,
    select,
    union_all,
)

from revision_quality.recent_changes.cursor import Cursor
from revision_quality.recent_changes.filters import Filters
from revision_quality.recent_changes.index import name_of
from revision_quality.recent_changes.query import by_index, by_key, matching
from revision_quality.recent_changes.ranking import GRADES
from revision_quality.recent_changes.sources import (
    MARIADB,
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
    in_pairs = connection.dialect.name in MARIADB
    pages = {}
    for moved, some in by_move.items():
        condition = matching(moved_by(filters, moved), levels, now=now, since=max(least - moved, 1))
        pages[moved] = _page_of(some, condition, in_pairs=in_pairs).limit(filters.limit)
    if len(pages) > 1:
        keys = first_of(connection, pages, filters.limit)
        return rows_of(connection, keys, filters, levels, now=now)
    return [
        (Cursor(row["timestamp"] + moved, row["rev_id"], row["wiki_id"]), row)
        for moved, page in pages.items()
        for row in connection.execute(page.with_only_columns(*_columns)).mappings()
    ]


def moved_by(filters: Filters, moved: int) -> Filters:
    """Return the filters with the cursor as a time of edits that are moved so."""
    before, latest = filters.before, latest_of(filters, moved)
    if before is None or latest is None:
        return filters
    return replace(filters, before=Cursor(latest, before.rev_id, before.wiki_id))


def _page_of(
    sources: Sequence[Source], condition: ColumnElement[bool], *, in_pairs: bool
) -> Select[Any]:
    """Return the statement for the keys of rows of some sources that meet a condition."""
    by_wiki: defaultdict[str, list[int]] = defaultdict(list)
    for source in sources:
        by_wiki[source.wiki_id].append(source.facets)
    has_wikis = EVERY_WIKI not in by_wiki
    found = _in_pairs(_columns.facets, by_wiki) if has_wikis and in_pairs else _in_lists(by_wiki)
    keys = (_columns.timestamp, _columns.rev_id, _columns.wiki_id)
    statement: Select[Any] = select(*keys).where(found, condition)
    index = name_of(has_wikis, of_facets=True)
    statement = by_index(statement, index).with_hint(changes, f"INDEXED BY {index}", "sqlite")
    # Not the plain time, which would tempt a server to walk through the index of all edits.
    order = (_columns.timestamp + 0, _columns.rev_id, _columns.wiki_id)
    return statement.order_by(*(column.desc() for column in order))


def _in_pairs(column: ColumnElement[int], by_wiki: Mapping[str, list[int]]) -> ColumnElement[bool]:
    """Return the condition on pairs of a wiki and a number with which none is looked up in vain."""
    return or_(
        false(),
        *(
            and_(_columns.wiki_id == wiki_id, column.in_(numbers))
            for wiki_id, numbers in by_wiki.items()
        ),
    )


def _in_lists(by_wiki: Mapping[str, list[int]]) -> ColumnElement[bool]:
    """Return the condition that every server looks up by one index; none cares for other pairs."""
    facets = _columns.facets.in_(sorted({number for some in by_wiki.values() for number in some}))
    wikis = sorted({*by_wiki} - {EVERY_WIKI})
    return and_(_columns.wiki_id.in_(wikis), facets) if wikis else facets


def first_of(connection: Connection, pages: dict[int, Select[Any]], limit: int) -> list[Cursor]:
    """Return the places of the first rows of several pages, each moved so, read at once."""
    places = (
        select(page.c.timestamp + moved, page.c.rev_id, page.c.wiki_id)
        for moved, page in ((moved, page.subquery()) for moved, page in pages.items())
    )
    found = (Cursor(*place) for place in connection.execute(union_all(*places)))
    return sorted(found, reverse=True)[:limit]


def rows_of(
    connection: Connection,
    keys: Sequence[Cursor],
    filters: Filters,
    levels: WikiLevels,
    *,
    now: float,
) -> list[Ranked]:
    """Return the rows of some places, but for those that a writer has changed meanwhile."""
    by_wiki: defaultdict[str, list[int]] = defaultdict(list)
    for key in keys:
        by_wiki[key.wiki_id].append(key.rev_id)
    # Not a list of pairs, for which SQLite would look at all rows.
    wanted = _in_pairs(_columns.rev_id, by_wiki)
    anytime = replace(filters, before=None, days=None, since=None)
    statement = by_key(select(changes).where(wanted, matching(anytime, levels, now=now)))
    rows = connection.execute(statement).mappings()
    known = {(row["wiki_id"], row["rev_id"]): row for row in rows}
    found = ((key, known.get((key.wiki_id, key.rev_id))) for key in keys)
    return [(key, row) for key, row in found if row is not None]
