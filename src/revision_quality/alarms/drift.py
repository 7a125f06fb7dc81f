"""Whether the scores of a wiki and a model are spread as they were: kept up edit by edit."""

import math
from collections import Counter, deque
from collections.abc import Sequence

from msgspec import Struct

from revision_quality.alarms.alarm import Finding, Kind, Subject
from revision_quality.alarms.usual import Usual

BINS = 1000
"""Scores are remembered to the thousandth, as levels are (`levels.counts`)."""

WINDOW = 40
"""Edits that are compared with those before: fewer differ too much by chance, and more take longer
to be filled by what has changed (docs/alarms.md)."""

CHUNKS, LEAST_CHUNKS = 30, 3
"""Windows that make the reference at most, and at least."""

OF_ONE_EDITOR = 8
"""Edits of one editor that a window counts: a session of one editor says little about the model."""

GROUPS = 10
"""Groups of scores that are as many edits each in the reference (Siddiqi 2006 takes ten)."""

SHIFT_FLOOR = 0.5
"""Population stability index: from 0.25 on "a major shift" (Siddiqi 2006), twice that by chance
alone for windows of this size."""

RATE_FLOOR = 8.0
"""Standard deviations of a share, if edits were independent. The edits of one editor that a window
counts, all flagged where none was before, are 7.5."""

_PRIOR = 0.5


class SeriesState(Struct, kw_only=True):
    """What is remembered of the edits of a wiki and model: bins of chunks, highest statistics."""

    chunks: list[list[int]] = []
    shift: list[float] = []
    rate: list[float] = []


class Series:
    """The scores of one wiki (all together for "") and one model version.

    `threshold` is the score from which an edit is flagged, see `flag_from`.
    """

    def __init__(
        self,
        subject: tuple[str, str, str],
        threshold: float,
        state: SeriesState | None = None,
        *,
        shift_floor: float = SHIFT_FLOOR,
        rate_floor: float = RATE_FLOOR,
    ) -> None:
        self._subject = subject
        self._flagged_from = _first_bin(threshold)
        state = state or SeriesState()
        self._chunks: deque[list[int]] = deque(state.chunks, maxlen=CHUNKS)
        self._shift = Usual(shift_floor, state.shift)
        self._rate = Usual(rate_floor, state.rate)
        self._window: deque[tuple[int, str]] = deque()
        self._editors: Counter[str] = Counter()
        self._edits_of_term = 0
        self._highest = [0.0, 0.0]
        self._is_off = False
        self._refer()

    @property
    def state(self) -> SeriesState:
        """What to keep over a restart; the window begins anew then."""
        return SeriesState(
            chunks=list(self._chunks), shift=self._shift.highest, rate=self._rate.highest
        )

    def add(self, score: float, editor: str) -> Sequence[Finding]:
        """Take the score of an edit; return what is found, nothing for too few edits."""
        if self._editors[editor] >= OF_ONE_EDITOR:
            return ()
        self._enter(min(int(score * BINS), BINS - 1), editor)
        if len(self._window) < WINDOW:
            return ()
        findings = self._look() if self._reference else ()
        if self._edits_of_term >= WINDOW:
            self._end_term()
        return findings

    def flag_from(self, threshold: float) -> None:
        """Flag edits from another score on: those to come, and as well all that are remembered.

        So a level that is chosen anew is no drift: before and after are told by the same one.
        """
        place = _first_bin(threshold)
        if place != self._flagged_from:
            self._flagged_from = place
            self._refer()

    def forget(self) -> None:
        """Take what comes from now on as usual."""
        self._chunks.clear()
        self._shift.highest, self._rate.highest = [], []
        self._is_off = False
        self._refer()

    def _enter(self, place: int, editor: str) -> None:
        self._window.append((place, editor))
        self._editors[editor] += 1
        self._edits_of_term += 1
        self._groups[self._group_of[place]] += 1
        self._flagged += place >= self._flagged_from
        if len(self._window) > WINDOW:
            old, who = self._window.popleft()
            self._editors[who] -= 1
            if not self._editors[who]:
                del self._editors[who]
            self._groups[self._group_of[old]] -= 1
            self._flagged -= old >= self._flagged_from

    def _look(self) -> Sequence[Finding]:
        shift = _stability(self._groups, self._reference)
        rate = self._unlikeness_of_rate()
        self._highest = [max(self._highest[0], shift), max(self._highest[1], rate)]
        findings = []
        if self._shift.limit is not None:
            findings.append(self._finding(Kind.SCORE_SHIFT, shift, self._shift))
        if self._rate.limit is not None:
            findings.append(self._finding(Kind.FLAG_RATE, rate, self._rate))
        self._is_off = self._is_off or any(found.is_bad for found in findings)
        return findings

    def _finding(self, kind: Kind, value: float, usual: Usual) -> Finding:
        wiki_id, name, version = self._subject
        limit, release = usual.limit or 0.0, usual.release or 0.0
        what = self._told_shift if kind is Kind.SCORE_SHIFT else self._told_rate
        unit = "population stability index" if kind is Kind.SCORE_SHIFT else "standard deviations"
        return Finding(
            subject=Subject(kind=kind, wiki_id=wiki_id, model_name=name, model_version=version),
            is_bad=value > limit,
            is_good=value < release,
            message=f"{wiki_id or 'All wikis'}, {name} {version}: {what}"
            f" ({unit} {value:.2f}, usual up to {limit:.2f}).",
        )

    def _unlikeness_of_rate(self) -> float:
        """Return how unlike the share flagged is to the reference's.

        The root of the likelihood ratio of two shares against one (G-test): for edits that are
        independent it is as standard deviations are, for shares near 0 too.
        """
        window, before = len(self._window), self._reference_edits
        flagged, flagged_before = self._flagged, self._reference_flagged
        share = (flagged + flagged_before) / (window + before)
        ratio = _support(flagged, window, share) + _support(flagged_before, before, share)
        return math.sqrt(max(0.0, 2 * ratio))

    @property
    def _told_shift(self) -> str:
        return f"the scores of the last {WINDOW} edits are spread otherwise than those before"

    @property
    def _told_rate(self) -> str:
        share = self._flagged / len(self._window)
        before = self._reference_flagged / max(1, self._reference_edits)
        return f"{share:.0%} of the last {WINDOW} edits are flagged, {before:.1%} were before"

    def _end_term(self) -> None:
        """Take the window into the reference, unless something is wrong with it."""
        if not self._is_off:
            if self._reference:
                self._shift.learn(self._highest[0])
                self._rate.learn(self._highest[1])
            self._chunks.append([place for place, _ in self._window])
            self._refer()
        self._edits_of_term, self._highest, self._is_off = 0, [0.0, 0.0], False

    def _refer(self) -> None:
        """Part the scores anew into groups of as many edits of the reference."""
        places = sorted(place for chunk in self._chunks for place in chunk)
        is_enough = len(self._chunks) >= LEAST_CHUNKS
        starts = [places[len(places) * k // GROUPS] for k in range(1, GROUPS)] if is_enough else []
        self._group_of = _groups_by_bin(starts)
        number = max(self._group_of) + 1
        self._reference = _counted(places, self._group_of, number) if is_enough else []
        self._groups = _counted([place for place, _ in self._window], self._group_of, number)
        self._reference_edits = len(places)
        self._reference_flagged = sum(place >= self._flagged_from for place in places)
        self._flagged = sum(place >= self._flagged_from for place, _ in self._window)


def _first_bin(threshold: float) -> int:
    return math.ceil(threshold * BINS - 1e-9)


def _groups_by_bin(starts: Sequence[int]) -> list[int]:
    """Return the group of each bin; a group begins at each of `starts`, equal ones being one."""
    groups, group, edges = [], 0, set(starts) - {0}
    for place in range(BINS):
        group += place in edges
        groups.append(group)
    return groups


def _counted(places: Sequence[int], group_of: Sequence[int], number: int) -> list[int]:
    counts = [0] * number
    for place in places:
        counts[group_of[place]] += 1
    return counts


def _support(number: int, of: int, share: float) -> float:
    """Return how much likelier `number` of `of` edits is at its own share than at `share`."""
    there = number * math.log(number / (of * share)) if number else 0.0
    rest = of - number
    return there + (rest * math.log(rest / (of * (1 - share))) if rest else 0.0)


def _stability(window: Sequence[int], reference: Sequence[int]) -> float:
    """Return the population stability index of two counts by group."""
    here, there = sum(window) + _PRIOR * len(window), sum(reference) + _PRIOR * len(reference)
    total = 0.0
    for now, before in zip(window, reference, strict=True):
        share, other = (now + _PRIOR) / here, (before + _PRIOR) / there
        total += (share - other) * math.log(share / other)
    return total
