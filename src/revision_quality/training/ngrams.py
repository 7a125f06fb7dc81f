"""Learning the weights of n-grams: logistic regression on hashed n-grams."""

from collections.abc import Sequence

import numpy as np
from scipy.optimize import minimize  # type: ignore[import-untyped]
from scipy.sparse import csr_array  # type: ignore[import-untyped]
from threadpoolctl import threadpool_limits

from revision_quality.models.features.ngrams import BUCKETS, Buckets
from revision_quality.models.ngram_weights import NgramWeights
from revision_quality.models.trees import Doubles
from revision_quality.training.metrics import Labels, Mask

_STRENGTH = 2.0
"""What an edit weighs against the square of the weights; 1 to 3 gave the same average precision on
wikis left out."""

_STEPS = 60


def to_matrix(edits: Sequence[Buckets]) -> csr_array:
    """Return one row an edit, of length 1, with a column for each bucket."""
    sizes = np.array([len(buckets) for buckets in edits], np.int64)
    ends = np.concatenate([[0], np.cumsum(sizes)])
    columns = np.concatenate([*edits, np.zeros(0, np.uint16)]).astype(np.int32)
    values = np.repeat(1 / np.sqrt(np.maximum(sizes, 1)), sizes).astype(np.float32)
    return csr_array((values, columns, ends), shape=(len(edits), BUCKETS))


def learn(ngrams: csr_array, labels: Labels, weights: Doubles) -> NgramWeights:
    """Fit the log odds of `labels` by a regularised logistic regression; deterministic.

    One thread adds up: the sums of several round otherwise. The bias is left out: how often edits
    are reverted is for the trees to say.
    """
    seen = np.unique(ngrams.indices)
    ngrams = ngrams[:, seen].astype(np.float64)
    turned = ngrams.T.tocsr()

    def loss(parameters: Doubles) -> tuple[float, Doubles]:
        learnt, bias = parameters[:-1], parameters[-1]
        odds = ngrams @ learnt + bias
        slope = _STRENGTH * weights * (np.exp(-np.logaddexp(0, -odds)) - labels)
        losses = _STRENGTH * weights @ (np.logaddexp(0, odds) - labels * odds)
        gradient = np.append(turned @ slope + learnt, slope.sum())
        return float(losses + learnt @ learnt / 2), gradient

    start = np.zeros(len(seen) + 1)
    with threadpool_limits(1):
        found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": _STEPS}).x
    learnt = np.zeros(BUCKETS, np.float32)
    learnt[seen] = found[:-1].astype(np.float16)
    return NgramWeights(learnt)


def log_odds(learnt: NgramWeights, ngrams: csr_array) -> Doubles:
    """Return by how much each row of `ngrams` moves the log odds."""
    return np.asarray(ngrams @ learnt.weights, np.float64)


def out_of_fold(
    ngrams: csr_array, labels: Labels, weights: Doubles, folds: Sequence[Mask]
) -> Doubles:
    """Return the log odds of each edit in a fold by weights learnt without that fold."""
    odds = np.zeros(len(labels))
    for held_out in folds:
        kept = ~held_out
        learnt = learn(ngrams[kept], labels[kept], weights[kept])
        odds[held_out] = log_odds(learnt, ngrams[held_out])
    return odds
