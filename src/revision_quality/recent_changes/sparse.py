"""Edits that are few among many, or in an order by risk, looked up under their numbers of facets.

The sources of a page (`sources`) tell from what rank on there are enough rows; from there on, the
index of each grade's facets is read by time. Its cost grows with the numbers and the rows of a
page, not with the edits.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace
from sqlalchemy import Connection

from revision_quality.recent_changes.cursor import Cursor
from revision_quality.recent_changes.filters import Filters
from revision_quality.recent_changes.index import by_key, by_time
from revision_quality.recent_changes.newest_edits import MARIADB, latest_of
from revision_quality.recent_changes.query import in_time, matching, read
from revision_quality.recent_changes.ranking import GRADES, rank
from revision_quality.recent_changes.sources import Source, enough_since, rank_of, sources_of
from revision_quality.recent_changes.sql import Sql, either, every, joined, one_of, rows
from revision_quality.recent_changes.wiki_levels import WikiLevels
from revision_quality.views.change import Change
from revision_quality.views.facets import EVERY_WIKI


def sparse_changes(
    connection: Connection,
    filters: Filters,
    levels: WikiLevels,
    *,
    now: float,
    grades: Sequence[int] = GRADES,
    least: int = 0,
) -> list[Change]:
    """Return a page of the changes of some grades with a rank of at least `least`, in order.

    `now` is the time from which `filters.days` counts, in Unix seconds.
    """
    sources = sources_of(connection, filters, levels, now=now, grades=grades, least=least)
    page: list[Change] = []
    for since in enough_since(connection, sources, filters, now=now):
        page = _since(connection, sources, filters, levels, max(since, least), now=now)
        if len(page) >= filters.limit or since <= least:
            break
    return page


def sparse_without_tags(
    connection: Connection, filters: Filters, levels: WikiLevels, *, now: float, number: int
) -> tuple[list[Change], int]:
    """Return a page of the changes without some tags, out of some `number` that the rest lets pass.

    And the time at which the look ended, 0 where it went through to the end.
    """
    sources = sources_of(connection, filters, levels, now=now)
    since = rank_of(connection, sources, filters, number, now=now)
    return _since(connection, sources, filters, levels, since, now=now), since


def _since(
    connection: Connection,
    sources: Sequence[Source],
    filters: Filters,
    levels: WikiLevels,
    least: int,
    *,
    now: float,
) -> list[Change]:
    """Return a page of the changes of some sources with a rank of at least `least`."""
    of_move: defaultdict[tuple[int, bool], list[Source]] = defaultdict(list)
    for source in sources:
        if source.rank >= least:
            of_move[source.moved, source.is_sure].append(source)
    server = connection.dialect.name
    table = by_time(server, of_wiki=bool(filters.wikis), of_facets=True)
    if len({moved for moved, _ in of_move}) == 1:
        moved = next(iter(of_move))[0]
        chosen = [source for some in of_move.values() for source in some]
        condition = matching(moved_by(filters, moved), levels, now=now, since=max(least - moved, 1))
        where = every((_of_sources(chosen, server), condition))
        # Not the plain time, which would tempt a server to walk through the index of all edits.
        order = f"ORDER BY timestamp + 0 DESC, rev_id DESC, wiki_id DESC LIMIT {filters.limit}"
        return read(connection, table, where, order)
    parts = []
    for (moved, is_sure), some in of_move.items():
        asked, since = moved_by(filters, moved), max(least - moved, 1)
        # Of a sure source the index alone tells which they are.
        condition = (
            in_time(asked, now=now, since=since)
            if is_sure
            else matching(asked, levels, now=now, since=since)
        )
        parts.append((moved, every((_of_sources(some, server), condition))))
    ranks = first_of(connection, table, parts, filters.limit)
    return changes_at(connection, ranks, filters, levels, now=now)


def moved_by(filters: Filters, moved: int) -> Filters:
    """Return the filters with the cursor as a time of edits that are moved so."""
    before, latest = filters.before, latest_of(filters, moved)
    if before is None or latest is None:
        return filters
    return replace(filters, before=Cursor(latest, before.rev_id, before.wiki_id))


def first_of(
    connection: Connection, table: str, conditions: Sequence[tuple[int, Sql]], limit: int
) -> list[Cursor]:
    """Return the first ranks of edits that meet one of some conditions, each moved by so much."""
    if not conditions:
        return []
    columns = "rev_id, wiki_id"
    parts = (
        Sql(f"SELECT timestamp + {moved}, {columns} FROM {table} WHERE {where.text}", where.values)  # noqa: S608
        for moved, where in conditions
    )
    every_part = joined(" UNION ALL ", parts)
    order = f" ORDER BY 1 DESC, 2 DESC, 3 DESC LIMIT {limit}"
    statement = Sql(every_part.text + order, every_part.values)
    return [Cursor(time, rev_id, wiki) for time, rev_id, wiki in rows(connection, statement)]


def changes_at(
    connection: Connection,
    ranks: Iterable[Cursor],
    filters: Filters,
    levels: WikiLevels,
    *,
    now: float,
) -> list[Change]:
    """Return the changes of some ranks in order, but for those that a writer changed meanwhile."""
    by_wiki: defaultdict[str, list[int]] = defaultdict(list)
    for place in ranks:
        by_wiki[place.wiki_id].append(place.rev_id)
    if not by_wiki:
        return []
    anytime = replace(filters, before=None, days=None, since=None)
    # Not a list of pairs, for which SQLite would look at all rows.
    where = every((_in_pairs("rev_id", by_wiki), matching(anytime, levels, now=now)))
    found = read(connection, by_key(connection.dialect.name), where)
    return sorted(found, key=lambda change: rank(filters.order, change), reverse=True)


def _of_sources(sources: Sequence[Source], server: str) -> Sql:
    """Return the condition on an edit to be of some sources."""
    by_wiki: defaultdict[str, list[int]] = defaultdict(list)
    for source in sources:
        by_wiki[source.wiki_id].append(source.facets)
    in_pairs = server in MARIADB and EVERY_WIKI not in by_wiki
    return _in_pairs("facets", by_wiki) if in_pairs else _in_lists(by_wiki)


def _in_pairs(column: str, by_wiki: Mapping[str, Sequence[int]]) -> Sql:
    """Return the condition on pairs of a wiki and a number with which none is looked up in vain."""
    return either(
        Sql(f"wiki_id = ? AND {column} IN ({','.join(map(str, numbers))})", (wiki_id,))
        for wiki_id, numbers in by_wiki.items()
    )


def _in_lists(by_wiki: Mapping[str, Sequence[int]]) -> Sql:
    """Return the condition that every server looks up by one index; none cares for other pairs."""
    numbers = sorted({number for some in by_wiki.values() for number in some})
    facets = Sql(f"facets IN ({','.join(map(str, numbers))})")
    wikis = sorted({*by_wiki} - {EVERY_WIKI})
    return every((one_of("wiki_id", wikis), facets)) if wikis else facets
