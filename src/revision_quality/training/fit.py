"""From examples to a model: folds, trees, calibration, levels."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from msgspec.structs import replace

from revision_quality.errors import ModelError
from revision_quality.models.artifact import FORMAT, Artifact, Header
from revision_quality.models.features import vector
from revision_quality.models.ngram_weights import NgramWeights
from revision_quality.models.trees import Doubles, Floats, Trees
from revision_quality.training import ngrams
from revision_quality.training.boost import Settings, grow_trees
from revision_quality.training.calibrate import calibrate
from revision_quality.training.examples import Examples, split
from revision_quality.training.levels import default_levels
from revision_quality.training.metrics import Labels, Mask

NAME = "revertrisk-language-agnostic"
FOLDS = 6
INNER_FOLDS = 3
_LOOK_TEMPER, _LOOK_REWEIGHING = 0.6, 0.38
_TEMPER, _REWEIGHING = 0.8, 0.55
_CLEAR, _BLUR = -1.0, 0.5
"""Log odds of the first look around which reweighing ends, and over how much: about a score of 0.1,
for the first look tempers the natural weights."""
_NATURAL_BLUR = 0.7
"""Over how much of the first look's log odds, around 0, the natural weights come back."""


def _nothing() -> None:
    return None


def reweighing(examples: Examples, strength: float | Doubles) -> Doubles:
    """Weights that loosen the tie between kind of editor and label.

    Kamiran and Calders, "Data preprocessing techniques for classification without
    discrimination" (2012): P(kind) P(label) / P(kind, label), here to the power of `strength`,
    one for all or one for each example: at 1 kind and label are independent, at 0 nothing is
    weighed.
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


def _tempered(examples: Examples, power: float | Doubles) -> Doubles:
    """Natural weights to a power of at most 1, one for all or one for each example.

    At the full weight a few wikis with rare reverts outweigh the others; at none the model is
    drawn to the sample's rate. The calibration restores the natural rate.
    """
    return np.asarray(examples.weights**power)


def tempers(margins: Doubles) -> Doubles:
    """The powers of the natural weights for examples with these log odds: 1 where one looks bad.

    There kept edits are few, and each stands for as many as its wiki has of them.
    """
    return np.asarray(_TEMPER + (1 - _TEMPER) / (1 + np.exp(-margins / _NATURAL_BLUR)))


def strengths(margins: Doubles) -> Doubles:
    """How strongly to reweigh examples with these log odds: fully where an edit says little.

    Who made an edit decides about middling scores. Clear damage is clear whoever did it: weighing
    it would only blur its order.
    """
    return np.asarray(_REWEIGHING / (1 + np.exp((margins - _CLEAR) / _BLUR)))


class Grown(NamedTuple):
    """What is learnt: weights of n-grams for each feature LEARNT, and trees over all features."""

    ngrams: tuple[NgramWeights, ...]
    trees: Trees

    def margins(self, examples: Examples) -> Doubles:
        """Return the log odds of each example."""
        return self.trees.margins(rows(examples, self.ngrams))


def rows(examples: Examples, learnt: Sequence[NgramWeights]) -> Floats:
    """Return what the trees read of each example, by these weights of n-grams."""
    pairs = zip(learnt, examples.ngrams, strict=True)
    return _joined(examples, [ngrams.log_odds(*each) for each in pairs])


def _joined(examples: Examples, odds: Sequence[Doubles]) -> Floats:
    return np.column_stack([examples.rows, *(each.astype(np.float32) for each in odds)])


class Look(NamedTuple):
    """A first look at examples: what trees read of each, its log odds, the weights of n-grams.

    `rows` and `margins` are made by weights and trees learnt without an example's own wiki.
    """

    rows: Floats
    margins: Doubles
    ngrams: tuple[NgramWeights, ...]


def look(examples: Examples, settings: Settings) -> Look:
    """Learn the weights of n-grams, and grow the trees of a first look.

    Trees learn from what the n-grams of an edit say by weights learnt without that edit's wiki:
    with weights that have seen the edit they would trust the n-grams too far.
    """
    labels, tempered = examples.labels, _tempered(examples, _LOOK_TEMPER)
    weights = tempered * reweighing(examples, _LOOK_REWEIGHING)
    folds = split(examples, INNER_FOLDS, settings.seed)
    odds = [ngrams.out_of_fold(each, labels, weights, folds) for each in examples.ngrams]
    seen = _joined(examples, odds)
    brief = replace(settings, forests=1, rounds=max(settings.rounds // 2, 1))
    margins = out_of_fold(seen, labels, tempered, folds, settings=brief)
    learnt = tuple(ngrams.learn(each, labels, weights) for each in examples.ngrams)
    return Look(seen, margins, learnt)


def grow(examples: Examples, settings: Settings) -> Grown:
    """Learn all of a model: a first look, then its trees."""
    return grow_after(look(examples, settings), examples, settings)


def weights_after(seen: Look, examples: Examples) -> Doubles:
    """Return what each example weighs for the trees, by how it looks."""
    reweighed = reweighing(examples, strengths(seen.margins))
    return _tempered(examples, tempers(seen.margins)) * reweighed


def grow_after(seen: Look, examples: Examples, settings: Settings) -> Grown:
    """Grow a model's trees: a first look tells which examples to reweigh."""
    trees = grow_trees(seen.rows, examples.labels, weights_after(seen, examples), settings)
    return Grown(seen.ngrams, trees)


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
        trees = grow_trees(rows[kept], labels[kept], weights[kept], settings)
        margins[held_out] = trees.margins(rows[held_out])
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
        grown = grow(examples.only(~held_out), settings)
        margins[held_out] = grown.margins(examples.only(held_out))
        tick()
    return margins


def steps(folds: int) -> int:
    """How often `fit` ticks at most."""
    return folds + 1


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
    grown = grow(examples, settings)
    tick()
    header = Header(
        format=FORMAT,
        name=NAME,
        version=version,
        features_version=vector.VERSION,
        features=vector.NAMES,
        depth=grown.trees.depth,
        base=grown.trees.base,
        levels=default_levels(calibration.apply(margins), examples.labels, examples.weights),
    )
    return Artifact(header, grown.trees, grown.ngrams, calibration)
