"""A page in an order by risk, in bounded time.

The grades whose edits may come first are looked at first, and often are enough.
"""

from sqlalchemy import Connection, RowMapping, func, select

from revision_quality.recent_changes.filters import Filters
from revision_quality.recent_changes.ranking import GRADES, shift
from revision_quality.recent_changes.sparse import Ranked, ranked_changes
from revision_quality.recent_changes.wiki_levels import WikiLevels
from revision_quality.recent_changes.windows import ranked_in_windows
from revision_quality.views.tables import changes

_PARTS: tuple[range, ...] = (GRADES[-7:], GRADES[:-7])
"""Grades by the rank that their edits may have, the greatest first: scores from 0.8 on, others."""


def queued_changes(
    connection: Connection, filters: Filters, levels: WikiLevels, *, now: float, walk: int
) -> list[RowMapping]:
    """Return a page of changes in the order `filters.order`, at most `filters.limit` rows.

    `walk` is the number of edits to look at one by one before their facets are.
    """
    before, parts = filters.before, _PARTS
    if before and filters.order == "mixed":
        # Behind a cursor, every grade may have edits of the next rank.
        parts = (GRADES,)
        if len(filters.wikis) <= 1:
            page = ranked_in_windows(connection, filters, levels, before, now=now, walk=walk)
            if page is not None:
                return [row for _, row in page]
    newest = connection.execute(select(func.max(changes.c.timestamp))).scalar() or 0
    found: list[Ranked] = []
    for part in parts:
        least = found[-1][0].timestamp if len(found) == filters.limit else 0
        grades = [grade for grade in part if newest + shift(filters.order, grade) >= least]
        found += ranked_changes(connection, filters, levels, now=now, grades=grades, least=least)
        found.sort(key=lambda ranked: ranked[0], reverse=True)
        del found[filters.limit :]
    return [row for _, row in found]
