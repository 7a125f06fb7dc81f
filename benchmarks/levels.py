"""Do levels hold? Chosen on the first 70 % of each wiki's labelled edits, measured on the rest.

    pip install -e '.[train]'
    python benchmarks/levels.py DATA --scores scores.npz

DATA is a folder of labelled edits (docs/model.md has the fields). Every edit is scored by models
trained without its wiki, as a wiki that the model has not seen would be; that takes ten minutes and
is kept in the file `--scores`, if one is named. The edits of each wiki then come in the order of
time. What is told of a level (`docs/levels.md`) is told from the first part alone; the second part
only tests whether its precision is within the interval.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from revision_quality.levels.calibration import LEAST_REVERTED, isotonic
from revision_quality.levels.choosing import Choice, choose
from revision_quality.levels.counts import BINS, KINDS, Counts, Doubles, Label, count, total
from revision_quality.levels.curve import Curve
from revision_quality.levels.level import MeasuredLevel
from revision_quality.levels.pooling import Profile, gather, profile_of
from revision_quality.levels.target import DEFAULT_TARGETS, parse_target
from revision_quality.views.change import UserLevel
from revision_quality.views.user_level import (
    EXPERIENCED_AGE,
    EXPERIENCED_EDITS,
    LEARNER_AGE,
    LEARNER_EDITS,
)
from revision_quality.wiki.revision import Revision

FIRST = 0.7
LEAST_LATER = 100
GROUPS = 10
SLICES = 56
"""Slices of the first part, as a window of eight weeks has days."""

MORE_TARGETS = {
    "flag_rate": "flag_rate <= 0.02",
    "false_positive_rate": "false_positive_rate <= 0.01",
    "precision 0.6": "maximum recall @ precision >= 0.6",
}


class Scored(NamedTuple):
    """Edits as arrays; `kinds` are places in KINDS."""

    scores: npt.NDArray[np.float64]
    labels: npt.NDArray[np.int64]
    weights: npt.NDArray[np.float64]
    wikis: npt.NDArray[np.str_]
    times: npt.NDArray[np.float64]
    kinds: npt.NDArray[np.int64]

    def only(self, mask: Any) -> "Scored":
        """Return the edits that `mask` marks."""
        return Scored(*(column[mask] for column in self))


def score(data: Path) -> Scored:
    """Score each labelled edit by models that did not see its wiki."""
    from revision_quality.training.boost import Settings  # noqa: PLC0415 (an extra)
    from revision_quality.training.calibrate import calibrate  # noqa: PLC0415
    from revision_quality.training.examples import join, split  # noqa: PLC0415
    from revision_quality.training.fit import FOLDS, grown_out_of_fold  # noqa: PLC0415
    from revision_quality.training.sources import training_files  # noqa: PLC0415

    with ProcessPoolExecutor() as processes:
        parts = list(processes.map(_examples, training_files(data)))
    examples = join([part for part, _ in parts])
    settings = Settings(threads=2)
    margins = grown_out_of_fold(examples, split(examples, FOLDS, settings.seed), settings)
    line = calibrate(margins, examples.labels, examples.weights)
    return Scored(
        line.apply(margins),
        examples.labels,
        examples.weights,
        examples.wikis,
        examples.times,
        np.concatenate([kinds for _, kinds in parts]),
    )


def _examples(path: Path) -> tuple[Any, npt.NDArray[np.int64]]:
    from revision_quality.training.examples import to_examples  # noqa: PLC0415
    from revision_quality.training.sources import read_edits  # noqa: PLC0415

    edits = list(read_edits(path))
    return to_examples(edits), np.array([KINDS.index(_kind(edit.revision)) for edit in edits])


def _kind(revision: Revision) -> str:
    user = revision.user
    if user.is_anonymous or user.is_temp:
        return "anonymous" if user.is_anonymous else "temporary"
    if user.edit_count is None or user.registration_dt is None:
        return UserLevel.REGISTERED
    age = revision.rev_dt - user.registration_dt
    if user.edit_count >= EXPERIENCED_EDITS and age >= EXPERIENCED_AGE:
        return UserLevel.EXPERIENCED
    is_learner = user.edit_count >= LEARNER_EDITS and age >= LEARNER_AGE
    return UserLevel.LEARNER if is_learner else UserLevel.NEWCOMER


def halves(edits: Scored) -> tuple[list[Counts], Counts]:
    """Count the first part of one wiki's edits by slices of as many edits, and the rest."""
    edits = edits.only(np.argsort(edits.times, kind="stable"))
    border = int(len(edits.times) * FIRST)
    slices = np.array_split(np.arange(border), SLICES)
    return [_count(edits.only(each)) for each in slices], _count(edits.only(slice(border, None)))


def _profile(counts: Counts) -> Profile:
    return profile_of(counts.mass.sum((0, 1)), counts.number(Label.REVERTED))


def _count(edits: Scored) -> Counts:
    days = float(np.ptp(edits.times)) / 86400 if len(edits.times) else 0.0
    return count(edits.scores, edits.labels, edits.kinds, edits.weights, days=days)


class Held(NamedTuple):
    """A level, the precision measured later, None where it held for no later edit."""

    wiki: str
    level: MeasuredLevel
    later: float | None
    reverted: int

    @property
    def is_within(self) -> bool:
        """Whether the later precision is where the level says that it will be."""
        return self.later is not None and self.level.low <= self.later <= self.level.high


def replayed(edits: Scored) -> Iterator[tuple[str, Choice | str, Counts]]:
    """Choose the levels of each wiki on its first part."""
    parts = {str(wiki): halves(edits.only(edits.wikis == wiki)) for wiki in np.unique(edits.wikis)}
    targets = {name: parse_target(text) for name, text in DEFAULT_TARGETS.items()}
    profiles = {name: _profile(total(first)) for name, (first, _) in parts.items()}
    for wiki, (_, later) in parts.items():
        evidence = gather(
            wiki, parts[wiki][0], lambda: profiles, lambda name: total(parts[name][0])
        )
        if isinstance(evidence, str):
            yield wiki, evidence, later
            continue
        ahead = (1 - FIRST) / FIRST
        found = [choose(targets, evidence, ahead=ahead)]
        found += [
            choose({name: parse_target(text)}, evidence, ahead=ahead)
            for name, text in MORE_TARGETS.items()
        ]
        levels = tuple(level for each in found for level in each.levels)
        yield wiki, Choice(levels, tuple(w for each in found for w in each.withheld)), later


def held(wiki: str, level: MeasuredLevel, later: Counts) -> Held:
    """Measure a level on the later edits."""
    curve, place = Curve(later), round(level.threshold * 1000)
    is_good = parse_target(level.target).is_good
    found = float((curve.good_precision if is_good else curve.precision)[place])
    return Held(wiki, level, found if np.isfinite(found) else None, later.number(Label.REVERTED))


def show(edits: Scored) -> None:
    """Print the tables of docs/levels.md."""
    all_held: list[Held] = []
    withheld = 0
    for wiki, choice, later in replayed(edits):
        if isinstance(choice, str):
            print(f"{wiki}: {choice}")
            continue
        withheld += len(choice.withheld)
        all_held += [held(wiki, level, later) for level in choice.levels]
    counted = [each for each in all_held if each.reverted >= LEAST_LATER]
    print("| wiki | later reverted | level | threshold | precision | interval | later | within |")
    print("|---|---:|---|---:|---:|---|---:|---|")
    for each in counted:
        level = each.level
        print(
            f"| {each.wiki} | {each.reverted} | {level.name} | {level.threshold:.3f}"
            f" | {level.precision:.3f} | {level.low:.3f} to {level.high:.3f}"
            f" | {'none' if each.later is None else f'{each.later:.3f}'}"
            f" | {'yes' if each.is_within else 'no'} |"
        )
    for name, some in (("≥ 100 later reverted", counted), ("all", all_held)):
        if some:
            within = sum(each.is_within for each in some)
            wikis = len({each.wiki for each in some})
            widths = [each.level.high - each.level.low for each in some]
            print(
                f"\n{name}: {wikis} wikis, {len(some)} levels offered, {within}"
                f" ({within / len(some):.1%}) within; width of the interval: median"
                f" {np.median(widths):.3f}, greatest {max(widths):.3f}"
            )
    print(f"withheld: {withheld}")


def show_calibration(edits: Scored) -> None:
    """Print whether a wiki's own calibration, learnt on its first part, holds on the rest."""
    print("\n| wiki | later reverted | error of the score | of its own risk | Brier | own |")
    print("|---|---:|---:|---:|---:|---:|")
    rows = []
    for wiki in np.unique(edits.wikis):
        first, later = halves(edits.only(edits.wikis == wiki))
        reverted = later.number(Label.REVERTED)
        if total(first).number(Label.REVERTED) < LEAST_REVERTED or reverted < LEAST_LATER:
            continue
        risk = isotonic(total(first))
        there = np.flatnonzero(np.isfinite(risk))
        risk = np.interp(np.arange(BINS), there, risk[there])
        raw = (np.arange(BINS) + 0.5) / BINS
        rows.append([*_errors(raw, later), *_errors(risk, later)])
        _print_errors(f"{wiki} | {reverted}", rows[-1])
    if rows:
        _print_errors("mean | ", np.mean(rows, axis=0).tolist())


def _print_errors(what: str, errors: list[float]) -> None:
    error, brier, own_error, own_brier = errors
    print(f"| {what} | {error:.4f} | {own_error:.4f} | {brier:.4f} | {own_brier:.4f} |")


def _errors(told: Doubles, later: Counts) -> tuple[float, float]:
    """Return the expected calibration error, in ten groups of as many edits, and Brier's score."""
    by_label = later.mass.sum(0)
    reverted = by_label[Label.REVERTED]
    mass = reverted + by_label[Label.KEPT]
    group = np.minimum(np.cumsum(mass) / mass.sum() * GROUPS, GROUPS - 1).astype(int)
    differences = np.bincount(group, mass * told - reverted, GROUPS)
    squares = reverted * (1 - told) ** 2 + (mass - reverted) * told**2
    return float(np.abs(differences).sum() / mass.sum()), float(squares.sum() / mass.sum())


def speed() -> None:
    """Print how long a million edits take from scores to levels."""
    random = np.random.default_rng(1)
    scores = random.beta(0.3, 6, 1_000_000)
    labels = (random.random(len(scores)) < scores).astype(int)
    kinds = random.integers(0, len(KINDS), len(scores))
    targets = {name: parse_target(text) for name, text in DEFAULT_TARGETS.items()}
    start = time.perf_counter()
    days = [
        count(*part)
        for part in zip(
            *(np.array_split(each, 56) for each in (scores, labels, kinds)), strict=True
        )
    ]
    counted = time.perf_counter()
    evidence = gather("enwiki", days, dict, lambda _: total(days))
    assert not isinstance(evidence, str)
    choose(targets, evidence)
    done = time.perf_counter()
    print(
        f"{total(days).number(*Label):,} edits: {counted - start:.2f} s to count,"
        f" {done - counted:.2f} s to choose levels"
    )


def main() -> None:
    """Score, or read what was scored; then replay."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--scores", type=Path)
    arguments = parser.parse_args()
    speed()
    file = arguments.scores
    if file and file.exists():
        with np.load(file) as kept:
            edits = Scored(**kept)
    else:
        print("scoring…", file=sys.stderr)
        edits = score(arguments.data)
        if file:
            np.savez(file, **edits._asdict())
    show(edits)
    show_calibration(edits)


if __name__ == "__main__":
    main()
