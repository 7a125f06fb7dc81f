"""Boosted trees by XGBoost, and their translation into the package's own arrays."""

import json
import math
from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt
import xgboost as xgb
from msgspec import Struct

from revision_quality.models.trees import Doubles, Floats, Trees

_LEAST = 1e-7


class Settings(Struct, frozen=True, kw_only=True):
    """How the trees are grown, in XGBoost's words; `seed` fixes the outcome on one machine.

    `forests` is how often they are grown, with one seed after the other; the mean of the log odds
    is the model. `base_score` is the probability that they start from, None for XGBoost's estimate.
    """

    rounds: int = 300
    max_depth: int = 7
    learning_rate: float = 0.04
    subsample: float = 0.6
    colsample_bytree: float = 0.3
    min_child_weight: float = 8.0
    reg_lambda: float = 1.0
    base_score: float | None = 0.5
    seed: int = 1
    threads: int = 1
    forests: int = 3


def grow_trees(
    rows: Floats, labels: npt.NDArray[np.int64], weights: Doubles, settings: Settings
) -> Trees:
    """Grow trees for the log odds of `labels`; rows must have no missing values."""
    data = xgb.DMatrix(rows, labels, weight=weights, nthread=settings.threads)
    boosters = [boost(data, settings, settings.seed + number) for number in range(settings.forests)]
    return to_trees(boosters)


def parameters(settings: Settings, seed: int) -> dict[str, Any]:
    """Return XGBoost's parameters for one forest."""
    start = {} if settings.base_score is None else {"base_score": settings.base_score}
    return start | {
        "objective": "binary:logistic",
        "tree_method": "hist",
        "max_depth": settings.max_depth,
        "eta": settings.learning_rate,
        "subsample": settings.subsample,
        "colsample_bytree": settings.colsample_bytree,
        "min_child_weight": settings.min_child_weight,
        "lambda": settings.reg_lambda,
        "seed": seed,
        "nthread": settings.threads,
    }


def boost(data: xgb.DMatrix, settings: Settings, seed: int) -> xgb.Booster:
    """Grow one forest."""
    return xgb.train(parameters(settings, seed), data, settings.rounds)


def _layout(tree: dict[str, Any]) -> tuple[list[int], list[int], int]:
    """Return the tree's nodes in order of breadth, each one's new left child, and the depth."""
    order, depth_of = [0], {0: 0}
    left_of: list[int] = []
    for node in order:
        first = tree["left_children"][node]
        if first == -1:
            left_of.append(len(left_of))
            continue
        left_of.append(len(order))
        for child in (first, tree["right_children"][node]):
            order.append(child)
            depth_of[child] = depth_of[node] + 1
    return order, left_of, max(depth_of.values())


def _learner(booster: xgb.Booster) -> dict[str, Any]:
    learner: dict[str, Any] = json.loads(bytes(booster.save_raw("json")))["learner"]
    return learner


def _start(learner: dict[str, Any]) -> float:
    """Return the log odds before the first tree; XGBoost 3 writes the probability in brackets.

    XGBoost's estimate from edits of one label alone is 0 or 1, whose log odds are infinite.
    """
    written = float(learner["learner_model_param"]["base_score"].strip("[]"))
    probability = min(max(written, _LEAST), 1 - _LEAST)
    return math.log(probability / (1 - probability))


def to_trees(boosters: Sequence[xgb.Booster]) -> Trees:
    """Translate boosters' own JSON into the trees of their mean; rows must miss no value."""
    parts: dict[str, list[npt.NDArray[Any]]] = {
        name: [] for name in ("feature", "threshold", "left", "value", "cover")
    }
    roots, start, deepest = [], 0, 0
    share = np.float32(1 / len(boosters))
    learners = [_learner(booster) for booster in boosters]
    trees = (each["gradient_booster"]["model"]["trees"] for each in learners)
    for tree in chain.from_iterable(trees):
        order, left_of, depth = _layout(tree)
        leaf = np.array(tree["left_children"])[order] == -1
        conditions = np.array(tree["split_conditions"], np.float32)[order]
        parts["feature"].append(np.where(leaf, 0, np.array(tree["split_indices"])[order]))
        parts["threshold"].append(np.where(leaf, np.float32(np.inf), conditions))
        parts["left"].append(np.array(left_of) + start)
        parts["value"].append(np.where(leaf, conditions * share, np.float32(0)))
        parts["cover"].append(np.array(tree["sum_hessian"], np.float32)[order])
        roots.append(start)
        start += len(order)
        deepest = max(deepest, depth)
    joined = {name: np.concatenate(arrays) for name, arrays in parts.items()}
    return Trees(
        feature=joined["feature"].astype(np.int32),
        threshold=joined["threshold"].astype(np.float32),
        left=joined["left"].astype(np.int32),
        value=joined["value"].astype(np.float32),
        cover=joined["cover"],
        roots=np.array(roots, np.int32),
        depth=deepest,
        base=sum(map(_start, learners)) / len(learners),
    )
