"""Edits with one of some tags, looked up by an index that has the edits of each tag by time."""

from collections.abc import Iterator

from sqlalchemy import Connection

from revision_quality.recent_changes.asked import Asked
from revision_quality.recent_changes.filters import Filters
from revision_quality.recent_changes.index import by_time
from revision_quality.recent_changes.reading import read, sorted_page
from revision_quality.recent_changes.sql import Sql, every, joined, one_of, rows
from revision_quality.views.change import Change
from revision_quality.views.facets import EVERY_WIKI
from revision_quality.views.name_key import name_key

_MAX_KEYS = 20
"""Of wikis and tags, each by its own index; of more, the tags are looked up in all wikis."""


def tagged_since(connection: Connection, asked: Asked, number: int) -> int:
    """Return the time of the edit behind the newest `number` of the tags, 0 where there is none.

    Of several tags and wikis each gets its share of the number, but no less than a page.
    """
    keys = _keys(asked.filters)
    each = max(number // len(keys), asked.limit)
    of_each = (_nth(place, key, asked, each) for place, key in enumerate(keys))
    times = rows(connection, joined(" UNION ALL ", of_each))
    return max((time for (time,) in times), default=0)


def tagged_changes(connection: Connection, asked: Asked, *, since: int) -> list[Change]:
    """Return a page of the edits with one of the tags, newest first, none older than `since`.

    They are looked up in the index of all edits, whose facets tell which rows to read.
    """
    keys = _keys(asked.filters)
    of_tags = every((one_of("tag", keys), Sql(f"timestamp >= {since}"), *_not_after(asked)))
    # One tag has an edit once, and MariaDB would make a table of them.
    distinct = "DISTINCT " if len(keys) > 1 else ""
    edits = f"SELECT {distinct}timestamp AS t, rev_id AS r, wiki_id AS w FROM change_tags"  # noqa: S608
    table = by_time(connection.dialect.name)
    where = every((asked.possible(), asked.matching(least=since), *asked.in_wikis()))
    return read(
        connection,
        f"({edits} WHERE {of_tags.text}) AS k JOIN {table}"
        " ON timestamp = t AND rev_id = r AND wiki_id = w",
        Sql(where.text, of_tags.values + where.values),
        sorted_page(asked.limit),
    )


def _keys(filters: Filters) -> list[int]:
    few = len(filters.wikis) * len(filters.tags) <= _MAX_KEYS
    apart = sorted(filters.wikis) if filters.wikis and few else [EVERY_WIKI]
    return [name_key(wiki_id, tag) for wiki_id in apart for tag in sorted(filters.tags)]


def _nth(place: int, key: int, asked: Asked, number: int) -> Sql:
    where = every((Sql(f"tag = {key}"), *_not_after(asked)))
    found = f"SELECT timestamp FROM change_tags WHERE {where.text}"  # noqa: S608
    found += f" ORDER BY timestamp DESC LIMIT 1 OFFSET {number}"
    return Sql(f"SELECT timestamp FROM ({found}) AS p{place}", where.values)  # noqa: S608


def _not_after(asked: Asked) -> Iterator[Sql]:
    latest = asked.latest()
    if latest is not None:
        yield Sql(f"timestamp <= {latest}")
