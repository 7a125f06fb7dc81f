"""Filters to conditions on a change, or on its facets."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from revision_quality.recent_changes.cursor import Cursor
from revision_quality.recent_changes.filters import EXPERIENCES, Filters
from revision_quality.recent_changes.parameters import NAMESPACE_KINDS, Namespace
from revision_quality.recent_changes.predicate import (
    Compare,
    Either,
    Every,
    Odd,
    OneOf,
    Predicate,
    Tagged,
    holds,
)
from revision_quality.recent_changes.ranking import GRADES, shift
from revision_quality.recent_changes.wiki_levels import Band, WikiLevels, band
from revision_quality.views.change import Change, UserLevel
from revision_quality.views.facets import grade_of, grades_below, grades_from

_DAY = 86400

_VISIBLE = Compare("deleted", "=", False)


def matches(change: Change, filters: Filters, levels: WikiLevels, *, now: float) -> bool:
    """Return whether a change is on a page of these filters if that had no end."""
    before = filters.before
    if before is not None and filters.is_queue:
        before = before.earlier(shift(filters.order, grade_of(change.score)))
    in_time = within(earliest_of(filters, now), before)
    return holds(Every((*_wikis(filters), visible(filters, levels), in_time)), change)


def visible(filters: Filters, levels: WikiLevels) -> Predicate:
    """Return the condition on a change, but for its wiki and time; deleted ones never meet it."""
    parts: list[Predicate] = [_VISIBLE, *_facets(filters)]
    if filters.levels:
        parts.append(_at_levels(filters.levels, levels))
    if filters.tags:
        parts.append(Tagged(tuple(sorted(filters.tags)), filters.invert_tags))
    return Every(tuple(parts))


def within(earliest: int, before: Cursor | None) -> Predicate:
    """Return the condition on the time, one bound for each end: SQLite uses the first of two."""
    bounds: list[Predicate] = [Compare("timestamp", ">=", earliest)] if earliest > 0 else []
    return Every((*bounds, _before(before)) if before else tuple(bounds))


def earliest_of(filters: Filters, now: float) -> int:
    """Return the time of the oldest edit asked for, 0 where all are."""
    earliest = 0 if filters.days is None else int(now - filters.days * _DAY)
    return max(earliest, filters.since or 0)


def possible_in(filters: Filters, levels: WikiLevels) -> Predicate:
    """Return the condition on the facets without which no change matches.

    It is on single wikis where `filters` names some, else on all of them together.
    """
    return Every((*_wikis(filters), possible_of(filters, levels)))


def possible_of(filters: Filters, levels: WikiLevels) -> Predicate:
    """Return the same without the condition on the wiki itself."""
    return Every((*_levels(filters, levels, Either), *_facets(filters)))


def sure_in(filters: Filters, levels: WikiLevels) -> Predicate:
    """Return the condition on the facets with which every change of the time asked for matches."""
    return Every((*_wikis(filters), sure_of(filters, levels)))


def sure_of(filters: Filters, levels: WikiLevels) -> Predicate:
    """Return the same without the condition on the wiki itself."""
    return Every((*_levels(filters, levels, Every), *_facets(filters)))


def grades_in(filters: Filters, levels: WikiLevels) -> Sequence[int]:
    """Return the grades of the score in which a change may match."""
    if not filters.levels:
        return GRADES
    bands = _bands(filters, levels)
    below = (grades_below(one.below, surely=False) for one in bands if one.below is not None)
    above = (grades_from(one.above, surely=False) for one in bands if one.above is not None)
    return sorted({grade for some in (*below, *above) for grade in some})


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
    yield joined(tuple(map(_in_band, _bands(filters, levels))))


def _bands(filters: Filters, levels: WikiLevels) -> set[Band]:
    """Return the scores asked for, of each wiki."""
    return {band(own, filters.levels) for own in (levels.default, *levels.by_wiki.values())}


def _facets(filters: Filters) -> Iterator[Predicate]:
    if filters.states:
        yield OneOf("state", tuple(sorted(filters.states)))
    if filters.namespaces:
        yield _in_namespaces(filters.namespaces, negated=filters.invert)
    if filters.users:
        yield _by_users(filters.users)
    yield from _not_hidden(filters)


def _in_namespaces(namespaces: frozenset[Namespace], *, negated: bool) -> Predicate:
    numbers = tuple(sorted(one for one in namespaces if isinstance(one, int)))
    parts: list[Predicate] = [OneOf("namespace", numbers, negated)] if numbers else []
    for kind, is_even in zip(NAMESPACE_KINDS, (True, False), strict=True):
        if kind in namespaces:
            parts.append(Odd("namespace", negated=is_even is not negated))
    return (Every if negated else Either)(tuple(parts))


def _not_hidden(filters: Filters) -> Iterator[Predicate]:
    for column, hide_true, hide_false in (
        ("is_bot", filters.hide_bots, filters.hide_humans),
        ("is_minor", filters.hide_minor, filters.hide_major),
        ("is_reverted", filters.hide_reverted, filters.hide_unreverted),
    ):
        if hide_true or hide_false:
            yield Compare(column, "=", hide_false)
    if filters.hide_new_pages:
        yield OneOf("kind", ("create",), negated=True)
    if filters.hide_page_edits:
        yield OneOf("kind", ("create",))


def _by_users(users: frozenset[str]) -> Predicate:
    if users >= EXPERIENCES or UserLevel.REGISTERED.value in users:
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
