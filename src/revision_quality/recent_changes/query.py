"""Filters to rows: a statement for the view, and the same as a test of one change."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, Select, select, union_all
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from revision_quality.recent_changes.cursor import Cursor
from revision_quality.recent_changes.filters import Filters
from revision_quality.recent_changes.predicate import (
    Compare,
    Either,
    Every,
    OneOf,
    Predicate,
    holds,
    to_sql,
)
from revision_quality.recent_changes.wiki_levels import Band, WikiLevels, band
from revision_quality.views.change import Change, UserLevel
from revision_quality.views.tables import changes

_DAY = 86400

_MAX_WIKIS_APART = 20
"""So many wikis are read each by its own index and merged; of more, the walk through the edits of
all wikis finds enough soon, and the statement stays small."""

_VISIBLE = Compare("deleted", "=", False)


def select_changes(filters: Filters, levels: WikiLevels, *, now: float) -> Select[tuple[object]]:
    """Return the statement for a page of changes, newest first, at most `filters.limit` rows.

    `now` is the time from which `filters.days` counts, in Unix seconds.
    """

    groups = to_sql(Every((_VISIBLE, *_groups(filters, levels, now))))

    def page(*conditions: ColumnElement[bool]) -> Select[tuple[object]]:
        return _newest(select(changes).where(groups, *conditions), changes.c, filters.limit)

    wikis = sorted(filters.wikis)
    wiki_id = changes.c.wiki_id
    if not wikis:
        return page()
    if len(wikis) == 1:
        return page(wiki_id == wikis[0])
    if len(wikis) > _MAX_WIKIS_APART:
        return page(_without_index(wiki_id).in_(wikis))
    apart = union_all(*(select(page(wiki_id == wiki).subquery()) for wiki in wikis)).subquery()
    return _newest(select(apart), apart.c, filters.limit)


def matches(change: Change, filters: Filters, levels: WikiLevels, *, now: float) -> bool:
    """Return whether a change is among the rows of `select_changes` with no limit."""
    return holds(predicate_of(filters, levels, now=now), change)


def predicate_of(filters: Filters, levels: WikiLevels, *, now: float) -> Predicate:
    """Return the condition that a change must meet; deleted ones never do."""
    wikis = (OneOf("wiki_id", tuple(sorted(filters.wikis))),) if filters.wikis else ()
    return Every((_VISIBLE, *wikis, *_groups(filters, levels, now)))


def _newest(
    statement: Select[tuple[object]], columns: ReadOnlyColumnCollection[str, Any], limit: int
) -> Select[tuple[object]]:
    order = (columns.timestamp.desc(), columns.rev_id.desc(), columns.wiki_id.desc())
    return statement.order_by(*order).limit(limit)


def _without_index(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return the column as an expression that no index serves, so that the time's index is used."""
    return column.concat("")


def _groups(filters: Filters, levels: WikiLevels, now: float) -> Iterator[Predicate]:
    if filters.levels:
        yield _at_levels(filters.levels, levels)
    if filters.states:
        yield OneOf("state", tuple(sorted(filters.states)))
    if filters.namespaces:
        yield OneOf("namespace", tuple(sorted(filters.namespaces)), negated=filters.invert)
    if filters.users:
        yield _by_users(filters.users)
    yield from _not_hidden(filters)
    if filters.days is not None:
        yield Compare("timestamp", ">=", int(now - filters.days * _DAY))
    if filters.before is not None:
        yield _before(filters.before)


def _not_hidden(filters: Filters) -> Iterator[Predicate]:
    for column, hide_true, hide_false in (
        ("is_bot", filters.hide_bots, filters.hide_humans),
        ("is_minor", filters.hide_minor, filters.hide_major),
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
