"""A further page in the mixed order, out of the edits around its cursor.

A grade has its edits of the next ranks in a window of time of its own, and most filters fill a page
from few edits of each window. So many may be looked at one by one.
"""

from collections import defaultdict

from sqlalchemy import Connection

from revision_quality.recent_changes.asked import Asked
from revision_quality.recent_changes.depths import Place, times_behind
from revision_quality.recent_changes.facet_predicate import is_of_grades
from revision_quality.recent_changes.index import by_time
from revision_quality.recent_changes.ranking import GRADES
from revision_quality.recent_changes.sparse import changes_at, first_of
from revision_quality.recent_changes.sql import every
from revision_quality.views.change import Change
from revision_quality.views.facets import EVERY_WIKI

EACH = 120
"""Edits of a window looked at one by one, where they are of all wikis or one."""

_AT_MOST = 1000


def changes_in_windows(
    connection: Connection, asked: Asked, *, each: int = EACH
) -> list[Change] | None:
    """Return a page of changes out of some edits of each window, None where they are too few."""
    grades: defaultdict[int, list[int]] = defaultdict(list)
    for grade in GRADES:
        grades[asked.shift(grade)].append(grade)
    wiki_id = EVERY_WIKI
    if len(asked.filters.wikis) == 1:
        (wiki_id,) = asked.filters.wikis
    each = round(min(each / max(asked.share, EACH / _AT_MOST), _AT_MOST))
    places = [Place(wiki_id, until=asked.latest(moved), moved=moved) for moved in grades]
    least = max(times_behind(connection, places, each), default=0)
    parts = []
    for moved, some in grades.items():
        # The index holds the facets, so that only edits that may match are looked up.
        of_facets = every((is_of_grades(some), asked.possible()))
        matching = asked.matching(least=least, moved=moved)
        parts.append((moved, every((of_facets, matching, *asked.in_wikis()))))
    table = by_time(connection.dialect.name, of_wiki=asked.are_wikis_apart)
    ranks = first_of(connection, table, parts, asked.limit)
    return None if len(ranks) < asked.limit else changes_at(connection, ranks, asked)
