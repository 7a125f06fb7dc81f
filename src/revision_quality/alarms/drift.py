"""Whether the scores of a wiki and a model are as they were: kept up edit by edit."""

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

from msgspec import Struct

from revision_quality.alarms.alarm import Finding, Kind, Subject
from revision_quality.alarms.reference import Distance, Reference, Seen, log_odds
from revision_quality.alarms.unlikeness import Unlikeness, unlikeness
from revision_quality.alarms.usual import LEAST_TERMS, Usual

WINDOW = 100
"""Edits that are compared with those before: fewer differ too much by chance, and more take longer
to be filled by what has changed (docs/alarms.md)."""

TERM = 50
"""Edits after which is learnt what is usual; a window is compared from as many on."""

WAITING = 4
"""Terms that wait before they are learnt, so that a drift that is told within them is not."""

STEP = 5
"""Edits from one look at the window to the next."""

CALM = 50
"""Edits for which all looks must find what is usual before an alarm ends."""

SHIFT_FLOOR, RATE_FLOOR = 3.0, 4.0
"""Standard deviations (`alarms.unlikeness`), for the scores and for the share that is flagged."""


class SeriesState(Struct, kw_only=True):
    """What is remembered of a wiki and model: log odds by kind of editor, highest statistics."""

    odds: dict[str, list[float]] = {}
    score_highest: list[float] = []
    flag_highest: list[float] = []


class _Term(NamedTuple):
    edits: Sequence[Seen]
    highest: Unlikeness | None


class _Watched:
    """One statistic: what it usually comes to, and for how many edits it has been as usual."""

    def __init__(self, floor: float, highest: Sequence[float]) -> None:
        self.usual = Usual(floor, highest)
        self.calm = 0

    def finds(self, value: float) -> tuple[bool, bool]:
        """Tell whether `value` is out of range, and whether it has long been well within."""
        limit, release = self.usual.limit or 0.0, self.usual.release or 0.0
        self.calm = self.calm + STEP if value < release else 0
        return value > limit, self.calm >= CALM


class Series:
    """The scores of one wiki and one model version, or ("") of all wikis of it together.

    A series of a wiki is told of every edit by `add`. That of all wikis is told by `take` how far
    each is from what is usual on its own wiki.
    """

    def __init__(
        self,
        subject: tuple[str, str, str],
        state: SeriesState | None = None,
        *,
        shift_floor: float = SHIFT_FLOOR,
        rate_floor: float = RATE_FLOOR,
    ) -> None:
        self._subject = subject
        state = state or SeriesState()
        self._reference = Reference(state.odds)
        self._score = _Watched(shift_floor, state.score_highest)
        self._flag = _Watched(rate_floor, state.flag_highest)
        self._window: deque[Distance] = deque(maxlen=WINDOW)
        self._waiting: deque[_Term] = deque()
        self._edits: list[Seen] = []
        self._edits_of_term = 0
        self._highest: Unlikeness | None = None
        self._is_off = False
        self._is_higher = False
        self.changes = 0
        """How often `state` has changed."""

    @property
    def state(self) -> SeriesState:
        """What to keep over a restart; the window begins anew then."""
        return SeriesState(
            odds=self._reference.odds,
            score_highest=self._score.usual.highest,
            flag_highest=self._flag.usual.highest,
        )

    def add(
        self, score: float, editor: str, kind: str, threshold: float
    ) -> tuple[Distance | None, Sequence[Finding]]:
        """Take the score of an edit, flagged from `threshold` on.

        Returns how far it is from the usual, None where that is not known, and what is found.
        """
        edit = Seen(editor, kind, log_odds(score))
        distance = self._reference.distance(edit, log_odds(threshold))
        return distance, self.take(distance, edit)

    def take(self, distance: Distance | None, edit: Seen | None = None) -> Sequence[Finding]:
        """Take how far an edit is from the usual; return what is found. `edit` is to be learnt."""
        self._edits_of_term += 1
        if edit is not None:
            self._edits.append(edit)
        findings: Sequence[Finding] = ()
        if distance is not None:
            self._window.append(distance)
            if self._edits_of_term % STEP == 0:
                findings = self._look()
        if self._edits_of_term >= TERM:
            self._end_term()
        return findings

    def forget(self) -> None:
        """Take what comes from now on as usual."""
        self.changes += 1
        self._reference = Reference()
        self._score.usual.highest, self._flag.usual.highest = [], []
        self._window.clear()
        self._waiting.clear()
        self._begin_term()

    def _look(self) -> Sequence[Finding]:
        found = unlikeness(reversed(self._window)) if len(self._window) >= TERM else None
        if found is None:
            return ()
        self._is_higher = found.score > 0
        value = Unlikeness(abs(found.score), abs(found.flag))
        before = self._highest or value
        self._highest = Unlikeness(max(before.score, value.score), max(before.flag, value.flag))
        findings = [
            self._finding(kind, watched, size)
            for kind, watched, size in (
                (Kind.SCORE_SHIFT, self._score, value.score),
                (Kind.FLAG_RATE, self._flag, value.flag),
            )
            if watched.usual.limit is not None
        ]
        self._is_off = self._is_off or any(each.is_bad for each in findings)
        return findings

    def _finding(self, kind: Kind, watched: _Watched, value: float) -> Finding:
        wiki_id, name, version = self._subject
        is_bad, is_good = watched.finds(value)
        what = self._told_shift if kind is Kind.SCORE_SHIFT else self._told_rate
        return Finding(
            subject=Subject(kind=kind, wiki_id=wiki_id, model_name=name, model_version=version),
            is_bad=is_bad,
            is_good=is_good,
            message=f"{wiki_id or 'All wikis'}, {name} {version}: {what}"
            f" ({value:.1f} standard deviations, usual up to {watched.usual.limit:.1f}).",
        )

    @property
    def _told_shift(self) -> str:
        direction = "higher" if self._is_higher else "lower"
        return (
            f"the scores of the last {len(self._window)} edits are {direction} than the same"
            " kinds of editors had before"
        )

    @property
    def _told_rate(self) -> str:
        number = len(self._window)
        share = sum(each.is_flagged for each in self._window) / number
        before = sum(each.usual_share for each in self._window) / number
        return (
            f"{share:.0%} of the last {number} edits are flagged, {before:.1%} of those of the same"
            " kinds of editors were before"
        )

    def _end_term(self) -> None:
        """Let the term wait to be learnt, unless something is wrong with it."""
        if self._is_off:
            self._waiting.clear()
        else:
            self._waiting.append(_Term(self._edits, self._highest))
        while self._waiting and (len(self._waiting) > WAITING or self._knows_little):
            self._learn(self._waiting.popleft())
        self._begin_term()

    @property
    def _knows_little(self) -> bool:
        return len(self._score.usual.highest) < LEAST_TERMS

    def _learn(self, term: _Term) -> None:
        self.changes += 1
        self._reference.learn(term.edits)
        if term.highest is not None:
            self._score.usual.learn(term.highest.score)
            self._flag.usual.learn(term.highest.flag)

    def _begin_term(self) -> None:
        self._edits, self._edits_of_term = [], 0
        self._highest, self._is_off = None, False
