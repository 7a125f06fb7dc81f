"""What a text says of its edit, by weights that were learnt for the n-grams of such texts."""

from typing import NamedTuple

import numpy as np

from revision_quality.models.features.ngrams import Found
from revision_quality.models.trees import Doubles, Floats


class NgramWeights(NamedTuple):
    """A linear model over the buckets of `models.features.ngrams`: no list of words.

    `weights` has one entry a bucket. A text's buckets count alike, together with the length 1, so
    that a long text does not outweigh a short one.
    """

    weights: Floats

    def log_odds(self, found: Found) -> Doubles:
        """Return by how much each text's n-grams move the log odds of a revert, 0 for none.

        Weights as a model file has them, of 16 bits, are summed exactly: in what company a text
        comes does not show in its log odds.
        """
        weights = self.weights.take(found.buckets)
        number = len(found.numbers)
        if number == 1:
            return np.array([weights.sum(dtype=np.float64) / max(len(weights), 1) ** 0.5])
        totals = np.bincount(np.arange(number).repeat(found.numbers), weights, number)
        return totals / np.sqrt(np.maximum(found.numbers, 1))
