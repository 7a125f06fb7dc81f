"""What each feature contributed to a sum of trees: exact path-dependent Shapley values.

Lundberg et al., "Consistent Individualized Feature Attribution for Tree Ensembles" (2018): a
feature left out of a coalition sends a row down both branches, by the share of training weight
that took each. XGBoost's `pred_contribs` computes the same values.
"""

from functools import cache
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

from revision_quality.models.trees import Doubles, Floats, Trees

_NO_FEATURE = -1
_LEAST_SHARE = 1e-9
"""For a branch that no training weight took, which a file from elsewhere may hold."""


class _Step(NamedTuple):
    """The condition `low <= value < high` and the share of weight that meets it by chance."""

    low: float
    high: float
    share: float


class Paths(NamedTuple):
    """Each leaf's conditions, at most one a feature: arrays of leaves by conditions.

    Unused places hold a condition that is always met with share 1, which contributes nothing.
    """

    feature: npt.NDArray[np.int32]
    low: Floats
    high: Floats
    share: Doubles
    value: Doubles

    @classmethod
    def of(cls, trees: Trees) -> Self:
        """Collect the way to each leaf of each tree."""
        nodes = _nodes(trees)
        found: list[tuple[dict[int, _Step], float]] = []
        for root in trees.roots.tolist():
            waiting: list[tuple[int, dict[int, _Step]]] = [(root, {})]
            while waiting:
                node, steps = waiting.pop()
                if nodes[node].threshold == np.inf:
                    found.append((steps, nodes[node].value))
                else:
                    waiting.extend(_branches(nodes, node, steps))
        width = max(len(steps) for steps, _ in found) or 1
        size = (len(found), width)
        feature = np.full(size, _NO_FEATURE, np.int32)
        low = np.full(size, -np.inf, np.float32)
        high = np.full(size, np.inf, np.float32)
        share = np.ones(size)
        for leaf, (steps, _) in enumerate(found):
            for place, (index, step) in enumerate(steps.items()):
                feature[leaf, place] = index
                low[leaf, place], high[leaf, place], share[leaf, place] = step
        share = np.maximum(share, _LEAST_SHARE)
        return cls(feature, low, high, share, np.array([value for _, value in found]))

    @property
    def expected(self) -> float:
        """The sum of the trees where no feature is known."""
        return float(self.value @ self.share.prod(axis=1))

    def contributions(self, row: Floats) -> Doubles:
        """Return each feature's share of `margin(row)` less its expected value.

        They add up to that difference.
        """
        values = row.take(self.feature)
        met = ((self.low <= values) & (values < self.high)).astype(np.float64)
        gained = met - self.share
        parts = np.zeros_like(gained)
        for place, weight in zip(*_quadrature(self.share.shape[1]), strict=True):
            factors = self.share + place * gained
            parts += (weight * self.value * factors.prod(axis=1))[:, None] / factors
        sums = np.bincount(self.feature.ravel() + 1, (parts * gained).ravel(), len(row) + 1)
        return np.asarray(sums[1:], np.float64)


@cache
def _quadrature(players: int) -> tuple[list[float], list[float]]:
    """Return places in 0 to 1 and weights that integrate a polynomial of degree players - 1.

    A coalition of k among n players has the Shapley weight k! (n - k - 1)! / n!, which is the
    integral of t^k (1 - t)^(n - k - 1) over t from 0 to 1. The sum over all coalitions of the other
    players is then the integral of the product of their (1 - t) share + t met: a polynomial, for
    which Gauss and Legendre's rule is exact.
    """
    places, weights = np.polynomial.legendre.leggauss((players + 1) // 2)
    return ((places + 1) / 2).tolist(), (weights / 2).tolist()


class _Node(NamedTuple):
    feature: int
    threshold: float
    left: int
    value: float
    cover: float


def _nodes(trees: Trees) -> list[_Node]:
    """Return the nodes as plain numbers, which Python walks several times faster."""
    arrays = (trees.feature, trees.threshold, trees.left, trees.value, trees.cover)
    return [_Node(*node) for node in zip(*(each.tolist() for each in arrays), strict=True)]


def _branches(
    nodes: list[_Node], node: int, steps: dict[int, _Step]
) -> list[tuple[int, dict[int, _Step]]]:
    feature, threshold, left, _, _ = nodes[node]
    low, high, share = steps.get(feature, _Step(-np.inf, np.inf, 1.0))
    to_left = nodes[left].cover / (nodes[left].cover + nodes[left + 1].cover)
    below = _Step(low, min(high, threshold), share * to_left)
    above = _Step(max(low, threshold), high, share * (1 - to_left))
    return [(left, steps | {feature: below}), (left + 1, steps | {feature: above})]
