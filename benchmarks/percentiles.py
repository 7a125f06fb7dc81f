"""What of many times is told."""

import statistics
from collections.abc import Sequence


def p50_p95(values: Sequence[float]) -> tuple[float, float]:
    """Return the median, and the value below which 95 % are: of fewer than 20 the greatest."""
    ordered = sorted(values)
    return statistics.median(ordered), ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
