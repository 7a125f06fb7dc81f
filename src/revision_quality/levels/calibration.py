"""How often edits of each score get reverted on one wiki: its own calibration of the model.

The published score stays as it is; this is what it means here.
"""

import numpy as np

from revision_quality.levels.counts import Counts, Doubles, Label

LEAST_REVERTED = 100
"""Reverted edits from which on a wiki's own calibration is told (`benchmarks/levels.py`)."""


def isotonic(counts: Counts) -> Doubles:
    """Return P(reverted) of each bin by isotonic regression, never less for a greater score.

    Pool adjacent violators (Ayer et al. 1955), each bin by its edits; nan below the first and above
    the last bin with an edit of a clear label.
    """
    by_label = counts.mass.sum(0)
    weights = by_label[Label.REVERTED] + by_label[Label.KEPT]
    found = np.full(len(weights), np.nan)
    there = np.flatnonzero(weights > 0)
    if not len(there):
        return found
    blocks: list[tuple[float, float, int]] = []
    for place in there:
        block = (float(by_label[Label.REVERTED, place]), float(weights[place]), 1)
        while blocks and blocks[-1][0] * block[1] >= block[0] * blocks[-1][1]:
            last = blocks.pop()
            block = (last[0] + block[0], last[1] + block[1], last[2] + block[2])
        blocks.append(block)
    shares = [so / weight for so, weight, _ in blocks]
    found[there] = np.repeat(shares, [length for *_, length in blocks])
    inside = np.arange(there[0], there[-1] + 1)
    found[inside] = np.interp(inside, there, found[there])
    return found
