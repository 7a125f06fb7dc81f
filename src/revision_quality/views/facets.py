"""A change's facets in one number: what Recent Changes filters by, for an index to hold.

The number is, from its highest bits: the namespace, is_reverted (1 bit), the grade of the score
(4), the state (2), the user level (3), is_bot, is_minor and whether the page is new (1 each).
Edits of one number differ in nothing that a filter asks but the wiki, the time and the exact score.
"""

from bisect import bisect_left, bisect_right

from msgspec import Struct

from revision_quality.views.change import Change, State, UserLevel

STATES = (State.PENDING, State.FAILED, State.NOT_SCORABLE, State.SCORED)
USER_LEVELS = (
    UserLevel.UNREGISTERED,
    UserLevel.NEWCOMER,
    UserLevel.LEARNER,
    UserLevel.EXPERIENCED,
    UserLevel.REGISTERED,
)
"""Their places are in every database: add at the end, up to 8."""

EDGES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999)
"""Where a grade of the score begins, the first at 0: finer where the few are that are asked for."""

NO_GRADE = 0
"""The grade of an edit without score; those of scores are 1 to 15."""

EVERY_WIKI = ""
"""In the place of a wiki_id, which is never empty: any of them."""


class Field(Struct, frozen=True):
    """The place of one facet in the number: `facets >> shift & mask`; no mask for the highest."""

    shift: int
    mask: int | None


IS_NEW, IS_MINOR, IS_BOT = Field(0, 1), Field(1, 1), Field(2, 1)
USER_LEVEL, STATE, GRADE = Field(3, 7), Field(6, 3), Field(8, 15)
IS_REVERTED = Field(12, 1)
NAMESPACE = Field(13, None)

_STATE_BITS = {state: place << STATE.shift for place, state in enumerate(STATES)}
_LEVEL_BITS = {level: place << USER_LEVEL.shift for place, level in enumerate(USER_LEVELS)}


def facets_of(change: Change) -> int | None:
    """Return the number of a change, None of a deleted one, which no filter finds."""
    if change.deleted:
        return None
    return (
        change.namespace << NAMESPACE.shift
        | change.is_reverted << IS_REVERTED.shift
        | grade_of(change.score) << GRADE.shift
        | _STATE_BITS[change.state]
        | _LEVEL_BITS[change.user_level]
        | change.is_bot << IS_BOT.shift
        | change.is_minor << IS_MINOR.shift
        | change.is_new_page
    )


def grade_of(score: float | None) -> int:
    """Return the grade of a score: `EDGES[grade - 2] <= score < EDGES[grade - 1]`."""
    return NO_GRADE if score is None else bisect_right(EDGES, score) + 1


def grades_from(score: float, *, surely: bool) -> range:
    """Return the grades in which scores >= `score` may be, or (`surely`) in which all are so."""
    first = bisect_left(EDGES, score) + 2 if surely and score > 0 else grade_of(score)
    return range(first, len(EDGES) + 2)


def grades_below(score: float, *, surely: bool) -> range:
    """Return the grades in which scores < `score` may be, or (`surely`) in which all are so."""
    return range(1, (bisect_right if surely else bisect_left)(EDGES, score) + (1 if surely else 2))
