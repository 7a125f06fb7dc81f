"""Boosted trees laid out to be asked about many rows at once."""

from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

from revision_quality.models.trees import Doubles, Floats, Trees

_BLOCK = 64
_HALF = np.uint64(32)


class Forest(NamedTuple):
    """Trees whose nodes share their questions: far fewer than nodes, each asked once of a row.

    Question i is whether a row's `feature[i]` is at least `threshold[i]`. `question` is each
    node's, the other fields are those of Trees; values are in double precision, as they are summed.
    """

    feature: npt.NDArray[np.intp]
    threshold: Floats
    question: npt.NDArray[np.intp]
    left: npt.NDArray[np.intp]
    value: Doubles
    roots: npt.NDArray[np.intp]
    depth: int
    base: float

    @classmethod
    def of(cls, trees: Trees) -> Self:
        """Lay out `trees`."""
        asked = trees.feature.astype(np.uint64) << _HALF | trees.threshold.view(np.uint32)
        questions, question = np.unique(asked, return_inverse=True)
        return cls(
            feature=(questions >> _HALF).astype(np.intp),
            threshold=questions.astype(np.uint32).view(np.float32),
            question=question.astype(np.intp),
            left=trees.left.astype(np.intp),
            value=trees.value.astype(np.float64),
            roots=trees.roots.astype(np.intp),
            depth=trees.depth,
            base=trees.base,
        )

    def margins(self, rows: Floats) -> Doubles:
        """Return what `Trees.margin` gives for each row of a matrix, to the last bit."""
        blocks = range(0, len(rows), _BLOCK)
        return np.concatenate([self._sums(rows[start : start + _BLOCK]) for start in blocks])

    def _sums(self, rows: Floats) -> Doubles:
        yes = (rows.take(self.feature, axis=1) >= self.threshold).ravel()
        own = (np.arange(len(rows)) * len(self.feature))[:, None]
        node = self.roots + np.zeros_like(own)
        for _ in range(self.depth):
            asked = self.question.take(node)
            asked += own
            node = self.left.take(node)
            node += yes.take(asked)
        sums: Doubles = self.value.take(node).sum(axis=1)
        return sums + self.base
