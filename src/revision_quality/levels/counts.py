"""Labelled edits counted by score, label and kind of editor: all that curves are made of."""

from bisect import bisect_right
from collections.abc import Iterable
from enum import IntEnum
from functools import reduce

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from revision_quality.views.change import UserLevel

Doubles = npt.NDArray[np.float64]

BINS = 1000
EDGES: Doubles = np.arange(BINS) / BINS
"""The lowest score of each bin; the only thresholds there are, told exactly by three digits."""

_EDGES: list[float] = EDGES.tolist()


class Label(IntEnum):
    """What became of an edit; UNCLEAR ones count as edits, and neither as reverted nor as kept."""

    KEPT = 0
    REVERTED = 1
    UNCLEAR = 2


KINDS = (
    "anonymous",
    "temporary",
    UserLevel.NEWCOMER.value,
    UserLevel.LEARNER.value,
    UserLevel.EXPERIENCED.value,
    UserLevel.REGISTERED.value,
)
"""Kinds of editors; `registered` is an account whose edit count or age is not known."""


def editor_kind(level: str, *, is_temp: bool) -> str:
    """Return the kind of an editor of a user level (`views.user_level`)."""
    if level != UserLevel.UNREGISTERED:
        return level
    return "temporary" if is_temp else "anonymous"


def bins_of(scores: npt.ArrayLike) -> npt.NDArray[np.intp]:
    """Return the bin of each score, 0 to 1: `score >= EDGES[k]` holds just where its bin >= k."""
    found: npt.NDArray[np.intp] = np.searchsorted(EDGES, scores, side="right") - 1
    return found


def bin_of(score: float) -> int:
    """Return the bin of one score."""
    return bisect_right(_EDGES, score) - 1


class Counts(Struct, frozen=True):
    """Edits of one wiki, model version and period by kind, label and bin.

    `mass` is the sum of the edits' weights and `squares` that of their squares, both of shape
    (len(KINDS), len(Label), BINS); the weight of an edit is 1 where all edits are counted and more
    where it stands for others. `days` is how long the period is.
    """

    mass: Doubles
    squares: Doubles
    days: float

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(self.mass + other.mass, self.squares + other.squares, self.days + other.days)

    def scaled(self, factor: float) -> "Counts":
        """Return the same edits, each weighing `factor` times as much."""
        return Counts(self.mass * factor, self.squares * factor**2, self.days)

    def of_kind(self, kind: str) -> "Counts":
        """Return the edits of one kind of editor, the other kinds being empty."""
        mask = (np.array(KINDS) == kind)[:, None, None]
        return Counts(self.mass * mask, self.squares * mask, self.days)

    def number(self, *labels: Label) -> int:
        """Return how many edits with one of `labels` there were, as far as weights tell."""
        mass = self.mass[:, labels].sum((0, 2))
        squares = self.squares[:, labels].sum((0, 2))
        edits = np.divide(mass**2, squares, out=np.zeros_like(mass), where=squares > 0)
        return round(float(edits.sum()))


def no_edits(days: float = 0.0) -> Counts:
    """Return the counts of a period without edits."""
    shape = (len(KINDS), len(Label), BINS)
    return Counts(np.zeros(shape), np.zeros(shape), days)


def total(periods: Iterable[Counts]) -> Counts:
    """Return the counts of several periods together."""
    return reduce(Counts.__add__, periods, no_edits())


def count(
    scores: npt.ArrayLike,
    labels: npt.ArrayLike,
    kinds: npt.ArrayLike,
    weights: npt.ArrayLike = 1.0,
    *,
    days: float = 1.0,
) -> Counts:
    """Count edits: scores 0 to 1, `Label` numbers, places in KINDS, weights."""
    places = (np.asarray(kinds, np.intp), np.asarray(labels, np.intp), bins_of(scores))
    counted = no_edits(days)
    np.add.at(counted.mass, places, weights)
    np.add.at(counted.squares, places, np.square(weights))
    return counted
