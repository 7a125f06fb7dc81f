"""Figures of a scorer on labelled edits, at the natural rate."""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from revision_quality.models.trees import Doubles

Labels = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

BINS = 10
RECALL = 0.75
RATIOS = (
    "average_precision",
    "recall_at_fpr_001",
    "recall_at_fpr_0001",
    "disparate_impact",
)
"""Figures of which scorers differ by so much that one is compared with another as a ratio."""


class Curve(Struct, frozen=True):
    """What flagging from each distinct score on does, strictest first.

    `flagged`, `recall`, `precision` and `false_positive_rate` belong to flagging where the score
    is at least `thresholds[i]`; weights are counted, not edits.
    """

    thresholds: Doubles
    flagged: Doubles
    recall: Doubles
    precision: Doubles
    false_positive_rate: Doubles

    def at_recall(self, recall: float) -> int:
        """Return the index of the strictest threshold with at least this recall."""
        return int(np.searchsorted(self.recall, recall - 1e-12))


def curve(scores: Doubles, labels: Labels, weights: Doubles) -> Curve:
    """Compute the curve; ties are flagged together. Needs both classes."""
    order = np.argsort(-scores, kind="stable")
    scores, caught = scores[order], np.cumsum((weights * labels)[order])
    flagged = np.cumsum(weights[order])
    last = np.append(scores[1:] != scores[:-1], True)
    scores, caught, flagged = scores[last], caught[last], flagged[last]
    wrong = flagged - caught
    return Curve(
        scores,
        flagged / flagged[-1],
        caught / caught[-1],
        caught / np.maximum(flagged, 1e-300),
        wrong / wrong[-1],
    )


def roc_auc(points: Curve) -> float:
    """Area under the ROC curve by trapezia: ties count half."""
    recall, rate = np.append(0, points.recall), np.append(0, points.false_positive_rate)
    return float(np.trapezoid(recall, rate))


def average_precision(points: Curve) -> float:
    """Mean precision over the steps of recall, without interpolation."""
    return float(np.diff(points.recall, prepend=0) @ points.precision)


def precision_at_recall(points: Curve, recall: float = RECALL) -> float:
    """Precision at the strictest threshold that reaches `recall`."""
    return float(points.precision[points.at_recall(recall)])


def recall_at_false_positive_rate(points: Curve, rate: float) -> float:
    """Highest recall of a threshold whose false positive rate is at most `rate`; 0 if none is."""
    within = np.flatnonzero(points.false_positive_rate <= rate)
    return float(points.recall[within[-1]]) if len(within) else 0.0


def brier(scores: Doubles, labels: Labels, weights: Doubles) -> float:
    """Mean squared difference of score and label."""
    return float(np.average((scores - labels) ** 2, weights=weights))


class Bin(Struct, frozen=True):
    """Edits of similar score: their mean score, the share reverted, their share of all edits."""

    score: float
    reverted: float
    share: float


def reliability(
    scores: Doubles, labels: Labels, weights: Doubles, bins: int = BINS
) -> tuple[Bin, ...]:
    """Compare scores with what happened, in `bins` of equal width; empty ones are left out."""
    place = np.clip((scores * bins).astype(int), 0, bins - 1)
    total = np.bincount(place, weights, bins)
    mean = np.bincount(place, weights * scores, bins) / np.maximum(total, 1e-300)
    rate = np.bincount(place, weights * labels, bins) / np.maximum(total, 1e-300)
    return tuple(
        Bin(float(mean[i]), float(rate[i]), float(total[i] / total.sum()))
        for i in range(bins)
        if total[i] > 0
    )


def calibration_error(bins: tuple[Bin, ...]) -> float:
    """Expected calibration error: mean distance of score and rate over the bins."""
    return sum(each.share * abs(each.score - each.reverted) for each in bins)


def disparate_impact(scores: Doubles, weights: Doubles, anonymous: Mask, threshold: float) -> float:
    """Flag rate of anonymous editors over that of registered ones; infinite where that is 0."""
    flagged = weights * (scores >= threshold)
    rates = [flagged[of].sum() / weights[of].sum() for of in (anonymous, ~anonymous)]
    return float(rates[0] / rates[1]) if rates[1] > 0 else float("inf")


class Figure(Struct, frozen=True):
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float


class Figures(Struct, frozen=True, kw_only=True):
    """How well a scorer does on some edits.

    All at the natural rate. `disparate_impact` is taken at recall 0.75 and None where only one
    kind of editor is among the edits or no registered editor is flagged.
    """

    edits: int
    reverted: int
    rate: float
    roc_auc: Figure
    average_precision: Figure
    precision_at_recall_075: Figure
    recall_at_fpr_001: Figure
    recall_at_fpr_0001: Figure
    brier: Figure
    calibration_error: Figure
    disparate_impact: Figure | None


_Measured = dict[str, float]


def _measure(scores: Doubles, labels: Labels, weights: Doubles, anonymous: Mask) -> _Measured:
    points = curve(scores, labels, weights)
    figures = {
        "roc_auc": roc_auc(points),
        "average_precision": average_precision(points),
        "precision_at_recall_075": precision_at_recall(points),
        "recall_at_fpr_001": recall_at_false_positive_rate(points, 0.01),
        "recall_at_fpr_0001": recall_at_false_positive_rate(points, 0.001),
        "brier": brier(scores, labels, weights),
        "calibration_error": calibration_error(reliability(scores, labels, weights)),
    }
    if weights[anonymous].sum() > 0 and weights[~anonymous].sum() > 0:
        threshold = float(points.thresholds[points.at_recall(RECALL)])
        ratio = disparate_impact(scores, weights, anonymous, threshold)
        if np.isfinite(ratio):
            figures["disparate_impact"] = ratio
    return figures


def _draws(labels: Labels, weights: Doubles, resamples: int, seed: int) -> Iterator[Doubles]:
    """Return the weights of edits drawn with replacement (bootstrap), where both classes are."""
    random = np.random.default_rng(seed)
    even = np.full(len(labels), 1 / len(labels))
    for _ in range(resamples):
        draw = weights * random.multinomial(len(labels), even)
        if len(np.unique(labels[draw > 0])) == 2:
            yield draw


def _figure(value: float, drawn: Sequence[float]) -> Figure:
    return Figure(value, *map(float, np.percentile(drawn or [value], [2.5, 97.5])))


def measure(
    scores: Doubles,
    labels: Labels,
    weights: Doubles,
    anonymous: Mask,
    *,
    resamples: int = 200,
    seed: int = 1,
) -> Figures | None:
    """Measure a scorer; None where an edit of either class is missing.

    Intervals are the 2.5 and 97.5 percentiles over `resamples` draws of the edits with
    replacement (bootstrap); they do not tell how the wikis themselves vary.
    """
    if len(np.unique(labels[weights > 0])) < 2:
        return None
    value = _measure(scores, labels, weights, anonymous)
    drawn: dict[str, list[float]] = {name: [] for name in value}
    for draw in _draws(labels, weights, resamples, seed):
        for name, figure in _measure(scores, labels, draw, anonymous).items():
            drawn.setdefault(name, []).append(figure)
    figures = {name: _figure(each, drawn[name]) for name, each in value.items()}
    return Figures(
        edits=len(labels),
        reverted=int(labels.sum()),
        rate=float(np.average(labels, weights=weights)),
        **{"disparate_impact": None, **figures},  # type: ignore[arg-type]
    )


def ratios(
    scores: Doubles,
    others: Doubles,
    labels: Labels,
    weights: Doubles,
    anonymous: Mask,
    *,
    resamples: int = 200,
    seed: int = 1,
) -> dict[str, Figure]:
    """Measure how many times another scorer's figures one has; by the names in RATIOS.

    Both are measured on the same draws of the same edits, so that what makes a draw easy for both
    does not widen the interval. Left out is a figure that either has not or the other has at 0.
    """

    def measured(drawn_weights: Doubles) -> _Measured:
        ours, theirs = (
            _measure(each, labels, drawn_weights, anonymous) for each in (scores, others)
        )
        return {
            name: ours[name] / theirs[name]
            for name in RATIOS
            if name in ours and theirs.get(name, 0) > 0
        }

    drawn: dict[str, list[float]] = {name: [] for name in RATIOS}
    for draw in _draws(labels, weights, resamples, seed):
        for name, ratio in measured(draw).items():
            drawn[name].append(ratio)
    return {name: _figure(each, drawn[name]) for name, each in measured(weights).items()}
