"""What a threshold is chosen for, in ORES's words, and the threshold that fulfils it."""

import re
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from revision_quality.errors import SettingsError
from revision_quality.levels.counts import BINS, Doubles
from revision_quality.levels.curve import Curve

Mask = npt.NDArray[np.bool_]

_SLACK = 1e-12

_METRICS: dict[str, Callable[[Curve], Doubles]] = {
    "precision": lambda curve: curve.precision,
    "recall": lambda curve: curve.recall,
    "flag_rate": lambda curve: curve.flag_rate,
    "filter_rate": lambda curve: curve.filter_rate,
    "false_positive_rate": lambda curve: curve.false_positive_rate,
    "!precision": lambda curve: curve.good_precision,
    "!recall": lambda curve: curve.good_recall,
}
_ALSO = {
    "match_rate": "flag_rate",
    "fpr": "false_positive_rate",
    "precision(false)": "!precision",
    "recall(false)": "!recall",
}
"""ORES's names of the same (revscoring, `scoring/statistics`), and those of our older models."""


_NAME = r"[!a-z_]+(?:\(false\))?"
_CONDITION = rf"({_NAME})\s*(>=|<=)\s*(\d*\.?\d+(?:[eE]-?\d+)?)"
_TARGET = re.compile(rf"(?:(maximum|minimum)\s+({_NAME})\s*@\s*)?{_CONDITION}")

EXAMPLES = (
    "maximum recall @ precision >= 0.9",
    "maximum filter_rate @ recall >= 0.75",
    "flag_rate <= 0.02",
)


class Target(Struct, frozen=True):
    """The greatest (or least) `goal` among thresholds where `metric` is `>=` or `<=` `bound`.

    `text` is how it was written. Metrics are named as in ORES.
    """

    text: str
    goal: str
    is_maximum: bool
    metric: str
    is_floor: bool
    bound: float

    @property
    def is_good(self) -> bool:
        """Whether it speaks of the edits below the threshold."""
        return self.metric.startswith("!")

    def solve(self, curve: Curve) -> int | None:
        """Return the index in `counts.EDGES` of the best threshold, None if there is none.

        Of several that are equally good it is the strictest.
        """
        fulfils, goal = self.fulfils(curve), _METRICS[self.goal](curve)
        fulfils &= np.isfinite(goal)
        if not fulfils.any():
            return None
        worth = np.where(fulfils, goal if self.is_maximum else -goal, -np.inf)
        return int(np.flatnonzero(worth >= worth.max() - _SLACK)[-1])

    def fulfils(self, curve: Curve) -> Mask:
        """Tell of each of `counts.EDGES` whether the condition holds there, and parts the edits."""
        known = _METRICS[self.metric](curve)
        within = known >= self.bound - _SLACK if self.is_floor else known <= self.bound + _SLACK
        return np.asarray(within & (curve.flagged > 0) & (np.arange(BINS) > 0))


def parse_target(text: str) -> Target:
    """Read a target: `maximum recall @ precision >= 0.9`, or the condition alone.

    A condition alone asks for the greatest recall under it; `recall >= …` for the greatest
    filter_rate. Raises SettingsError saying what was expected.
    """
    found = _TARGET.fullmatch(text.strip())
    if not found:
        examples = ", ".join(f"`{example}`" for example in EXAMPLES)
        raise SettingsError(f"{text[:100]!r} is no target for a level: write it like {examples}")
    extreme, goal, metric, relation, bound = found.groups()
    metric = _metric(text, metric)
    target = Target(
        text=text.strip(),
        goal=_metric(text, goal) if goal else _goal_of(metric),
        is_maximum=extreme != "minimum",
        metric=metric,
        is_floor=relation == ">=",
        bound=float(bound),
    )
    if not 0 <= target.bound <= 1:
        raise SettingsError(f"{text[:100]!r}: {metric} is a share, so give a number from 0 to 1")
    return target


def _metric(text: str, name: str) -> str:
    known = _ALSO.get(name, name)
    if known not in _METRICS:
        raise SettingsError(
            f"{text[:100]!r}: there is no metric {name!r}; known are {', '.join(_METRICS)}"
        )
    return known


def _goal_of(metric: str) -> str:
    return "filter_rate" if metric in ("recall", "!precision") else "recall"


DEFAULT_TARGETS = {
    "likelygood": "maximum filter_rate @ !precision >= 0.995",
    "maybebad": "maximum filter_rate @ recall >= 0.75",
    "likelybad": "maximum recall @ precision >= 0.45",
    "verylikelybad": "maximum recall @ precision >= 0.75",
}
"""The levels of a wiki that has chosen no others, from the least risk to the greatest."""
