"""From examples to a model: folds, trees, calibration, levels."""

from collections.abc import Callable, Sequence

import numpy as np

from revision_quality.errors import ModelError
from revision_quality.models.artifact import FORMAT, Artifact, Header
from revision_quality.models.features import vector
from revision_quality.models.trees import Doubles, Floats, Trees
from revision_quality.training.boost import Settings, boost, to_trees
from revision_quality.training.calibrate import calibrate
from revision_quality.training.examples import Examples, split
from revision_quality.training.levels import default_levels
from revision_quality.training.metrics import Labels, Mask

NAME = "revertrisk-language-agnostic"
FOLDS = 6
INNER_FOLDS = 3
_TEMPER = 0.6
_REWEIGHING = 0.25
_DOUBTFUL_FROM = 0.5
_DOUBTFUL_WEIGHT = 0.1


def _nothing() -> None:
    return None


def reweighing(examples: Examples, strength: float = _REWEIGHING) -> Doubles:
    """Weights that loosen the tie between kind of editor and label.

    Kamiran and Calders, "Data preprocessing techniques for classification without
    discrimination" (2012): P(kind) P(label) / P(kind, label), here to the power of `strength`:
    at 1 kind and label are independent, at 0 nothing is weighed.
    """
    weights, total = examples.weights, examples.weights.sum()
    factors = np.ones(len(weights))
    for kind in (False, True):
        of_kind = examples.anonymous == kind
        for label in (0, 1):
            of_label = examples.labels == label
            both = of_kind & of_label
            if both.any():
                expected = weights[of_kind].sum() * weights[of_label].sum() / total
                factors[both] = expected / weights[both].sum()
    return np.asarray(factors**strength)


def training_weights(examples: Examples) -> Doubles:
    """Natural weights to the power of 0.6, and reweighed by kind of editor.

    At the full weight a few wikis with rare reverts outweigh the others; at none the model is
    drawn to the sample's rate. The calibration restores the natural rate.
    """
    tempered: Doubles = examples.weights**_TEMPER * reweighing(examples)
    return tempered


def grow(examples: Examples, settings: Settings, tick: Callable[[], None] = _nothing) -> Trees:
    """Grow the model's trees, trusting less in labels 0 that other wikis' edits contradict.

    Damage that nobody noticed counts as 0. Edits with label 0 that a model without their wiki
    takes for damage weigh a tenth; then the trees are grown for good. Ticks once a growth.
    """
    weights = training_weights(examples)
    folds = split(examples, INNER_FOLDS, settings.seed)
    if len(folds) > 1:
        margins = out_of_fold(
            examples.rows, examples.labels, weights, folds, settings=settings, tick=tick
        )
        doubtful = (examples.labels == 0) & (
            margins > np.log(_DOUBTFUL_FROM / (1 - _DOUBTFUL_FROM))
        )
        weights = np.where(doubtful, weights * _DOUBTFUL_WEIGHT, weights)
    trees = to_trees(boost(examples.rows, examples.labels, weights, settings))
    tick()
    return trees


def out_of_fold(
    rows: Floats,
    labels: Labels,
    weights: Doubles,
    folds: Sequence[Mask],
    *,
    settings: Settings,
    tick: Callable[[], None] = _nothing,
) -> Doubles:
    """Return the log odds of each edit in a fold, by trees grown without that fold."""
    margins = np.zeros(len(labels))
    for held_out in folds:
        kept = ~held_out
        booster = boost(rows[kept], labels[kept], weights[kept], settings)
        margins[held_out] = to_trees(booster).margins(rows[held_out])
        tick()
    return margins


def grown_out_of_fold(
    examples: Examples,
    folds: Sequence[Mask],
    settings: Settings,
    tick: Callable[[], None] = _nothing,
) -> Doubles:
    """Return the log odds of each edit by a model grown without its fold. See `steps`."""
    margins = np.zeros(len(examples.labels))
    for held_out in folds:
        trees = grow(examples.only(~held_out), settings, tick)
        margins[held_out] = trees.margins(examples.rows[held_out])
    return margins


def steps(folds: int) -> int:
    """How often `fit` ticks at most."""
    return (folds + 1) * (INNER_FOLDS + 1)


def fit(
    examples: Examples,
    version: str,
    settings: Settings,
    *,
    folds: int = FOLDS,
    tick: Callable[[], None] = _nothing,
) -> Artifact:
    """Train on all examples; calibrate and measure levels on scores of wikis left out.

    Deterministic on one machine for the same arguments. Raises ModelError where the examples
    hold one label only. One wiki alone is calibrated on stretches of time left out.
    """
    masks = split(examples, folds, settings.seed)
    if len(masks) < 2 or len(np.unique(examples.labels)) < 2:
        raise ModelError(
            "the labelled edits all have the same label or the same time; training needs edits that"
            " were reverted and edits that were not."
        )
    margins = grown_out_of_fold(examples, masks, settings, tick)
    calibration = calibrate(margins, examples.labels, examples.weights)
    trees = grow(examples, settings, tick)
    header = Header(
        format=FORMAT,
        name=NAME,
        version=version,
        features_version=vector.VERSION,
        features=vector.NAMES,
        depth=trees.depth,
        base=trees.base,
        levels=default_levels(calibration.apply(margins), examples.labels, examples.weights),
    )
    return Artifact(header, trees, calibration)
