"""Scorers side by side on the same edits: all, by kind of editor, by wiki."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from msgspec import Struct

from revision_quality.models.trees import Doubles
from revision_quality.training import metrics, peers
from revision_quality.training.boost import Settings
from revision_quality.training.calibrate import calibrate
from revision_quality.training.examples import Examples, split
from revision_quality.training.fit import (
    INNER_FOLDS,
    grow,
    grown_out_of_fold,
    out_of_fold,
)
from revision_quality.training.metrics import Bin, Curve, Figure, Figures, Mask

OURS = "this model"
RECIPE = "published recipe (imitation)"
SLOWER_RECIPE = "the same, learning slower"
RULE = "is anonymous"
_PEERS = {RECIPE: peers.RECIPE_SETTINGS, SLOWER_RECIPE: peers.SLOWER_SETTINGS}
MODELS = 1 + len(_PEERS)
"""How many models are grown side by side."""

_CURVE_POINTS = 200


class CurvePoint(Struct, frozen=True):
    """A threshold and what it does, each 0 to 1."""

    threshold: float
    precision: float
    recall: float
    flag_rate: float
    false_positive_rate: float


class ScorerReport(Struct, frozen=True, kw_only=True):
    """One scorer's figures; a group without both classes has None.

    `times_recipe` says how many times the published recipe's figures it has over all edits, by the
    names in `metrics.RATIOS`; it is empty for the recipe and where the recipe was not measured.
    """

    name: str
    all: Figures
    anonymous: Figures | None
    registered: Figures | None
    wikis: dict[str, Figures | None]
    reliability: tuple[Bin, ...]
    curve: tuple[CurvePoint, ...]
    times_recipe: dict[str, Figure] = {}


class Report(Struct, frozen=True, kw_only=True):
    """Scorers measured on the same edits. `setting` says which edits and what trained on."""

    setting: str
    edits: int
    wikis: int
    scorers: tuple[ScorerReport, ...]


def cross_validated(
    examples: Examples,
    folds: Sequence[Mask],
    settings: Settings,
    tick: Callable[[], None],
) -> dict[str, Doubles]:
    """Score each edit by models that never saw its fold; the recipe too where its rows are there.

    One calibration line of three parameters serves all folds, as it does in a model file: lines
    fitted without a fold lean against that fold's own rate and would blur the order across folds.
    The recipe is trained at the natural weight, so that its scores are probabilities without
    calibration, as the published model's are meant to be.
    """
    margins = grown_out_of_fold(examples, folds, settings, tick)
    line = calibrate(margins, examples.labels, examples.weights)
    scores = {OURS: line.apply(margins)}
    return scores | _peers_out_of_fold(examples, folds, tick)


def before_and_after(
    examples: Examples, later: Mask, settings: Settings, tick: Callable[[], None]
) -> dict[str, Doubles]:
    """Score the edits that `later` marks by models trained on the others."""
    earlier, measured = examples.only(~later), examples.only(later)
    folds = split(earlier, INNER_FOLDS, settings.seed)
    margins = grown_out_of_fold(earlier, folds, settings, tick)
    line = calibrate(margins, earlier.labels, earlier.weights)
    scores = {OURS: line.apply(grow(earlier, settings).margins(measured))}
    tick()
    theirs = _peers_out_of_fold(examples, [later], tick)
    return scores | {name: peer[later] for name, peer in theirs.items()}


def _peers_out_of_fold(
    examples: Examples, folds: Sequence[Mask], tick: Callable[[], None]
) -> dict[str, Doubles]:
    if examples.peer_rows is None:
        return {}
    return {
        name: _probabilities(
            out_of_fold(
                examples.peer_rows,
                examples.labels,
                examples.weights,
                folds,
                settings=settings,
                tick=tick,
            )
        )
        for name, settings in _PEERS.items()
    }


def _probabilities(margins: Doubles) -> Doubles:
    return np.asarray(1 / (1 + np.exp(-margins)))


def _curve_points(points: Curve) -> tuple[CurvePoint, ...]:
    last = len(points.thresholds) - 1
    chosen = np.unique(
        np.concatenate(
            [
                np.searchsorted(points.recall, np.linspace(0, 1, _CURVE_POINTS // 2)),
                np.geomspace(1, last + 1, _CURVE_POINTS // 2).astype(int) - 1,
            ]
        ).clip(0, last)
    )
    return tuple(
        CurvePoint(
            float(points.thresholds[i]),
            float(points.precision[i]),
            float(points.recall[i]),
            float(points.flagged[i]),
            float(points.false_positive_rate[i]),
        )
        for i in chosen
    )


def _report_on(
    name: str, scores: Doubles, recipe: Doubles | None, examples: Examples, resamples: int
) -> ScorerReport:
    def measured(mask: Mask, draws: int) -> Figures | None:
        return metrics.measure(
            scores[mask],
            examples.labels[mask],
            examples.weights[mask],
            examples.anonymous[mask],
            resamples=draws,
        )

    everything = np.ones(len(scores), np.bool_)
    figures = measured(everything, resamples)
    if figures is None:
        raise ValueError("the edits hold only one class")
    return ScorerReport(
        name=name,
        all=figures,
        anonymous=measured(examples.anonymous, resamples),
        registered=measured(~examples.anonymous, resamples),
        wikis={
            str(wiki): measured(examples.wikis == wiki, resamples)
            for wiki in np.unique(examples.wikis)
        },
        reliability=metrics.reliability(scores, examples.labels, examples.weights),
        curve=_curve_points(metrics.curve(scores, examples.labels, examples.weights)),
        times_recipe=(
            {}
            if recipe is None or name == RECIPE
            else metrics.ratios(
                scores,
                recipe,
                examples.labels,
                examples.weights,
                examples.anonymous,
                resamples=resamples,
            )
        ),
    )


def report(
    setting: str,
    scores: Mapping[str, Doubles],
    examples: Examples,
    *,
    resamples: int = 200,
    tick: Callable[[], None] = lambda: None,
) -> Report:
    """Measure each scorer, and the rule that every anonymous edit is bad beside them."""
    scorers = []
    for name, own in {**scores, RULE: examples.anonymous.astype(np.float64)}.items():
        scorers.append(_report_on(name, own, scores.get(RECIPE), examples, resamples))
        tick()
    return Report(
        setting=setting,
        edits=len(examples.labels),
        wikis=len(np.unique(examples.wikis)),
        scorers=tuple(scorers),
    )
