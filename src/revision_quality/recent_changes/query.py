"""Filters to rows: a statement for the view, and the same as a test of one change."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace
from sqlalchemy import ColumnElement, Select, select

from revision_quality.recent_changes.cursor import Cursor
from revision_quality.recent_changes.filters import Filters
from revision_quality.recent_changes.predicate import (
    Compare,
    Either,
    Every,
    OneOf,
    Predicate,
    Tagged,
    holds,
    one_of,
    to_sql,
)
from revision_quality.recent_changes.ranking import shift
from revision_quality.recent_changes.wiki_levels import Band, WikiLevels, band
from revision_quality.views.change import Change, UserLevel
from revision_quality.views.facets import grade_of
from revision_quality.views.tables import changes

_DAY = 86400

MAX_WIKIS_APART = 20
"""So many wikis are read each by its own index; of more, the walk through the edits of all wikis
finds enough soon."""

_VISIBLE = Compare("deleted", "=", False)


def select_changes(
    filters: Filters, levels: WikiLevels, *, now: float, since: int = 0
) -> Select[tuple[object]]:
    """Return the statement for a page of changes, newest first, at most `filters.limit` rows.

    `now` is the time from which `filters.days` counts, `since` the time of the oldest row to look
    at, both in Unix seconds. It walks from the newest to the oldest: of few among many it would
    take long without `since` (`newest`).
    """
    condition = matching(filters, levels, now=now, since=since)
    statement = select(changes).where(condition, *in_wikis(filters))
    apart = 0 < len(filters.wikis) <= MAX_WIKIS_APART
    statement = by_index(statement, "changes_wiki_time" if apart else "changes_time")
    order = (changes.c.timestamp.desc(), changes.c.rev_id.desc(), changes.c.wiki_id.desc())
    return statement.order_by(*order).limit(filters.limit)


def in_wikis(filters: Filters) -> Iterator[ColumnElement[bool]]:
    """Yield the condition on the wiki of `changes`, none where all are asked for."""
    wikis = tuple(sorted(filters.wikis))
    if len(wikis) > MAX_WIKIS_APART:
        yield _without_index(changes.c.wiki_id).in_(wikis)
    elif wikis:
        yield one_of(changes.c.wiki_id, wikis, negated=False)


def by_index(statement: Select[tuple[object]], index: str) -> Select[tuple[object]]:
    """Tell MariaDB which index to use: it guesses by how common a value is on the whole."""
    for server in ("mysql", "mariadb"):
        statement = statement.with_hint(changes, f"FORCE INDEX ({index})", server)
    return statement


def by_key(statement: Select[Any]) -> Select[Any]:
    """Tell MariaDB and SQLite to look up the rows by wiki and revision, whatever else is asked."""
    index = "sqlite_autoindex_changes_1"
    return by_index(statement, "PRIMARY").with_hint(changes, f"INDEXED BY {index}", "sqlite")


def matching(
    filters: Filters, levels: WikiLevels, *, now: float, since: int = 0
) -> ColumnElement[bool]:
    """Return the condition on `changes`, but for the wiki, of edits not older than `since`."""
    return to_sql(Every((_VISIBLE, *_groups(filters, levels, now, since))))


def matches(change: Change, filters: Filters, levels: WikiLevels, *, now: float) -> bool:
    """Return whether a change is among the rows of `select_changes` with no limit."""
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


def _without_index(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return the column as an expression that no index serves, so that the time's index is used."""
    return column.concat("")


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
