"""What a text says of its edit, by weights that were learnt for the n-grams of such texts."""

from typing import NamedTuple

import numpy as np

from revision_quality.models.features.ngrams import Buckets
from revision_quality.models.trees import Floats


class NgramWeights(NamedTuple):
    """A linear model over the buckets of `models.features.ngrams`: no list of words.

    `weights` has one entry a bucket. An edit's buckets count alike, together with the length 1, so
    that a long text does not outweigh a short one.
    """

    weights: Floats

    def log_odds(self, buckets: Buckets) -> float:
        """Return by how much these n-grams move the log odds of a revert, 0 for none."""
        if not len(buckets):
            return 0.0
        total = float(self.weights.take(buckets).sum(dtype=np.float64))
        return total / float(np.sqrt(len(buckets)))
