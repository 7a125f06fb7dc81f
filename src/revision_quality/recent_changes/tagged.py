"""Edits with one of some tags, looked up by an index that has the edits of each tag by time."""

from collections.abc import Iterator, Sequence

from sqlalchemy import ColumnElement, Connection, RowMapping, and_, select, union_all

from revision_quality.recent_changes.filters import Filters
from revision_quality.recent_changes.query import by_key, in_wikis, matching
from revision_quality.recent_changes.wiki_levels import WikiLevels
from revision_quality.views.facets import EVERY_WIKI
from revision_quality.views.name_key import name_key
from revision_quality.views.tables import change_tags, changes

_MAX_KEYS = 20
"""Of wikis and tags, each by its own index; of more, the tags are looked up in all wikis."""

_entry = change_tags.c


def tagged_since(connection: Connection, filters: Filters, number: int) -> int:
    """Return the time of the edit behind the newest `number` of the tags, 0 where there is none.

    Of several tags and wikis each gets its share of the number, but no less than a page.
    """
    keys = _keys(filters)
    each = max(number // len(keys), filters.limit)
    of_each = (
        select(_entry.timestamp)
        .where(_entry.tag == key, *_not_after(filters))
        .order_by(_entry.timestamp.desc())
        .limit(1)
        .offset(each)
        .subquery()
        for key in keys
    )
    times = union_all(*(select(nth.c.timestamp) for nth in of_each))
    return max(connection.execute(times).scalars(), default=0)


def tagged_changes(
    connection: Connection, filters: Filters, levels: WikiLevels, *, now: float, since: int
) -> Sequence[RowMapping]:
    """Return a page of the edits with one of the tags, newest first, none older than `since`."""
    of_tags = and_(_entry.tag.in_(_keys(filters)), _entry.timestamp >= since, *_not_after(filters))
    found = select(_entry.wiki_id, _entry.rev_id).where(of_tags).distinct().subquery()
    columns = changes.c
    same = and_(columns.wiki_id == found.c.wiki_id, columns.rev_id == found.c.rev_id)
    statement = (
        select(changes)
        .join_from(found, changes, same)
        .where(matching(filters, levels, now=now, since=since), *in_wikis(filters))
    )
    # Not the plain time, which would tempt a server to walk through the index of all edits.
    order = (columns.timestamp + 0, columns.rev_id, columns.wiki_id)
    statement = statement.order_by(*(column.desc() for column in order)).limit(filters.limit)
    return connection.execute(by_key(statement)).mappings().all()


def _keys(filters: Filters) -> list[int]:
    few = len(filters.wikis) * len(filters.tags) <= _MAX_KEYS
    apart = sorted(filters.wikis) if filters.wikis and few else [EVERY_WIKI]
    return [name_key(wiki_id, tag) for wiki_id in apart for tag in sorted(filters.tags)]


def _not_after(filters: Filters) -> Iterator[ColumnElement[bool]]:
    if filters.before is not None:
        yield _entry.timestamp <= filters.before.timestamp
