"""Filters to rows: a statement for the view, and the same as a test of one change."""

from collections import defaultdict
from collections.abc import Iterator

from msgspec.structs import replace
from sqlalchemy import Connection

from revision_quality.recent_changes.cursor import Cursor
from revision_quality.recent_changes.filters import Filters
from revision_quality.recent_changes.index import by_time
from revision_quality.recent_changes.predicate import (
    Compare,
    Either,
    Every,
    OneOf,
    Predicate,
    Tagged,
    holds,
    to_sql,
)
from revision_quality.recent_changes.ranking import shift
from revision_quality.recent_changes.sql import Sql, every, one_of, rows
from revision_quality.recent_changes.wiki_levels import Band, WikiLevels, band
from revision_quality.views.change import Change, UserLevel
from revision_quality.views.change_rows import change_of, columns_sql
from revision_quality.views.facets import grade_of

_DAY = 86400

MAX_WIKIS_APART = 20
"""So many wikis are read each by its own index; of more, the walk through the edits of all wikis
finds enough soon."""

_VISIBLE = Compare("deleted", "=", False)


def walked_changes(
    connection: Connection, filters: Filters, levels: WikiLevels, *, now: float, since: int = 0
) -> list[Change]:
    """Return a page of changes, newest first, at most `filters.limit`.

    `now` is the time from which `filters.days` counts, `since` the time of the oldest row to look
    at, both in Unix seconds. It walks from the newest to the oldest: of few among many it would
    take long without `since` (`newest`).
    """
    apart = 0 < len(filters.wikis) <= MAX_WIKIS_APART
    table = by_time(connection.dialect.name, of_wiki=apart)
    # Of one wiki, MariaDB takes its index for the order only if the wiki is not in it.
    last = "" if len(filters.wikis) == 1 else ", wiki_id DESC"
    where = every((matching(filters, levels, now=now, since=since), *in_wikis(filters)))
    order = f"ORDER BY timestamp DESC, rev_id DESC{last} LIMIT {filters.limit}"
    return read(connection, table, where, order)


def read(connection: Connection, table: str, where: Sql, order: str = "") -> list[Change]:
    """Return the changes of a table, or of a join, that meet a condition."""
    columns = columns_sql(connection.dialect)
    text = f"SELECT {columns} FROM {table} WHERE {where.text} {order}"  # noqa: S608
    return list(map(change_of, rows(connection, Sql(text, where.values))))


def in_wikis(filters: Filters) -> Iterator[Sql]:
    """Yield the condition on the wiki of `changes`, none where all are asked for.

    Of many it is one that no index serves, so that the time's is used.
    """
    wikis = tuple(sorted(filters.wikis))
    if wikis:
        yield one_of("wiki_id" if len(wikis) <= MAX_WIKIS_APART else "coalesce(wiki_id, '')", wikis)


def matching(filters: Filters, levels: WikiLevels, *, now: float, since: int = 0) -> Sql:
    """Return the condition on `changes`, but for the wiki, of edits not older than `since`."""
    return to_sql(Every((_VISIBLE, *_groups(filters, levels, now, since))))


def in_time(filters: Filters, *, now: float, since: int = 0) -> Sql:
    """Return the condition on the time of edits and their place behind the cursor alone."""
    return every(map(to_sql, _times(filters, now, since)))


def matches(change: Change, filters: Filters, levels: WikiLevels, *, now: float) -> bool:
    """Return whether a change is among the rows of a walk with no limit."""
    before = filters.before
    if before is not None and filters.is_queue:
        time = before.timestamp - shift(filters.order, grade_of(change.score))
        filters = replace(filters, before=Cursor(time, before.rev_id, before.wiki_id))
    return holds(predicate_of(filters, levels, now=now), change)


def predicate_of(filters: Filters, levels: WikiLevels, *, now: float) -> Predicate:
    """Return the condition that a change must meet; deleted ones never do."""
    return Every((_VISIBLE, *_wikis(filters), *_groups(filters, levels, now)))


def earliest_of(filters: Filters, now: float, since: int = 0) -> int:
    """Return the time of the oldest edit asked for, not older than `since`; 0 where all are."""
    earliest = 0 if filters.days is None else int(now - filters.days * _DAY)
    return max(earliest, filters.since or 0, since)


def possible_in(filters: Filters, levels: WikiLevels) -> Predicate:
    """Return the condition on the facets without which no change matches.

    It is on single wikis where `filters` names some, else on all of them together.
    """
    return Every((*_wikis(filters), *_levels(filters, levels, Either), *_facets(filters)))


def sure_in(filters: Filters, levels: WikiLevels) -> Predicate:
    """Return the condition on the facets with which every change of the time asked for matches."""
    return Every((*_wikis(filters), *_levels(filters, levels, Every), *_facets(filters)))


def _groups(
    filters: Filters, levels: WikiLevels, now: float, since: int = 0
) -> Iterator[Predicate]:
    if filters.levels:
        yield _at_levels(filters.levels, levels)
    yield from _facets(filters)
    if filters.tags:
        yield Tagged(tuple(sorted(filters.tags)), filters.invert_tags)
    yield from _times(filters, now, since)


def _wikis(filters: Filters) -> Iterator[Predicate]:
    if filters.wikis:
        yield OneOf("wiki_id", tuple(sorted(filters.wikis)))


def _levels(
    filters: Filters, levels: WikiLevels, joined: type[Every] | type[Either]
) -> Iterator[Predicate]:
    """Yield the condition on the score, that of each wiki or, of all wikis, theirs `joined`."""
    if not filters.levels:
        return
    if filters.wikis:
        yield _at_levels(filters.levels, levels)
        return
    bands = {band(own, filters.levels) for own in (levels.default, *levels.by_wiki.values())}
    yield joined(tuple(map(_in_band, bands)))


def _facets(filters: Filters) -> Iterator[Predicate]:
    if filters.states:
        yield OneOf("state", tuple(sorted(filters.states)))
    if filters.namespaces:
        yield OneOf("namespace", tuple(sorted(filters.namespaces)), negated=filters.invert)
    if filters.users:
        yield _by_users(filters.users)
    yield from _not_hidden(filters)


def _times(filters: Filters, now: float, since: int = 0) -> Iterator[Predicate]:
    earliest = earliest_of(filters, now, since)
    # One bound, because SQLite uses the first of two for the index.
    if earliest > 0:
        yield Compare("timestamp", ">=", earliest)
    if filters.before is not None:
        yield _before(filters.before)


def _not_hidden(filters: Filters) -> Iterator[Predicate]:
    for column, hide_true, hide_false in (
        ("is_bot", filters.hide_bots, filters.hide_humans),
        ("is_minor", filters.hide_minor, filters.hide_major),
        ("is_reverted", filters.hide_reverted, filters.hide_unreverted),
    ):
        if hide_true or hide_false:
            yield Compare(column, "=", hide_false)
    if filters.hide_new_pages or filters.hide_page_edits:
        yield OneOf("kind", ("create",), negated=filters.hide_new_pages)


def _by_users(users: frozenset[str]) -> Predicate:
    if UserLevel.REGISTERED.value in users:
        return OneOf("user_level", (UserLevel.UNREGISTERED.value,), negated=True)
    return OneOf("user_level", tuple(sorted(users)))


def _at_levels(names: frozenset[str], levels: WikiLevels) -> Predicate:
    """Return the condition on the score, which differs between wikis with levels of their own."""
    wikis_of: dict[Band, list[str]] = defaultdict(list)
    for wiki_id, own in levels.by_wiki.items():
        wikis_of[band(own, names)].append(wiki_id)
    parts = [
        Every((OneOf("wiki_id", tuple(sorted(wikis))), _in_band(scores)))
        for scores, wikis in wikis_of.items()
    ]
    default = _in_band(band(levels.default, names))
    others = OneOf("wiki_id", tuple(sorted(levels.by_wiki)), negated=True)
    return Either((*parts, Every((others, default)))) if parts else default


def _in_band(scores: Band) -> Predicate:
    parts: list[Predicate] = []
    if scores.below is not None:
        parts.append(Compare("score", "<", scores.below))
    if scores.above is not None:
        parts.append(Compare("score", ">=", scores.above))
    return Either(tuple(parts))


def _before(cursor: Cursor) -> Predicate:
    """Return the keyset condition.

    Spelled out, because not every server uses an index for a comparison of row values; the first
    part alone bounds the walk through the index.
    """
    same_time = Compare("timestamp", "=", cursor.timestamp)
    return Every(
        (
            Compare("timestamp", "<=", cursor.timestamp),
            Either(
                (
                    Compare("timestamp", "<", cursor.timestamp),
                    Every((same_time, Compare("rev_id", "<", cursor.rev_id))),
                    Every(
                        (
                            same_time,
                            Compare("rev_id", "=", cursor.rev_id),
                            Compare("wiki_id", "<", cursor.wiki_id),
                        )
                    ),
                )
            ),
        )
    )
