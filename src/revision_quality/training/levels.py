"""The default levels, solved on out-of-fold scores."""

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from revision_quality.levels.level import Level
from revision_quality.models.trees import Doubles


class _Curve(Struct, frozen=True):
    """What each threshold does: distinct scores, highest first."""

    thresholds: Doubles
    precision: Doubles
    recall: Doubles
    flag_rate: Doubles


def _curve(scores: Doubles, labels: npt.NDArray[np.int64], weights: Doubles) -> _Curve:
    order = np.argsort(-scores, kind="stable")
    scores, labels, weights = scores[order], labels[order], weights[order]
    last = np.append(scores[1:] != scores[:-1], True)
    flagged = np.cumsum(weights)[last]
    caught = np.cumsum(weights * labels)[last]
    return _Curve(scores[last], caught / flagged, caught / caught[-1], flagged / flagged[-1])


def default_levels(
    scores: Doubles, labels: npt.NDArray[np.int64], weights: Doubles
) -> tuple[Level, ...]:
    """Solve the four default levels; one that no threshold reaches is left out."""
    curve = _curve(scores, labels, weights)
    found = []

    def add(name: str, index: int, target: str) -> None:
        found.append(
            Level(
                name=name,
                threshold=float(curve.thresholds[index]),
                precision=round(float(curve.precision[index]), 4),
                recall=round(float(curve.recall[index]), 4),
                flag_rate=round(float(curve.flag_rate[index]), 5),
                target=target,
                n=len(scores),
            )
        )

    below = 1 - curve.flag_rate
    good = (below * len(scores) > 1) & (
        1 - (1 - curve.recall) * np.average(labels, weights=weights) / np.maximum(below, 1e-12)
        >= 0.995
    )
    if good.any():
        index = int(np.flatnonzero(good)[0])
        share_reverted = (
            (1 - curve.recall[index]) * np.average(labels, weights=weights) / below[index]
        )
        found.append(
            Level(
                name="likelygood",
                threshold=float(curve.thresholds[index]),
                precision=round(float(1 - share_reverted), 4),
                recall=round(
                    float(
                        below[index]
                        * (1 - share_reverted)
                        / (1 - np.average(labels, weights=weights))
                    ),
                    4,
                ),
                flag_rate=round(float(below[index]), 5),
                target="maximum filter_rate @ precision(false) >= 0.995",
                n=len(scores),
            )
        )
    add(
        "maybebad",
        int(np.flatnonzero(curve.recall >= 0.75)[0]),
        "maximum precision @ recall >= 0.75",
    )
    for name, least in (("likelybad", 0.45), ("verylikelybad", 0.75)):
        reached = np.flatnonzero(curve.precision >= least)
        reached = reached[curve.recall[reached] > 0.005]
        if len(reached):
            add(name, int(reached[-1]), f"maximum recall @ precision >= {least}")
    return tuple(found)
