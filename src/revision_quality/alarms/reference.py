"""The scores that editors of each kind usually get on a wiki, and how far an edit is from them."""

import math
from bisect import bisect_left, bisect_right
from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from statistics import NormalDist
from typing import NamedTuple

KEPT = 300
"""Edits of each kind of editor that are remembered."""

LEAST_KNOWN = 20
"""Edits of a kind from which on one is compared with them."""

OF_ONE_EDITOR = 8
"""Edits of one editor that count in a term: a session of one editor says little about the model."""

FARTHEST = 2.5
"""Standard deviations that one edit is off at most."""

_LEAST_SPREAD = 0.7
_LEAST_SHARE = 0.1
_ALMOST = 1e-6
_LOWER, _UPPER = 0.16, 0.84
_NORMAL = NormalDist()


class Seen(NamedTuple):
    """An edit: who made it, an editor of which kind (`views.change.UserLevel` or bot), log odds."""

    editor: str
    kind: str
    odds: float


class Distance(NamedTuple):
    """How far an edit is from those of the same kind of editor before.

    `score` is the rank of its score among theirs, as a normal deviate; `spread` the standard
    deviation of their log odds; `usual_share` the share of them that the same level flags; `flag`
    how many standard deviations of one edit it is flagged more, or less, than that.
    """

    editor: str
    kind: str
    score: float
    spread: float
    is_flagged: bool
    usual_share: float
    flag: float


def log_odds(score: float) -> float:
    """Return the log odds of a score, which may be 0 or 1."""
    score = min(max(score, _ALMOST), 1 - _ALMOST)
    return math.log(score / (1 - score))


class Reference:
    """The log odds of the past edits of one wiki by kind of editor."""

    def __init__(self, odds: Mapping[str, Sequence[float]] = {}) -> None:
        self._odds = {kind: deque(some, maxlen=KEPT) for kind, some in odds.items()}
        self._sorted = {kind: sorted(some) for kind, some in self._odds.items()}

    @property
    def odds(self) -> dict[str, list[float]]:
        """What to keep over a restart, the oldest first."""
        return {kind: [round(one, 3) for one in some] for kind, some in self._odds.items()}

    def distance(self, edit: Seen, threshold: float) -> Distance | None:
        """Compare an edit; `threshold` are the log odds from which on it is flagged.

        None for a kind of editor of which too little is known.
        """
        known = self._sorted.get(edit.kind, ())
        number = len(known)
        if number < LEAST_KNOWN:
            return None
        place = (bisect_left(known, edit.odds) + bisect_right(known, edit.odds)) / 2
        deviate = _NORMAL.inv_cdf((place + 0.5) / (number + 1))
        spread = (known[int(number * _UPPER)] - known[int(number * _LOWER)]) / 2
        is_flagged = edit.odds >= threshold
        usual = 1 - bisect_left(known, threshold) / number
        share = min(max(usual, _LEAST_SHARE), 1 - _LEAST_SHARE)
        return Distance(
            edit.editor,
            edit.kind,
            min(max(deviate, -FARTHEST), FARTHEST),
            max(spread, _LEAST_SPREAD),
            is_flagged,
            usual,
            (is_flagged - share) / math.sqrt(share * (1 - share)),
        )

    def learn(self, edits: Iterable[Seen]) -> None:
        """Remember the edits of a term, of one editor `OF_ONE_EDITOR`."""
        of_editor: Counter[str] = Counter()
        kinds = set()
        for edit in edits:
            of_editor[edit.editor] += 1
            if of_editor[edit.editor] <= OF_ONE_EDITOR:
                self._odds.setdefault(edit.kind, deque(maxlen=KEPT)).append(edit.odds)
                kinds.add(edit.kind)
        self._sorted |= {kind: sorted(self._odds[kind]) for kind in kinds}
