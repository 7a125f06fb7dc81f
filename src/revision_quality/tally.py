"""Counts that the parts of the flow keep of themselves, for who asks how they are.

A part counts by labels, in memory that stays bounded whatever comes in; nothing is registered
anywhere. Who watches a process reads the counts when it is asked (`cli.metrics`).
"""

from bisect import bisect_left
from collections.abc import Container, Iterable, Iterator, Sequence, Sized
from typing import Protocol

from msgspec import Struct

OTHER = "other"
"""What each label says of the combinations beyond the bound."""

MOST = 5000
"""Combinations of labels that are told apart: a thousand wikis in five states."""

Labels = tuple[str, ...]

LAG_SECONDS = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 86_400.0)
"""Buckets from an edit to its score: a patroller's second, a poll, an outage, a day's backlog."""

REQUEST_SECONDS = (0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Buckets of a request: from a wiki next door to the end of our patience."""

ANSWER_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
"""Buckets of an answer of ours: from a stored score to a page that asks a slow wiki."""

WORK_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)
"""Buckets of what a model takes for a batch."""


class Tally:
    """How often each combination of labels was counted."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._numbers: dict[Labels, int] = {}

    def add(self, *labels: str, number: int = 1) -> None:
        """Count; nothing, where the number is 0."""
        if not number:
            return
        key = _bounded(labels, self._numbers, self._most)
        self._numbers[key] = self._numbers.get(key, 0) + number

    def __getitem__(self, labels: Labels) -> int:
        return self._numbers.get(labels, 0)

    @property
    def total(self) -> int:
        """All that was counted."""
        return sum(self._numbers.values())

    def items(self) -> Iterator[tuple[Labels, int]]:
        """Yield each combination and its number."""
        yield from self._numbers.items()


class Spread(Struct, frozen=True):
    """How values are spread: `counts` by bucket, the last one being above all `bounds`."""

    bounds: tuple[float, ...]
    counts: tuple[int, ...]
    total: float

    def cumulative(self) -> list[tuple[float, int]]:
        """Return how many values are at or below each bound, infinity last."""
        found, seen = list[tuple[float, int]](), 0
        for bound, count in zip((*self.bounds, float("inf")), self.counts, strict=True):
            seen += count
            found.append((bound, seen))
        return found


class Timings:
    """Seconds that something took, in buckets, by labels."""

    def __init__(self, bounds: Sequence[float], most: int = MOST) -> None:
        self._bounds = tuple(bounds)
        self._most = most
        self._counts: dict[Labels, list[int]] = {}
        self._totals: dict[Labels, float] = {}

    def observe(self, seconds: float, *labels: str) -> None:
        """Count one that took so long; a clock that went backwards counts as 0."""
        self.observe_all((seconds,), *labels)

    def observe_all(self, seconds: Iterable[float], *labels: str) -> None:
        """Count several."""
        key = _bounded(labels, self._counts, self._most)
        if key not in self._counts:
            self._counts[key] = [0] * (len(self._bounds) + 1)
            self._totals[key] = 0.0
        counts = self._counts[key]
        for one in seconds:
            took = max(0.0, one)
            counts[bisect_left(self._bounds, took)] += 1
            self._totals[key] += took

    def items(self) -> Iterator[tuple[Labels, Spread]]:
        """Yield each combination and how its values are spread."""
        for key, counts in self._counts.items():
            yield key, Spread(self._bounds, tuple(counts), self._totals[key])


class _Known(Container[Labels], Sized, Protocol):
    """The combinations that were counted."""


def _bounded(labels: Labels, known: _Known, most: int) -> Labels:
    if labels in known or len(known) < most:
        return labels
    return (OTHER,) * len(labels)
