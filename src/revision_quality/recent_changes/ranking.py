"""The orders of a page: newest first, riskiest first, or both mixed.

Every order is one by a *rank*, in seconds: the time of the edit, moved by its grade of risk
(`views.facets`). So edits of one grade are always in the order of time, and an index of the facets
by time serves each order.

- newest: the rank is the time.
- mixed: an edit loses half of its weight every 6 hours; its weight is the lower edge of its grade.
  `log2(weight) * 6 h + time` is in the same order at any moment: an edit with a risk of 0.8 stands
  beside one of 0.4 that is 6 hours newer.
- riskiest: the grade decides, of one grade the time.
"""

import math
from collections.abc import Mapping
from types import MappingProxyType

from revision_quality.recent_changes.cursor import Cursor
from revision_quality.views.change import Change
from revision_quality.views.facets import EDGES, NO_GRADE, grade_of

HALF_LIFE_SECONDS = 6 * 3600
LEAST_WEIGHT = 0.05
"""Of the lowest grade, whose edge is 0, and of edits without a score."""

LATEST = 10**10 - 1
"""No edit is later: it is the year 2286. So, in the riskiest order, one of a higher grade is always
before one of a lower."""

GRADES = range(NO_GRADE, len(EDGES) + 2)

HIGH = 7
"""Grades of the greatest risk, from 0.8 on, whose edits may come first in any order."""

_WEIGHTS = (LEAST_WEIGHT, LEAST_WEIGHT, *EDGES)
_SHIFTS: Mapping[str, tuple[int, ...]] = MappingProxyType(
    {
        "newest": tuple(0 for _ in GRADES),
        "mixed": tuple(round(math.log2(weight) * HALF_LIFE_SECONDS) for weight in _WEIGHTS),
        "riskiest": tuple(grade * (LATEST + 1) for grade in GRADES),
    }
)
ORDERS = tuple(_SHIFTS)


def shift(order: str, grade: int) -> int:
    """Return by how many seconds a grade is moved in an order."""
    return _SHIFTS[order][grade]


def rank(order: str, change: Change) -> Cursor:
    """Return the place of a change in an order; the greatest comes first."""
    time = change.timestamp + shift(order, grade_of(change.score))
    return Cursor(time, change.rev_id, change.wiki_id)
