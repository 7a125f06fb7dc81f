"""Boosted trees evaluated with numpy alone: data that can run no code."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]


class Trees(NamedTuple):
    """An ensemble as flat arrays, one entry a node, tree after tree.

    A node sends a row to `left` where the row's `feature` is below `threshold`, else to the node
    after `left`. A leaf points to itself: its `threshold` is infinite and its `value` is added to
    the sum. `cover` is the training weight that passed the node. `roots` holds each tree's first
    node, `depth` the longest way from a root to a leaf, `base` the sum before the first tree.
    """

    feature: npt.NDArray[np.integer[Any]]
    threshold: Floats
    left: npt.NDArray[np.integer[Any]]
    value: Floats
    cover: Floats
    roots: npt.NDArray[np.integer[Any]]
    depth: int
    base: float

    def leaves(self, row: Floats) -> npt.NDArray[np.integer[Any]]:
        """Return the leaf of each tree in which one row of features ends."""
        node = self.roots
        for _ in range(self.depth):
            goes_right = row.take(self.feature.take(node)) >= self.threshold.take(node)
            node = self.left.take(node) + goes_right
        return node

    def margin(self, row: Floats) -> float:
        """Return the sum of the leaves for one row: the log odds before calibration."""
        return self.base + float(self.value.take(self.leaves(row)).sum(dtype=np.float64))

    def margins(self, rows: Floats) -> Doubles:
        """Return the sum of the leaves for each row of a matrix, in blocks that stay in cache."""
        sums = np.empty(len(rows), np.float64)
        block = 256
        for start in range(0, len(rows), block):
            part = rows[start : start + block]
            own_row = np.arange(len(part))[:, None]
            node = np.broadcast_to(self.roots, (len(part), len(self.roots)))
            for _ in range(self.depth):
                value = part[own_row, self.feature.take(node)]
                node = self.left.take(node) + (value >= self.threshold.take(node))
            sums[start : start + block] = self.value.take(node).sum(axis=1, dtype=np.float64)
        return sums + self.base
