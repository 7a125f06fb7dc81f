import numpy as np
import pytest

from revision_quality.models.contributions import Paths
from revision_quality.models.trees import Trees
from tests.models.test_trees import grown

xgb = pytest.importorskip("xgboost")


def test_contributions_are_those_of_xgboost() -> None:
    booster, trees, rows = grown(5, 60)
    paths = Paths.of(trees)
    theirs = booster.predict(xgb.DMatrix(rows[:50]), pred_contribs=True)
    ours = np.array([paths.contributions(row) for row in rows[:50]])
    assert np.abs(ours - theirs[:, :-1]).max() < 1e-4
    assert paths.expected == pytest.approx(theirs[0, -1], abs=1e-4)


def test_they_add_up_to_the_margin() -> None:
    _, trees, rows = grown(6, 40)
    paths = Paths.of(trees)
    for row in rows[:50]:
        total = paths.expected + paths.contributions(row).sum()
        assert total == pytest.approx(trees.margin(row), abs=1e-4)


def test_a_split_on_one_feature_gives_it_the_whole_difference() -> None:
    trees = Trees(
        feature=np.array([1, 0, 0], np.int32),
        threshold=np.array([0.0, np.inf, np.inf], np.float32),
        left=np.array([1, 1, 2], np.int32),
        value=np.array([0, -1, 1], np.float32),
        cover=np.array([4, 3, 1], np.float32),
        roots=np.zeros(1, np.int32),
        depth=1,
        base=0.0,
    )
    paths = Paths.of(trees)
    assert paths.expected == -0.5
    assert paths.contributions(np.array([9, 2], np.float32)).tolist() == [0, 1.5]
