"""Other ways to grow the model's trees, beside the shipped one on the same wikis left out.

    python benchmarks/model_variants.py DATA [--only NAME ...] [--seed 1]

DATA is a folder of labelled edits. `--seed` groups the wikis otherwise. Prints the figures of the
recipe's imitation and of the shipped way, then how many times the shipped way's each variant's
figures are, and how many times the recipe's its recall at a false positive rate of 0.1 % is, with
95 % intervals over the same draws of the edits.
"""

import argparse
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import xgboost as xgb

from revision_quality.models.features import vector
from revision_quality.models.trees import Doubles, Floats
from revision_quality.training import fit, metrics, peers
from revision_quality.training.boost import Settings, parameters, to_trees
from revision_quality.training.examples import Examples, join, split, to_examples
from revision_quality.training.labelled import read_labelled_edits
from revision_quality.training.metrics import Mask
from revision_quality.training.sources import training_files

SHIPPED = "as shipped"


class Fold(NamedTuple):
    """A group of wikis left out: what is trained on, its first look, and what is measured."""

    number: int
    kept: Examples
    seen: fit.Look
    held_out: Floats


def _steep(margins: Doubles, width: float) -> Doubles:
    return np.asarray(1 / (1 + np.exp(-margins / width)))


def _weights(fold: Fold) -> Doubles:
    return fit.weights_after(fold.seen, fold.kept)


def _grown(
    fold: Fold,
    *,
    weights: Doubles | None = None,
    keep: Mask | slice = slice(None),
    columns: list[int] | slice = slice(None),
    settings: Settings | None = None,
    extra: Mapping[str, object] | None = None,
) -> Doubles:
    settings = settings or Settings()
    weights = _weights(fold) if weights is None else weights
    data = xgb.DMatrix(
        fold.seen.rows[keep][:, columns], fold.kept.labels[keep], weight=weights[keep], nthread=1
    )
    boosters = [
        xgb.train(
            parameters(settings, settings.seed + number) | (extra or {}), data, settings.rounds
        )
        for number in range(settings.forests)
    ]
    return to_trees(boosters).margins(fold.held_out[:, columns])


def _rising_odds(fold: Fold) -> Doubles:
    learnt = {feature.name for feature in vector.LEARNT}
    signs = [int(name in learnt) for name in vector.NAMES]
    return _grown(fold, extra={"monotone_constraints": tuple(signs)})


def _tempered_at_the_top(fold: Fold) -> Doubles:
    strengths = fit.strengths(fold.seen.margins)
    reweighed = fit.reweighing(fold.kept, strengths)
    return _grown(fold, weights=np.asarray(fold.kept.weights**0.8 * reweighed))


def _reweighed(fold: Fold, strength: float) -> Doubles:
    tempered = fold.kept.weights ** fit.tempers(fold.seen.margins)
    faded = strength * fit.strengths(fold.seen.margins) / fit.strengths(np.array([-np.inf]))
    return _grown(fold, weights=np.asarray(tempered * fit.reweighing(fold.kept, faded)))


def _small_steps(fold: Fold) -> Doubles:
    return _grown(fold, extra={"max_delta_step": 1})


def _top_counts_more(fold: Fold) -> Doubles:
    return _grown(fold, weights=_weights(fold) * (0.25 + _steep(fold.seen.margins, 1.0)))


def _without_parts_before(fold: Fold) -> Doubles:
    kept = {"parent_length", "parent_age"}
    columns = [
        place
        for place, name in enumerate(vector.NAMES)
        if name in kept or not name.startswith("parent_")
    ]
    return _grown(fold, columns=columns)


def _wikis_drawn(fold: Fold) -> Doubles:
    """Six forests, each of seven tenths of the wikis."""
    wikis = np.unique(fold.kept.wikis)
    margins = []
    for seed in range(1, 7):
        drawn = np.random.default_rng(100 * seed + fold.number).permutation(wikis)
        keep = np.isin(fold.kept.wikis, drawn[: round(0.7 * len(wikis))])
        margins.append(_grown(fold, keep=keep, settings=Settings(seed=seed, forests=1)))
    return np.mean(margins, 0)


def _more_forests(fold: Fold) -> Doubles:
    return _grown(fold, settings=Settings(forests=7))


def _clear_kept_edits_left_out(fold: Fold) -> Doubles:
    """Without the kept edits that hold the top 0.1 % of the first look's, by natural weight."""
    weights = fold.kept.weights * (fold.kept.labels == 0)
    order = np.argsort(-np.where(weights > 0, fold.seen.margins, -np.inf))
    keep = np.ones(len(weights), np.bool_)
    keep[order[np.cumsum(weights[order]) < 0.001 * weights.sum()]] = False
    return _grown(fold, keep=keep)


VARIANTS: dict[str, Callable[[Fold], Doubles]] = {
    "odds of n-grams may only raise the score": _rising_odds,
    "natural weights tempered at the top, too": _tempered_at_the_top,
    "kinds of editors reweighed by 0.5": partial(_reweighed, strength=0.5),
    "kinds of editors reweighed by 0.65": partial(_reweighed, strength=0.65),
    "no leaf moves the log odds by more than one step": _small_steps,
    "the top counts up to five times as much": _top_counts_more,
    "no counts of the page before": _without_parts_before,
    "six forests, each of 70 % of the wikis": _wikis_drawn,
    "seven forests": _more_forests,
    "kept edits at the top left out": _clear_kept_edits_left_out,
}


def _read(data: Path) -> Examples:
    return join(
        [to_examples(read_labelled_edits(path), with_peer=True) for path in training_files(data)]
    )


def _shown(figures: Mapping[str, metrics.Figure]) -> str:
    return "  ".join(
        f"{name} {each.value:.3f} ({each.low:.3f}-{each.high:.3f})"
        for name, each in figures.items()
    )


def main(data: Path, only: list[str], seed: int) -> None:
    """Measure the variants named in `only`, or all, on the edits in `data`."""
    examples = _read(data)
    masks = split(examples, fit.FOLDS, seed)
    folds = []
    for number, mask in enumerate(masks):
        kept = examples.only(~mask)
        seen = fit.look(kept, Settings())
        folds.append(Fold(number, kept, seen, fit.rows(examples.only(mask), seen.ngrams)))

    def margins_of(variant: Callable[[Fold], Doubles]) -> Doubles:
        margins = np.zeros(len(examples.labels))
        for mask, fold in zip(masks, folds, strict=True):
            margins[mask] = variant(fold)
        return margins

    truth = (examples.labels, examples.weights, examples.anonymous)
    assert examples.peer_rows is not None
    recipe = fit.out_of_fold(examples.peer_rows, *truth[:2], masks, settings=peers.RECIPE_SETTINGS)
    shipped = margins_of(_grown)
    for name, margins in (("recipe", recipe), (SHIPPED, shipped)):
        figures = metrics.measure(margins, *truth)
        assert figures is not None
        print(f"{name}: {_shown({each: getattr(figures, each) for each in metrics.RATIOS})}")
    print(f"{SHIPPED}, times the recipe's: {_shown(metrics.ratios(shipped, recipe, *truth))}")
    for name in only or VARIANTS:
        margins = margins_of(VARIANTS[name])
        beside = metrics.ratios(margins, recipe, *truth)["recall_at_fpr_0001"]
        print(f"{name}: {_shown(metrics.ratios(margins, shipped, *truth))}")
        print(f"{name}, times the recipe's: {_shown({'recall_at_fpr_0001': beside})}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--only", nargs="*", choices=list(VARIANTS), default=[])
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    main(arguments.data, arguments.only, arguments.seed)
