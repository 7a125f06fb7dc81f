"""The range that a statistic usually keeps to, learnt from the statistic itself."""

from collections.abc import Iterable

LEAST_TERMS, MOST_TERMS = 5, 100
"""Terms before anything can be out of range, and those that are remembered."""

_MARGIN = 1.2
_RELEASE = 0.7


class Usual:
    """Remembers the highest value of each past term; what is far above all of them is unusual.

    Edits come in bursts, so that no formula for independent edits tells how much a window of them
    may differ from the next. What past windows have differed tells. `floor` is the least limit.
    """

    def __init__(self, floor: float, highest: Iterable[float] = ()) -> None:
        self._floor = floor
        self.highest = list(highest)[-MOST_TERMS:]
        """Of each past term, the latest last."""

    @property
    def limit(self) -> float | None:
        """What is above this is unusual; None while too little is known."""
        if len(self.highest) < LEAST_TERMS:
            return None
        return max(self._floor, _MARGIN * max(self.highest))

    @property
    def release(self) -> float | None:
        """What is below this is usual again."""
        return None if self.limit is None else _RELEASE * self.limit

    def learn(self, highest: float) -> None:
        """Remember the highest value of a term that is over."""
        self.highest = [*self.highest, highest][-MOST_TERMS:]
