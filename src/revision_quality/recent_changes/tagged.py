"""Edits with one of some tags, looked up by an index that has the edits of each tag by time."""

from collections.abc import Iterator

from msgspec.structs import replace
from sqlalchemy import Connection

from revision_quality.recent_changes.asked import Asked
from revision_quality.recent_changes.cursor import Cursor
from revision_quality.recent_changes.facet_predicate import grade_in
from revision_quality.recent_changes.filters import Filters
from revision_quality.recent_changes.index import by_time
from revision_quality.recent_changes.ranking import GRADES
from revision_quality.recent_changes.reading import sorted_page
from revision_quality.recent_changes.sparse import changes_at
from revision_quality.recent_changes.sql import Sql, every, joined, one_of, rows
from revision_quality.views.change import Change
from revision_quality.views.facets import EVERY_WIKI
from revision_quality.views.name_key import name_key

_LOOKED_UP = 1000
"""Edits of a tag that are looked up one by one."""

_TOLD = 6000
"""The same where the facets beside the tag tell which of them match."""

_MAX_KEYS = 20
"""Of wikis and tags, each by its own index; of more, the tags are looked up in all wikis."""


def at_most(asked: Asked) -> int:
    """Return how many edits of the tags are looked at for a page."""
    return _TOLD if asked.is_told_but_for_tags else _LOOKED_UP


def tagged_since(connection: Connection, asked: Asked, number: int) -> int:
    """Return the time of the edit behind the newest `number` of the tags, 0 where there is none.

    Of several tags and wikis each gets its share of the number, but no less than a page.
    """
    return _since(connection, asked, number, asked.latest())


def tagged_changes(connection: Connection, asked: Asked, *, since: int) -> list[Change]:
    """Return a page of the edits with one of the tags, newest first, none older than `since`."""
    found = _matching(connection, asked, since, asked.latest())
    return _page(connection, asked, Sql(f"({found.text}) AS m", found.values))


def of_tags(filters: Filters) -> Iterator[Sql]:
    """Yield the condition on an edit in `changes` to have one of the tags, or none of them.

    Not as EXISTS, which MariaDB would begin with.
    """
    if filters.tags:
        keys = one_of("t.tag", [name_key(EVERY_WIKI, tag) for tag in sorted(filters.tags)])
        same = (f"t.{name} = changes.{name}" for name in ("timestamp", "rev_id", "wiki_id"))
        entry = f"SELECT 1 FROM change_tags AS t WHERE {keys.text} AND {' AND '.join(same)} LIMIT 1"  # noqa: S608
        yield Sql(f"({entry}) IS {'' if filters.invert_tags else 'NOT '}NULL", keys.values)


def tagged_by_rank(connection: Connection, asked: Asked) -> list[Change] | None:
    """Return a page in an order by risk, out of the newest edits of the tags that it may have.

    None where as many of them as are looked at for a page do not tell which come first.
    """
    before = asked.filters.before
    in_rank = replace(asked, filters=replace(asked.filters, before=None))
    shifts = list(map(asked.shift, asked.grades))
    is_mixed = asked.filters.order == "mixed"
    until = before.timestamp - min(shifts) if before and is_mixed else None
    since = _since(connection, in_rank, at_most(asked), until)
    is_all = since <= asked.earliest
    if not is_all and not is_mixed:
        return None
    # Of the edits before, none has a greater rank.
    least = 0 if is_all else since + max(shifts)
    if before and before.timestamp <= least:
        return None
    found = _matching(connection, in_rank, since, until)
    ranks = _ranked(asked, found, least)
    page = _page(connection, asked, ranks)
    return page if is_all or len(page) >= asked.limit else None


def _ranked(asked: Asked, found: Sql, least: int) -> Sql:
    """Return the ranks of edits from `least` to the cursor."""
    cases = " ".join(f"WHEN {grade} THEN {asked.shift(grade)}" for grade in GRADES)
    rank = f"timestamp + CASE {grade_in('facets')} {cases} END"
    text = f"SELECT {rank} AS timestamp, rev_id, wiki_id FROM ({found.text}) AS m"  # noqa: S608
    of_any_time = replace(asked, filters=replace(asked.filters, days=None, since=None))
    where = of_any_time.in_time(least=least)
    return Sql(f"({text}) AS r WHERE {where.text}", found.values + where.values)


def _page(connection: Connection, asked: Asked, ranks: Sql) -> list[Change]:
    """Return the changes of the first of some ranks, which a query has."""
    text = f"SELECT timestamp, rev_id, wiki_id FROM {ranks.text} {sorted_page(asked.limit)}"  # noqa: S608
    first = rows(connection, Sql(text, ranks.values))
    return changes_at(connection, (Cursor(*rank) for rank in first), asked)


def _matching(connection: Connection, asked: Asked, since: int, until: int | None) -> Sql:
    """Return the time, revision, wiki and facets of the edits that match, from a time on.

    And of those before another (`until`) or at it.
    """
    keys = _keys(asked.filters)
    with_tags = every((one_of("tag", keys), *_not_after(until)))
    # One tag has an edit once, and MariaDB would make a table of them.
    columns = f"{'DISTINCT ' if len(keys) > 1 else ''}timestamp, rev_id, wiki_id, facets"
    told = (asked.possible(), *asked.in_wikis())
    if asked.is_told_but_for_tags:
        where = every((with_tags, asked.in_time(least=since), *told))
        return Sql(f"SELECT {columns} FROM change_tags WHERE {where.text}", where.values)  # noqa: S608
    edits = "SELECT timestamp AS t, rev_id AS r, wiki_id AS w FROM change_tags"
    edits += f" WHERE {with_tags.text} AND timestamp >= {since}"
    where = every((*told, asked.matching()))
    return Sql(
        f"SELECT {columns} FROM ({edits}) AS k JOIN {by_time(connection.dialect.name)}"  # noqa: S608
        f" ON timestamp = t AND rev_id = r AND wiki_id = w WHERE {where.text}",
        with_tags.values + where.values,
    )


def _since(connection: Connection, asked: Asked, number: int, until: int | None) -> int:
    keys = _keys(asked.filters)
    each = max(number // len(keys), asked.limit)
    of_each = (_nth(place, key, each, until) for place, key in enumerate(keys))
    times = rows(connection, joined(" UNION ALL ", of_each))
    return max((time for (time,) in times), default=0)


def _keys(filters: Filters) -> list[int]:
    few = len(filters.wikis) * len(filters.tags) <= _MAX_KEYS
    apart = sorted(filters.wikis) if filters.wikis and few else [EVERY_WIKI]
    return [name_key(wiki_id, tag) for wiki_id in apart for tag in sorted(filters.tags)]


def _nth(place: int, key: int, number: int, until: int | None) -> Sql:
    where = every((Sql(f"tag = {key}"), *_not_after(until)))
    found = f"SELECT timestamp FROM change_tags WHERE {where.text}"  # noqa: S608
    found += f" ORDER BY timestamp DESC LIMIT 1 OFFSET {number}"
    return Sql(f"SELECT timestamp FROM ({found}) AS p{place}", where.values)  # noqa: S608


def _not_after(until: int | None) -> Iterator[Sql]:
    if until is not None:
        yield Sql(f"timestamp <= {until}")
