"""How sure a measured share is, and where it will be next time."""

import math
from collections.abc import Sequence
from statistics import NormalDist

from msgspec import Struct

_Z = NormalDist().inv_cdf(0.975)
_EMPTY = 0.5
"""What is added to both counts of a share so that none is empty (Haldane 1956, Anscombe 1956)."""


_MAYBE_NONE = -math.log(0.025)
"""Of fewer expected edits than this, none comes in more than 2.5 of 100 cases."""


class Interval(Struct, frozen=True):
    """A 95 % interval of a share, 0 to 1."""

    low: float
    high: float

    @property
    def width(self) -> float:
        """How far its ends are apart."""
        return self.high - self.low

    def holds(self, share: float) -> bool:
        """Whether a share is within."""
        return self.low <= share <= self.high


class Part(Struct, frozen=True):
    """Two weighed counts of a period: those that are so, those that are not.

    The units are the mean weights of an edit of either: `so / so_unit` edits were seen.
    """

    so: float
    not_so: float
    so_unit: float = 1.0
    not_so_unit: float = 1.0

    @property
    def log_odds(self) -> float:
        """The log odds, by counts of which none is empty."""
        so, not_so = self.so + _EMPTY * self.so_unit, self.not_so + _EMPTY * self.not_so_unit
        return math.log(so / not_so)

    def times(self, factor: float) -> "Part":
        """Return the part of a period so many times as long, with as many more edits."""
        return Part(self.so * factor, self.not_so * factor, self.so_unit, self.not_so_unit)

    @property
    def variance(self) -> float:
        """The sampling variance of the log odds."""
        so, not_so = self.so / self.so_unit + _EMPTY, self.not_so / self.not_so_unit + _EMPTY
        return 1 / so + 1 / not_so


def wilson(share: float, n: float, z: float = _Z) -> Interval:
    """Return Wilson's score interval of a share of `n` edits (Wilson 1927); 0 to 1 for none.

    `z` is the quantile of the normal distribution, that of 95 % unless it is given.
    """
    if n <= 0:
        return Interval(0.0, 1.0)
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return Interval(max(0.0, centre - half), min(1.0, centre + half))


def next_period(periods: Sequence[Part], ahead: Part) -> Interval:
    """Return where the share measured over the next period will be, in 95 of 100 cases.

    Edits come in bursts of one editor and habits change, so a share differs between periods by
    more than chance. The variance between them is estimated by DerSimonian and Laird (1986) and
    goes into a prediction interval for one more (Higgins, Thompson and Spiegelhalter 2009), with
    the sampling variance of `ahead`, the counts that are expected there. An end at which there may
    well be no edit of one side (Poisson) reaches to 0 or 1. Needs two periods.
    """
    odds = [period.log_odds for period in periods]
    variances = [period.variance for period in periods]
    between = _between(odds, variances)
    weights = [1 / (variance + between) for variance in variances]
    mean = sum(w * each for w, each in zip(weights, odds, strict=True)) / sum(weights)
    spread = math.sqrt(between + 1 / sum(weights) + ahead.variance)
    half = _student(len(periods) - 1) * spread
    low, high = _share(mean - half), _share(mean + half)
    mass = ahead.so + ahead.not_so
    return Interval(
        0.0 if mass * low / ahead.so_unit < _MAYBE_NONE else low,
        1.0 if mass * (1 - high) / ahead.not_so_unit < _MAYBE_NONE else high,
    )


def _between(odds: Sequence[float], variances: Sequence[float]) -> float:
    weights = [1 / variance for variance in variances]
    whole = sum(weights)
    mean = sum(w * each for w, each in zip(weights, odds, strict=True)) / whole
    excess = sum(w * (each - mean) ** 2 for w, each in zip(weights, odds, strict=True))
    scale = whole - sum(w**2 for w in weights) / whole
    return max(0.0, (excess - (len(odds) - 1)) / scale)


def _student(freedom: int) -> float:
    """Return the 97.5th percentile of Student's t (Abramowitz and Stegun 26.7.5, from 3 on)."""
    if freedom < 3:
        return (12.706, 4.303)[freedom - 1]
    z = _Z
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
    )
    return z + sum(term / float(freedom) ** power for power, term in enumerate(terms, 1))


def _share(log_odds: float) -> float:
    return 1 / (1 + math.exp(-log_odds))
