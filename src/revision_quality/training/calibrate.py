"""From log odds to probabilities that hold at the natural rate."""

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize  # type: ignore[import-untyped]
from threadpoolctl import threadpool_limits

from revision_quality.models.artifact import Calibration
from revision_quality.models.trees import Doubles

_NODES = 256
_BEYOND = 2.0
_LEAST_SLOPE = 1e-3


def _log_probabilities(margins: Doubles) -> tuple[Doubles, Doubles]:
    """Return ln p and -ln(1 - p) of the probabilities p with these log odds."""
    return -np.logaddexp(0, -margins), np.logaddexp(0, margins)


def calibrate(margins: Doubles, labels: npt.NDArray[np.int64], weights: Doubles) -> Calibration:
    """Fit a beta calibration by maximum likelihood and return it as a line of straight pieces.

    Kull, Silva Filho and Flach, "Beta calibration" (2017): the log odds become
    a ln p - b ln(1 - p) + c with a, b > 0, so they keep their order, and three parameters learn no
    steps from chance as isotonic regression does: fitted on different wikis, lines stay alike.
    `margins` must be out of fold. Beyond the margins seen, by 2, the end values hold. One thread
    adds up: the sums of several round otherwise.
    """
    low, high = _log_probabilities(margins)
    total = weights.sum()

    def loss(parameters: Doubles) -> tuple[float, Doubles]:
        odds = parameters[0] * low + parameters[1] * high + parameters[2]
        losses = np.logaddexp(0, odds) - labels * odds
        slope = weights * (np.exp(-np.logaddexp(0, -odds)) - labels)
        gradient = np.array([slope @ low, slope @ high, slope.sum()])
        return float(weights @ losses) / total, gradient / total

    with threadpool_limits(1):
        fitted = minimize(
            loss,
            np.array([1.0, 1.0, 0.0]),
            jac=True,
            bounds=[(_LEAST_SLOPE, None), (_LEAST_SLOPE, None), (None, None)],
            method="L-BFGS-B",
        ).x
    nodes = np.linspace(margins.min() - _BEYOND, margins.max() + _BEYOND, _NODES)
    low, high = _log_probabilities(nodes)
    odds = fitted[0] * low + fitted[1] * high + fitted[2]
    return Calibration(nodes, np.exp(-np.logaddexp(0, -odds)))
