"""Two models on the same edits: how far they agree, what each would flag, and how rightly."""

from collections.abc import Sequence

import numpy as np
from msgspec import Struct

from revision_quality.levels.counts import EDGES, Label, count
from revision_quality.levels.curve import Curve
from revision_quality.levels.interval import wilson
from revision_quality.levels.level import Level

_GROUPS = 10
_LEAST_SHARE = 1e-4


class LevelShare(Struct, frozen=True, kw_only=True):
    """How many of the edits a level of each model holds for; None for one without that level."""

    level: str
    shown: float | None
    other: float | None
    both: float | None
    """Of the edits for which either holds, the share for which both do."""


class Point(Struct, frozen=True):
    """The share of edits that each model flags from a score on."""

    threshold: float
    shown: float
    other: float


class Comparison(Struct, frozen=True, kw_only=True):
    """What two models make of the same edits.

    `correlation` is Spearman's, of the ranks; `difference` the mean absolute difference of scores;
    `stability` the population stability index of their distributions.
    """

    edits: int
    correlation: float | None
    difference: float | None
    stability: float | None
    levels: tuple[LevelShare, ...] = ()
    curve: tuple[Point, ...] = ()


class CurvePoint(Struct, frozen=True):
    """What flagging from a score on does; shares are None where no edit tells."""

    threshold: float
    precision: float | None
    recall: float | None
    flag_rate: float | None


class LevelQuality(Struct, frozen=True, kw_only=True):
    """What a level does on the labelled edits, as in `levels.level.Level`.

    `low` and `high` are the 95 % interval (Wilson) of the precision: sampling error alone.
    """

    level: str
    threshold: float
    precision: float | None
    low: float | None
    high: float | None
    recall: float | None
    flag_rate: float | None


class RecallPoint(Struct, frozen=True):
    """The best precision of all thresholds that reach a recall, None where none does."""

    recall: float
    precision: float | None


class Quality(Struct, frozen=True, kw_only=True):
    """How well one model tells which of the labelled edits were reverted."""

    levels: tuple[LevelQuality, ...]
    at_recall: tuple[RecallPoint, ...]
    curve: tuple[CurvePoint, ...]


class Measured(Struct, frozen=True, kw_only=True):
    """Two models on the labelled edits that both have scored."""

    edits: int
    reverted: int
    shown: Quality
    other: Quality


RECALLS = (0.25, 0.5, 0.75, 0.9)
_THRESHOLDS = tuple(k / 20 for k in range(1, 20))
_STEP = 10
"""Every tenth threshold of the curve is told."""


def compare(
    shown: Sequence[float],
    other: Sequence[float],
    shown_levels: Sequence[Level],
    other_levels: Sequence[Level],
) -> Comparison:
    """Compare the scores of two models on the same edits, each by its own levels."""
    one, two = np.asarray(shown, float), np.asarray(other, float)
    if len(one) < 2:
        return Comparison(edits=len(one), correlation=None, difference=None, stability=None)
    return Comparison(
        edits=len(one),
        correlation=_correlation(one, two),
        difference=round(float(np.abs(one - two).mean()), 4),
        stability=_stability(one, two),
        levels=tuple(_level_shares(one, two, shown_levels, other_levels)),
        curve=tuple(
            Point(at, _rounded((one >= at).mean()), _rounded((two >= at).mean()))
            for at in _THRESHOLDS
        ),
    )


def measure(
    shown: Sequence[float],
    other: Sequence[float],
    labels: Sequence[int],
    shown_levels: Sequence[Level],
    other_levels: Sequence[Level],
) -> Measured:
    """Measure two models on the same labelled edits, each by its own levels."""
    told = np.asarray(labels, np.intp)
    return Measured(
        edits=len(told),
        reverted=int((told == Label.REVERTED).sum()),
        shown=_quality(np.asarray(shown, float), told, shown_levels),
        other=_quality(np.asarray(other, float), told, other_levels),
    )


def _quality(scores: np.ndarray, labels: np.ndarray, levels: Sequence[Level]) -> Quality:
    curve = Curve(count(scores, labels, np.zeros_like(labels)))
    return Quality(
        levels=tuple(_level_quality(scores, labels, level) for level in levels),
        at_recall=tuple(RecallPoint(recall, _best_precision(curve, recall)) for recall in RECALLS),
        curve=tuple(
            CurvePoint(
                float(EDGES[place]),
                _or_none(curve.precision[place]),
                _or_none(curve.recall[place]),
                _or_none(curve.flag_rate[place]),
            )
            for place in range(0, len(EDGES), _STEP)
        ),
    )


def _level_quality(scores: np.ndarray, labels: np.ndarray, level: Level) -> LevelQuality:
    held = _held(scores, level)
    right = labels == (Label.KEPT if level.name == "likelygood" else Label.REVERTED)
    clear = int((held & (labels != Label.UNCLEAR)).sum())
    precision = _part((held & right).sum(), clear)
    band = None if precision is None else wilson(precision, clear)
    return LevelQuality(
        level=level.name,
        threshold=level.threshold,
        precision=precision,
        low=None if band is None else _rounded(band.low),
        high=None if band is None else _rounded(band.high),
        recall=_part((held & right).sum(), right.sum()),
        flag_rate=_part(held.sum(), len(scores)),
    )


def _best_precision(curve: Curve, recall: float) -> float | None:
    reached = curve.precision[curve.recall >= recall]
    reached = reached[~np.isnan(reached)]
    return _rounded(reached.max()) if len(reached) else None


def _level_shares(
    one: np.ndarray, two: np.ndarray, mine: Sequence[Level], theirs: Sequence[Level]
) -> list[LevelShare]:
    here = {level.name: _held(one, level) for level in mine}
    there = {level.name: _held(two, level) for level in theirs}
    shares = []
    for name in dict.fromkeys([*here, *there]):
        held, other = here.get(name), there.get(name)
        both = None
        if held is not None and other is not None and (held | other).any():
            both = _rounded((held & other).sum() / (held | other).sum())
        shares.append(
            LevelShare(
                level=name,
                shown=None if held is None else _rounded(held.mean()),
                other=None if other is None else _rounded(other.mean()),
                both=both,
            )
        )
    return shares


def _held(scores: np.ndarray, level: Level) -> np.ndarray:
    is_good = level.name == "likelygood"
    return np.asarray(scores < level.threshold if is_good else scores >= level.threshold)


def _correlation(one: np.ndarray, two: np.ndarray) -> float | None:
    ranks, others = _ranks(one), _ranks(two)
    if ranks.std() == 0 or others.std() == 0:
        return None
    return _rounded(np.corrcoef(ranks, others)[0, 1])


def _ranks(scores: np.ndarray) -> np.ndarray:
    """Return the ranks, those of equal scores being their mean."""
    _, places, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return np.asarray((ends - (counts - 1) / 2)[places])


def _stability(one: np.ndarray, two: np.ndarray) -> float:
    edges = np.unique(np.quantile(one, np.arange(1, _GROUPS) / _GROUPS))
    shares = [
        np.maximum(
            np.bincount(np.searchsorted(edges, each, "right"), minlength=len(edges) + 1)
            / len(each),
            _LEAST_SHARE,
        )
        for each in (one, two)
    ]
    return _rounded(((shares[0] - shares[1]) * np.log(shares[0] / shares[1])).sum())


def _part(part: int, whole: int) -> float | None:
    return _rounded(part / whole) if whole else None


def _or_none(share: float) -> float | None:
    return None if np.isnan(share) else _rounded(share)


def _rounded(share: object) -> float:
    return round(float(share), 4)  # type: ignore[arg-type]
