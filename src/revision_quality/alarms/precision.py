"""Whether the levels in force are still as precise as was promised, told by the labels since."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from revision_quality.alarms.alarm import Finding, Kind, Subject
from revision_quality.errors import SettingsError
from revision_quality.levels.counts import EDGES, Label
from revision_quality.levels.interval import wilson
from revision_quality.levels.level import Level, MeasuredLevel
from revision_quality.levels.scores import NamedModel
from revision_quality.levels.target import parse_target

LEAST_EDITS = 50
"""Edits of a clear label that a level holds for, from which on its precision is told."""

DAYS = 14
"""The period that the interval of a level's precision speaks of (`levels.choosing.AHEAD`)."""

_Z = 3.09
"""One in a thousand looks at a level that just keeps its promise: there are many levels."""

_GOOD = "likelygood"
_ENOUGH_TO_STAY = 0.5

Ints = npt.NDArray[np.int64]


class Precision(Struct, frozen=True):
    """Of the edits of a clear label that a level holds for, on each day: all, and the right ones.

    Right is reverted, and for `likelygood` kept.
    """

    edits: Ints
    right: Ints

    @property
    def number(self) -> int:
        """How many edits there are in all."""
        return int(self.edits.sum())

    @property
    def share(self) -> float:
        """The precision, 0 to 1; nan of no edits."""
        return float(self.right.sum() / self.edits.sum()) if self.number else float("nan")

    @property
    def upper(self) -> float:
        """What the precision is hardly above: the upper end of Wilson's interval.

        Edits come in bursts, so that they tell as much as fewer independent ones would: fewer by
        the design effect with the days as clusters (Rao and Scott 1992), at least 1.
        """
        return wilson(self.share, self.number / self._design_effect, _Z).high

    @property
    def _design_effect(self) -> float:
        edits, right = self.edits[self.edits > 0], self.right[self.edits > 0]
        share, days = self.share, len(edits)
        chance = self.number * share * (1 - share)
        if days < 2 or not chance:
            return 1.0
        spread = float(((right - edits * share) ** 2).sum())
        return max(1.0, days / (days - 1) * spread / chance)


def precision_of(level: Level, by_day: Ints) -> Precision:
    """Return the precision of a level; `by_day` has the edits by day, `Label` and bin."""
    first, good = int(np.searchsorted(EDGES, level.threshold)), level.name == _GOOD
    held = by_day[:, :, :first] if good else by_day[:, :, first:]
    kept, reverted = held[:, Label.KEPT].sum(1), held[:, Label.REVERTED].sum(1)
    return Precision(kept + reverted, kept if good else reverted)


def promise_of(level: Level) -> float | None:
    """Return the precision that a level promises: its target, else the lower end of its interval.

    None if it promises none: set by hand and never measured, or of a model that tells no interval.
    """
    try:
        target = parse_target(level.target)
    except SettingsError:
        target = None
    if target and target.is_floor and target.metric in ("precision", "!precision"):
        return target.bound
    return level.low if isinstance(level, MeasuredLevel) else None


def findings(
    wiki_id: str,
    model: NamedModel,
    levels: Sequence[Level],
    by_day: Ints,
    *,
    least_edits: int = LEAST_EDITS,
) -> list[Finding]:
    """Tell of each level that promises a precision whether it keeps it.

    An alarm ends when the precision itself is as promised again, or for fewer than half of
    `least_edits`, of which nothing can be said.
    """
    return [
        Finding(
            subject=Subject(
                kind=Kind.PRECISION,
                wiki_id=wiki_id,
                model_name=model.name,
                model_version=model.version,
                level=level.name,
            ),
            is_bad=found.number >= least_edits and found.upper < promise,
            is_good=found.number < _ENOUGH_TO_STAY * least_edits or found.share >= promise,
            message=f"{wiki_id}, {model.name} {model.version}: {_told(level, found)},"
            f" {promise:.1%} were promised.",
        )
        for level in levels
        if (promise := promise_of(level)) is not None
        for found in [precision_of(level, by_day)]
    ]


def _told(level: Level, found: Precision) -> str:
    what = "kept" if level.name == _GOOD else "reverted"
    held = f"of the last {found.number:,} labelled edits that {level.name} holds for"
    return f"{held} {found.share:.1%} were {what}"
