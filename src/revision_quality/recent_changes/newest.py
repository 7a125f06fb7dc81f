"""The newest changes that a filter lets through, in bounded time however few they are.

First a walk from the newest on, of so many edits as may be looked at one by one: most filters fill
a page from them. Where one does not, its edits are few among many, and are looked up by their
facets (`sparse`). Edits of a tag are looked up by it (`tagged`).
"""

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection

from revision_quality.recent_changes.asked import Asked
from revision_quality.recent_changes.depths import Place, times_behind, times_behind_likely
from revision_quality.recent_changes.filters import Filters
from revision_quality.recent_changes.queue import queued_changes
from revision_quality.recent_changes.reading import walked_changes
from revision_quality.recent_changes.share import share_of
from revision_quality.recent_changes.shown_levels import as_of
from revision_quality.recent_changes.sparse import sparse_changes, sparse_without_tags
from revision_quality.recent_changes.tagged import at_most, tagged_changes, tagged_since
from revision_quality.recent_changes.wiki_levels import CurrentLevels, WikiLevels
from revision_quality.views.change import Change
from revision_quality.views.facets import EVERY_WIKI

WALK = 200
"""Edits looked at one by one, at first: most filters that many use fill a page from them."""

_FURTHEST, _FURTHEST_APART = 40, 16
"""Times the walk, where a page is likely to be full then: 2 to 6 ms
(`benchmarks/recent_changes.py`). Of wikis apart all edits are looked up, not those alone that may
match."""

_RISKY = 12
"""Times the walk, at first, where only risky edits match."""

_HALF, _FIFTH = 0.5, 0.2
"""Of all edits: where the wikis have fewer, the index tells which to look up; no walk finds a page
of risky edits."""

_AMPLY, _AMPLY_IN_ORDER = 1.5, 3
"""Times the edits that a page is likely to need; more of them where the walk ends with the page."""

_WITHOUT_TAG = 6
"""Times a page of edits that likely lack a tag."""

_FEW = 2
"""Times a page of edits of a tag, looked at first."""


class Found(Struct, frozen=True):
    """The rows of a page, newest first, at most `filters.limit`.

    A page by tags may be short: `end` is then the time, or in an order by risk the rank, at which
    the look for more ended and the next page begins, else 0.
    """

    rows: Sequence[Change]
    end: int = 0


def shown_changes(
    connection: Connection, filters: Filters, levels: CurrentLevels, *, now: float
) -> Found:
    """Return a page as `newest_changes`, by the levels of the model whose scores are in the rows.

    Not every server lets several statements see one moment: if another model was shown meanwhile,
    they are read again.
    """
    held = as_of(levels, connection)
    while True:
        found = newest_changes(connection, filters, held, now=now)
        before, held = held, as_of(levels, connection)
        if held is before:
            return found


def newest_changes(
    connection: Connection, filters: Filters, levels: WikiLevels, *, now: float, walk: int = WALK
) -> Found:
    """Return a page of changes.

    `now` is the time from which `filters.days` counts, in Unix seconds; `walk` the number of edits
    to look at before their facets are. Raises what the connection raises.
    """
    asked = Asked(filters, levels, now)
    if len(filters.wikis) > 1 or (filters.wikis and filters.is_queue):
        asked = replace(asked, share=share_of(connection, filters.wikis))
    if filters.is_queue:
        return Found(*queued_changes(connection, asked))
    if filters.tags and not filters.invert_tags:
        return _of_tags(connection, asked)
    if asked.is_risky and asked.share < _FIFTH and not filters.tags:
        return Found(sparse_changes(connection, asked))
    walked = _walked(connection, asked, walk)
    if walked.end <= asked.earliest or len(walked.rows) >= asked.limit:
        return Found(walked.rows)
    if filters.tags:
        return _without_tags(connection, asked, walked)
    return Found(sparse_changes(connection, asked))


def _walked(connection: Connection, asked: Asked, walk: int) -> Found:
    """Return a page out of the newest edits, short if they are too few, and where the walk ended.

    It goes on as far as what was found lets expect a page, if that is not too far.
    """
    furthest = walk * (_FURTHEST_APART if asked.are_wikis_apart else _FURTHEST)
    number, few = max(walk, asked.limit), False
    if not asked.are_wikis_apart and asked.share < _HALF:
        number, few = round(number / max(asked.share, 1 / _FURTHEST)), True
    elif not asked.filters.wikis and asked.is_risky:
        number, few = max(_RISKY * walk, asked.limit), True
    found = _walk(connection, asked, number, few=few)
    if not found.end or len(found.rows) >= asked.limit:
        return found
    likely = number * asked.limit / max(len(found.rows), 1)
    if _AMPLY * likely > furthest:
        return found
    amply = _AMPLY_IN_ORDER if asked.is_told_by_facets else _AMPLY
    return _walk(connection, asked, min(round(amply * likely), furthest), few=True)


def _walk(connection: Connection, asked: Asked, number: int, *, few: bool) -> Found:
    end = _end_of_walk(connection, asked, number, few=few)
    # Never unbounded, for SQLite to see what an index of one wiki's times is good for.
    return Found(walked_changes(connection, asked, since=max(end, 1), few=few), end)


def _of_tags(connection: Connection, asked: Asked) -> Found:
    """Look at few edits of the tags, of which most pages are full, before as many as may be."""
    for number in (_FEW * asked.limit, at_most(asked)):
        since = tagged_since(connection, asked, number)
        rows = tagged_changes(connection, asked, since=since)
        if not since or len(rows) >= asked.limit:
            return Found(rows)
    return Found(rows, since)


def _without_tags(connection: Connection, asked: Asked, walked: Found) -> Found:
    """Look at edits that the other filters let through, of which there are few where they are."""
    rows, end = sparse_without_tags(connection, asked, number=_WITHOUT_TAG * asked.limit)
    if len(rows) >= asked.limit:
        return Found(rows)
    return Found(rows, end) if end < walked.end else walked


def _end_of_walk(connection: Connection, asked: Asked, walk: int, *, few: bool) -> int:
    """Return the time at which the walk ends, 0 where it can go through to the end."""
    # Of the cursor's own second, some are not on the page.
    until = asked.latest()
    if few and not asked.are_wikis_apart:
        return max(times_behind_likely(connection, [Place(until=until)], walk), default=0)
    wikis = sorted(asked.filters.wikis) if asked.are_wikis_apart else [EVERY_WIKI]
    places = [Place(wiki_id, until=until) for wiki_id in wikis]
    return max(times_behind(connection, places, max(walk // len(wikis), asked.limit)), default=0)
