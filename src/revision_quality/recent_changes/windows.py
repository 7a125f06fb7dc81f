"""A page in an order by risk, out of the edits around its cursor.

A grade has its edits of the next ranks in a window of time of its own, and most filters fill a page
from few edits of each window. The index of all edits tells which of them to look up.
"""

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import Connection

from revision_quality.recent_changes.asked import Asked
from revision_quality.recent_changes.cursor import Cursor
from revision_quality.recent_changes.depths import Place, times_behind
from revision_quality.recent_changes.facet_predicate import is_of_grades
from revision_quality.recent_changes.index import by_time
from revision_quality.recent_changes.sparse import changes_at, first_of
from revision_quality.recent_changes.sql import every
from revision_quality.views.change import Change
from revision_quality.views.facets import EVERY_WIKI

EACH = 120
"""Edits of a window looked at in the index, of which most filters fill a page."""

_AT_MOST = 20_000
"""Of all windows: they take 8 ms in MariaDB (`benchmarks/recent_changes.py`)."""

_OF_WIKIS = 0.75
"""Times that, where some of the edits are left out for their wiki: few filters name more."""

_NEARBY = 3600
"""Seconds between windows that are taken to have as many edits."""

_AMPLY = 1.5


def changes_in_windows(
    connection: Connection, asked: Asked, grades: Sequence[int], *, each: int = EACH
) -> list[Change] | None:
    """Return a page of changes of some grades out of the edits in their windows.

    It is None where they are too few: likely, or all that there are.
    """
    moves = sorted({asked.shift(grade) for grade in grades})
    # In the index of one wiki are no facets: its edits are looked at one by one.
    at_most = each if len(asked.filters.wikis) == 1 else _AT_MOST // len(moves)
    if asked.share * at_most < asked.limit:
        return None
    if asked.share < 1:
        each = min(round(_OF_WIKIS * each / asked.share), at_most)
    for _ in range(2):
        least = _least(connection, asked, moves, each)
        ranks = _ranks_since(connection, asked, grades, least)
        if len(ranks) >= asked.limit:
            return changes_at(connection, ranks, asked)
        likely = round(each * asked.limit / max(len(ranks), 1))
        if not least or each == at_most or likely > at_most:
            break
        each = min(round(_AMPLY * likely), at_most)
    return None


def _least(connection: Connection, asked: Asked, moves: Sequence[int], each: int) -> int:
    """Return the least rank of which windows likely have no more than `each` edits.

    0 where no window has more.
    """
    wiki_id = EVERY_WIKI
    if len(asked.filters.wikis) == 1:
        (wiki_id,) = asked.filters.wikis
    counted: list[int] = []
    for moved in moves:
        if not counted or moved >= counted[-1] + _NEARBY:
            counted.append(moved)
    places = [Place(wiki_id, until=asked.latest(moved), moved=moved) for moved in counted]
    return max(times_behind(connection, places, each), default=0)


def _ranks_since(
    connection: Connection, asked: Asked, grades: Sequence[int], least: int
) -> list[Cursor]:
    by_move: defaultdict[int, list[int]] = defaultdict(list)
    for grade in grades:
        by_move[asked.shift(grade)].append(grade)
    parts = []
    for moved, some in by_move.items():
        of_facets = every((is_of_grades(some), asked.possible()))
        matching = asked.matching(least=least, moved=moved)
        parts.append((moved, every((of_facets, matching, *asked.in_wikis()))))
    table = by_time(connection.dialect.name, of_wiki=asked.are_wikis_apart)
    return first_of(connection, table, parts, asked.limit)
