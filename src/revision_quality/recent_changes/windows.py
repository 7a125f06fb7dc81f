"""A further page in the mixed order, out of the edits around its cursor.

A grade has its edits of the next ranks in a window of time of its own, and most filters fill a page
from few edits of each window. So many may be looked at one by one.
"""

from collections import defaultdict

from sqlalchemy import Connection, literal_column, select

from revision_quality.recent_changes.cursor import Cursor
from revision_quality.recent_changes.depths import Place, times_behind
from revision_quality.recent_changes.filters import Filters
from revision_quality.recent_changes.index import name_of
from revision_quality.recent_changes.query import by_index, in_wikis, matching
from revision_quality.recent_changes.ranking import GRADES, shift
from revision_quality.recent_changes.sparse import Ranked, first_of, moved_by, rows_of
from revision_quality.recent_changes.wiki_levels import WikiLevels
from revision_quality.views.facets import EVERY_WIKI, GRADE
from revision_quality.views.tables import changes

_columns = changes.c


def ranked_in_windows(
    connection: Connection,
    filters: Filters,
    levels: WikiLevels,
    before: Cursor,
    *,
    now: float,
    walk: int,
) -> list[Ranked] | None:
    """Return a page of changes out of `walk` edits, None where they are too few for one."""
    grades: defaultdict[int, list[int]] = defaultdict(list)
    for number in GRADES:
        grades[shift(filters.order, number)].append(number)
    wiki_id = min(filters.wikis, default=EVERY_WIKI)
    places = [Place(wiki_id, until=before.timestamp - m, moved=m) for m in grades]
    ends = times_behind(connection, places, walk // len(places))
    least = max(ends, default=0)
    # PostgreSQL shifts by no more than an INTEGER, and a parameter is a BIGINT.
    grade = _columns.facets.bitwise_rshift(literal_column(str(GRADE.shift))).bitwise_and(GRADE.mask)
    pages = {}
    for moved, some in grades.items():
        condition = matching(moved_by(filters, moved), levels, now=now, since=max(least - moved, 1))
        keys = select(_columns.timestamp, _columns.rev_id, _columns.wiki_id)
        keys = keys.where(condition, grade.in_(some), *in_wikis(filters))
        pages[moved] = by_index(keys, name_of(bool(wiki_id), of_facets=False))
    found = first_of(connection, pages, filters.limit)
    if len(found) < filters.limit:
        return None
    return rows_of(connection, found, filters, levels, now=now)
