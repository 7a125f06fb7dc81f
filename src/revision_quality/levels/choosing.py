"""The levels of one wiki and model version, chosen on counted edits."""

from collections.abc import Mapping, Sequence

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from revision_quality.levels.counts import KINDS, Counts, Label, bin_of, total
from revision_quality.levels.curve import Curve
from revision_quality.levels.interval import Interval, Part, next_period, wilson
from revision_quality.levels.level import KindQuality, MeasuredLevel, Withheld
from revision_quality.levels.target import Target

LEAST_REVERTED = 100
"""Reverted edits from which on a wiki's own edits suffice: the 95 % interval of a recall of 0.75
is then 0.17 wide (Wilson)."""

LEAST_FOUND = 15
"""Right edits that a level must hold for: the precision of fewer is a guess."""

WIDEST = 0.6
"""The widest interval of a precision that is worth being told."""

AHEAD = 0.25
"""A fortnight after a window of eight weeks."""

PERIODS = 8
"""Periods that a window is cut into, to see how much a share varies between them."""


BY_HAND = "set by hand"
"""In the place of the target of a level that is fixed."""


class Evidence(Struct, frozen=True):
    """The counted edits that levels are chosen on.

    `periods` are the wiki's own, one after another, or those of several wikis, each at the same
    weight; `pooled` then names the other wikis. `own` are the wiki's edits in all.
    """

    periods: tuple[Counts, ...]
    own: Counts
    pooled: tuple[str, ...] = ()


class Choice(Struct, frozen=True):
    """The levels of a wiki that are offered, and those that are not, with the reason."""

    levels: tuple[MeasuredLevel, ...]
    withheld: tuple[Withheld, ...]


def grouped(days: Sequence[Counts], number: int = PERIODS) -> tuple[Counts, ...]:
    """Put days together, in their order, into at most `number` periods with as many edits each."""
    edits = np.array([day.mass.sum() for day in days])
    if edits.sum() <= 0:
        return ()
    middles = np.cumsum(edits) - edits / 2
    places = np.minimum((middles / edits.sum() * number).astype(int), number - 1)
    return tuple(
        total(day for day, at in zip(days, places, strict=True) if at == place)
        for place in np.unique(places)
    )


def choose(
    targets: Mapping[str, Target],
    evidence: Evidence,
    *,
    ahead: float = AHEAD,
    fixed: Mapping[str, float] = {},
) -> Choice:
    """Solve the targets by level name, from the least risk to the greatest.

    A graver level holds for no edit that a milder one does not hold for. `ahead` is how long the
    next period is that the interval of a precision speaks of, as a share of the wiki's window.
    Levels of `fixed` have the threshold given there, whatever they do.
    """
    curve = Curve(total(evidence.periods))
    places: dict[str, int] = {}
    withheld = []
    for name, target in reversed(list(targets.items())):
        found: int | Withheld
        if name in fixed:
            found = int(bin_of(fixed[name]))
        else:
            found = _solve(name, target, curve, places, targets)
        if isinstance(found, int):
            places[name] = found
        else:
            withheld.append(found)
    levels = []
    for name in targets:
        if name not in places:
            continue
        measure = _measure_fixed if name in fixed else _measure
        level = measure(name, targets[name], places[name], evidence, ahead)
        if isinstance(level, MeasuredLevel):
            levels.append(level)
        else:
            withheld.append(level)
    order = list(targets)
    withheld.sort(key=lambda each: order.index(each.name))
    return Choice(tuple(levels), tuple(withheld))


def _solve(
    name: str,
    target: Target,
    curve: Curve,
    places: Mapping[str, int],
    targets: Mapping[str, Target],
) -> int | Withheld:
    reverted = curve.counts.number(Label.REVERTED)
    if not reverted:
        reason = "no edit of the window was reverted"
        return Withheld(name=name, target=target.text, reason=reason)
    place = target.solve(curve)
    if place is None:
        reason = f"no threshold reaches {target.text.rpartition('@')[2].strip()} here"
        return Withheld(name=name, target=target.text, reason=reason)
    strictest = min(places.values(), default=place)
    if place <= strictest:
        return place
    if target.fulfils(curve)[strictest]:
        return strictest
    graver = next(other for other in targets if places.get(other) == strictest)
    reason = f"it would be stricter than {graver}, which is meant to be graver"
    return Withheld(name=name, target=target.text, reason=reason)


def _measure(
    name: str, target: Target, place: int, evidence: Evidence, ahead: float
) -> MeasuredLevel | Withheld:
    counts, good = total(evidence.periods), target.is_good
    part = _part(counts, place, good=good, units=counts)
    found = part.so / part.so_unit
    if found < LEAST_FOUND:
        what = "kept" if good else "reverted"
        reason = f"only {found:.0f} of the edits that it would hold for were {what}"
        return Withheld(name=name, target=target.text, reason=f"{reason}, {LEAST_FOUND} are needed")
    spread = _spread(place, evidence, counts, good=good, ahead=ahead)
    if spread is None or spread.width > WIDEST:
        reason = "its precision differs too much from one period to the next to be told"
        return Withheld(name=name, target=target.text, reason=reason)
    return _level(name, target, place, evidence, spread)


def _measure_fixed(
    name: str, target: Target, place: int, evidence: Evidence, ahead: float
) -> MeasuredLevel:
    counts, good = total(evidence.periods), target.is_good
    spread = _spread(place, evidence, counts, good=good, ahead=ahead) or Interval(0.0, 1.0)
    level = _level(name, target, place, evidence, spread)
    return replace(level, target=BY_HAND)


def _level(
    name: str, target: Target, place: int, evidence: Evidence, spread: Interval
) -> MeasuredLevel:
    curve, good = Curve(total(evidence.periods)), target.is_good
    counts = curve.counts
    own = Curve(evidence.own)
    shown = own if evidence.own.mass.sum() > 0 else curve
    recall = float((curve.good_recall if good else curve.recall)[place])
    sought = counts.number(Label.KEPT if good else Label.REVERTED)
    recalls = wilson(recall, sought)
    flag_rate = float((shown.filter_rate if good else shown.flag_rate)[place])
    wrong = curve.false_positive_rate
    return MeasuredLevel(
        name=name,
        threshold=place / len(wrong),
        precision=_rounded((curve.good_precision if good else curve.precision)[place]),
        recall=_rounded(recall),
        flag_rate=_rounded(flag_rate, 5),
        target=target.text,
        n=counts.number(Label.KEPT) + counts.number(Label.REVERTED),
        low=_rounded(spread.low),
        high=_rounded(spread.high),
        recall_low=_rounded(recalls.low),
        recall_high=_rounded(recalls.high),
        false_positive_rate=_rounded(curve.good_recall[place] if good else wrong[place], 5),
        edits_a_day=_rounded(flag_rate * _a_day(evidence.own), 2),
        reverted=counts.number(Label.REVERTED),
        pooled=evidence.pooled,
        kinds=tuple(_kind(kind, counts, place, good=good) for kind in KINDS if _has(counts, kind)),
    )


def _a_day(counts: Counts) -> float:
    return float(counts.mass.sum()) / counts.days if counts.days else 0.0


def _has(counts: Counts, kind: str) -> bool:
    return bool(counts.mass[KINDS.index(kind)].sum() > 0)


def _kind(kind: str, counts: Counts, place: int, *, good: bool) -> KindQuality:
    of_kind = counts.of_kind(kind)
    curve = Curve(of_kind)
    rate = (curve.filter_rate if good else curve.flag_rate)[place]
    wrong = (curve.good_recall if good else curve.false_positive_rate)[place]
    return KindQuality(
        kind=kind,
        edits=of_kind.number(*Label),
        flag_rate=_or_none(rate),
        false_positive_rate=_or_none(wrong),
    )


def _spread(
    place: int, evidence: Evidence, counts: Counts, *, good: bool, ahead: float
) -> Interval | None:
    parts = [_part(period, place, good=good, units=counts) for period in evidence.periods]
    told = [part for part in parts if part.so + part.not_so > 0]
    if len(told) < 2:
        return None
    share = float(evidence.own.mass.sum() / counts.mass.sum()) if evidence.pooled else 1.0
    mine = _part(counts, place, good=good, units=evidence.own).times(ahead * share)
    return next_period(told, mine)


def _part(counts: Counts, place: int, *, good: bool, units: Counts) -> Part:
    """Part the edits that a level holds for into right and wrong ones."""
    held = slice(None, place) if good else slice(place, None)
    mass = counts.mass[:, :, held].sum((0, 2))
    right, wrong = (Label.KEPT, Label.REVERTED) if good else (Label.REVERTED, Label.KEPT)
    return Part(float(mass[right]), float(mass[wrong]), _unit(units, right), _unit(units, wrong))


def _unit(counts: Counts, label: Label) -> float:
    mass = counts.mass[:, label].sum()
    return float(counts.squares[:, label].sum() / mass) if mass else 1.0


def _rounded(share: object, digits: int = 4) -> float:
    """Round; a share of no edits, which only a level by hand can have, is told as 0."""
    number = float(share)  # type: ignore[arg-type]
    return round(number, digits) if np.isfinite(number) else 0.0


def _or_none(share: float) -> float | None:
    return _rounded(share, 5) if np.isfinite(share) else None
