"""A page in an order by risk, in bounded time.

The grades whose edits may come first are looked at first, and often are enough.
"""

from collections.abc import Sequence

from sqlalchemy import Connection

from revision_quality.recent_changes.asked import Asked
from revision_quality.recent_changes.cursor import Cursor
from revision_quality.recent_changes.depths import Place, times_behind
from revision_quality.recent_changes.ranking import GRADES, HIGH, LATEST, shift
from revision_quality.recent_changes.sparse import sparse_changes
from revision_quality.recent_changes.tagged import tagged_by_rank
from revision_quality.recent_changes.windows import changes_in_windows, tagged_in_windows
from revision_quality.views.change import Change

_FIRST = 3
"""Grades looked at first where the grade decides."""

_FEW = 500
"""Edits of each looked at then for their tags."""


def queued_changes(connection: Connection, asked: Asked) -> tuple[list[Change], int]:
    """Return a page of changes in the order of its filters.

    A page by tags may be short: the rank at which the look for more ended is then told, else 0.
    """
    grades = _grades(asked)
    if not grades:
        return [], 0
    # Where the grade decides, one often fills a page.
    first = grades[-_FIRST:] if asked.filters.order == "riskiest" else grades
    if asked.filters.tags:
        return _by_tags(connection, asked, grades, first)
    found = changes_in_windows(connection, asked, first)
    return (_surely(connection, asked) if found is None else found), 0


def _by_tags(
    connection: Connection, asked: Asked, grades: Sequence[int], first: Sequence[int]
) -> tuple[list[Change], int]:
    if not asked.filters.invert_tags:
        page = tagged_by_rank(connection, asked)
        if page is not None:
            return page, 0
    if first is not grades:
        found = tagged_in_windows(connection, asked, first, at_most=_FEW)
        if len(found[0]) >= asked.limit:
            return found
    return tagged_in_windows(connection, asked, grades)


def _grades(asked: Asked) -> Sequence[int]:
    """Return the grades of which a page may have edits, the riskiest last."""
    if asked.filters.order == "mixed":
        return asked.grades
    return [grade for grade in _behind(asked.filters.before) if grade in asked.grades]


def _surely(connection: Connection, asked: Asked) -> list[Change]:
    order = asked.filters.order
    page: list[Change] = []
    for part in _parts(asked):
        grades, least = part, 0
        if len(page) == asked.limit:
            least = asked.rank(page[-1]).timestamp
            latest = _latest(connection, order)
            grades = [grade for grade in part if latest + asked.shift(grade) >= least]
        page += sparse_changes(connection, asked, grades=grades, least=least)
        page.sort(key=asked.rank, reverse=True)
        del page[asked.limit :]
    return page


def _parts(asked: Asked) -> tuple[Sequence[int], ...]:
    """Return the grades that may be on the page, those first that likely fill it."""
    before = asked.filters.before
    if asked.filters.order == "mixed":
        # Behind a cursor, every grade may have edits of the next rank; one wiki has few numbers.
        is_at_once = before or len(asked.filters.wikis) == 1
        return (GRADES,) if is_at_once else (GRADES[-HIGH:], GRADES[:-HIGH])
    grades = _behind(before)
    if asked.earliest:
        # One grade hardly fills a page from some days.
        return grades[-HIGH:], grades[:-HIGH]
    return grades[-1:], grades[-HIGH:-1], grades[:-HIGH]


def _behind(before: Cursor | None) -> list[int]:
    """Return the grades that come behind a cursor or are its own, the riskiest last."""
    return [grade for grade in GRADES if not before or before.timestamp >= shift("riskiest", grade)]


def _latest(connection: Connection, order: str) -> int:
    """Return a time that no edit is later than."""
    if order == "riskiest":
        return LATEST
    return max(times_behind(connection, [Place()], 0), default=0)
