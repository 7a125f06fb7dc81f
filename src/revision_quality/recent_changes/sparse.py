"""Edits that are few among many, or in an order by risk, looked up under their numbers of facets.

The sources of a page (`sources`) tell from what rank on there are enough rows; from there on, the
index of each grade's facets is read by time. Its cost grows with the numbers and the rows of a
page, not with the edits.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Connection

from revision_quality.recent_changes.asked import Asked
from revision_quality.recent_changes.cursor import Cursor
from revision_quality.recent_changes.index import by_key, by_time
from revision_quality.recent_changes.ranking import GRADES
from revision_quality.recent_changes.reading import read, sorted_page
from revision_quality.recent_changes.sources import Source, enough_since, rank_of, sources_of
from revision_quality.recent_changes.sql import Sql, either, every, joined, one_of, rows
from revision_quality.views.change import Change
from revision_quality.views.facets import EVERY_WIKI
from revision_quality.views.servers import MARIADB


def sparse_changes(
    connection: Connection, asked: Asked, *, grades: Sequence[int] = GRADES, least: int = 0
) -> list[Change]:
    """Return a page of the changes of some grades with a rank of at least `least`, in order."""
    sources = sources_of(connection, asked, grades=grades, least=least)
    page: list[Change] = []
    for since in enough_since(connection, asked, sources):
        page = _page_of(connection, asked, sources, max(since, least))
        if len(page) >= asked.limit or since <= least:
            break
    return page


def sparse_without_tags(
    connection: Connection, asked: Asked, *, number: int
) -> tuple[list[Change], int]:
    """Return a page of the changes without some tags, out of those that the other filters let
    through, looked at as far as some `number` likely have none of them.

    And the time at which the look ended, 0 where it went through to the end.
    """
    sources = sources_of(connection, asked)
    since = rank_of(connection, asked, sources, number)
    return _page_of(connection, asked, sources, since), since


def _page_of(
    connection: Connection, asked: Asked, sources: Iterable[Source], least: int
) -> list[Change]:
    """Return a page of the changes of some sources with a rank of at least `least`."""
    by_move: defaultdict[int, list[Source]] = defaultdict(list)
    for source in sources:
        if source.rank >= least:
            by_move[source.moved].append(source)
    server = connection.dialect.name
    table = by_time(server, of_wiki=bool(asked.filters.wikis), of_facets=True)
    if len(by_move) == 1:
        ((moved, some),) = by_move.items()
        where = every((_of_sources(some, server), asked.matching(least=least, moved=moved)))
        return read(connection, table, where, sorted_page(asked.limit))
    parts = []
    for moved, some in by_move.items():
        for is_sure in (True, False):
            chosen = [source for source in some if source.is_sure is is_sure]
            # Of a sure source the index alone tells which edits match.
            condition = asked.in_time if is_sure else asked.matching
            if chosen:
                matching = condition(least=least, moved=moved)
                parts.append((moved, every((_of_sources(chosen, server), matching))))
    return changes_at(connection, first_of(connection, table, parts, asked.limit), asked)


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


def changes_at(connection: Connection, ranks: Iterable[Cursor], asked: Asked) -> list[Change]:
    """Return the changes of some ranks in order, but for those that a writer changed meanwhile."""
    by_wiki: defaultdict[str, list[int]] = defaultdict(list)
    for place in ranks:
        by_wiki[place.wiki_id].append(place.rev_id)
    if not by_wiki:
        return []
    # Not a list of pairs, for which SQLite would look at all rows.
    where = every((_in_pairs("rev_id", by_wiki), asked.of_any_time().matching()))
    found = read(connection, by_key(connection.dialect.name), where)
    return sorted(found, key=asked.rank, reverse=True)


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
