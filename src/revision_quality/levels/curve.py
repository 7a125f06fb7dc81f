"""What flagging from each score on does: precision, recall, rates, edits a day."""

from functools import cached_property

import numpy as np

from revision_quality.levels.counts import Counts, Doubles, Label


class Curve:
    """The curve of some counts. Each array has one entry for each of `counts.EDGES`.

    Shares are 0 to 1, nan where nothing is counted.
    """

    def __init__(self, counts: Counts) -> None:
        self.counts = counts
        by_label = counts.mass.sum(0)
        self._from = np.cumsum(by_label[:, ::-1], axis=1)[:, ::-1]
        self._all = by_label.sum(1)

    @cached_property
    def flagged(self) -> Doubles:
        """Edits at or above the threshold, whatever their label."""
        return np.asarray(self._from.sum(0))

    @cached_property
    def precision(self) -> Doubles:
        """Of the flagged edits with a clear label the share reverted."""
        return _share(self._from[Label.REVERTED], self._clear(self._from))

    @cached_property
    def recall(self) -> Doubles:
        """Of the reverted edits the share flagged."""
        return _share(self._from[Label.REVERTED], self._all[Label.REVERTED])

    @cached_property
    def flag_rate(self) -> Doubles:
        """Of all edits the share flagged; ORES's match_rate."""
        return _share(self.flagged, self._all.sum())

    @cached_property
    def filter_rate(self) -> Doubles:
        """Of all edits the share not flagged."""
        return np.asarray(1 - self.flag_rate)

    @cached_property
    def false_positive_rate(self) -> Doubles:
        """Of the kept edits the share flagged."""
        return _share(self._from[Label.KEPT], self._all[Label.KEPT])

    @cached_property
    def good_precision(self) -> Doubles:
        """Of the edits below the threshold the share kept; ORES's !precision."""
        below = self._all[:, None] - self._from
        return _share(below[Label.KEPT], self._clear(below))

    @cached_property
    def good_recall(self) -> Doubles:
        """Of the kept edits the share below the threshold; ORES's !recall."""
        return np.asarray(1 - self.false_positive_rate)

    @cached_property
    def edits_a_day(self) -> Doubles:
        """How many edits a day are flagged."""
        return _share(self.flagged, self.counts.days)

    @staticmethod
    def _clear(by_label: Doubles) -> Doubles:
        return np.asarray(by_label[Label.KEPT] + by_label[Label.REVERTED])


def _share(part: Doubles, whole: Doubles | float) -> Doubles:
    with np.errstate(divide="ignore", invalid="ignore"):
        # Sums in another order may differ in the last digit: 1e-16 edits are none.
        return np.where(np.asarray(whole) > 1e-9, part / whole, np.nan)
