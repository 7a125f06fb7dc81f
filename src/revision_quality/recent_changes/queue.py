"""A page in an order by risk, in bounded time.

The grades whose edits may come first are looked at first, and often are enough.
"""

from sqlalchemy import Connection

from revision_quality.recent_changes.depths import Place, newest_times
from revision_quality.recent_changes.filters import Filters
from revision_quality.recent_changes.ranking import GRADES, rank, shift
from revision_quality.recent_changes.sparse import sparse_changes
from revision_quality.recent_changes.wiki_levels import WikiLevels
from revision_quality.recent_changes.windows import changes_in_windows
from revision_quality.views.change import Change

_FIRST, _OTHERS = GRADES[-7:], GRADES[:-7]
"""Grades by the rank that their edits may have: scores from 0.8 on, others."""


def queued_changes(
    connection: Connection, filters: Filters, levels: WikiLevels, *, now: float
) -> list[Change]:
    """Return a page of changes in the order `filters.order`, at most `filters.limit` rows.

    `now` is the time from which `filters.days` counts, in Unix seconds.
    """
    if filters.before and filters.order == "mixed":
        page = changes_in_windows(connection, filters, levels, now=now)
        if page is not None:
            return page
        # Every grade may have edits of the next rank.
        return sparse_changes(connection, filters, levels, now=now)
    page = sparse_changes(connection, filters, levels, now=now, grades=_FIRST)
    least, others = 0, list(_OTHERS)
    if len(page) >= filters.limit:
        least = rank(filters.order, page[-1]).timestamp
        newest = max(newest_times(connection, [Place()], 1), default=0)
        others = [grade for grade in others if newest + shift(filters.order, grade) >= least]
    page += sparse_changes(connection, filters, levels, now=now, grades=others, least=least)
    page.sort(key=lambda change: rank(filters.order, change), reverse=True)
    return page[: filters.limit]
