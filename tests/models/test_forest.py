import numpy as np
import pytest

from revision_quality.models.features import vector
from revision_quality.models.forest import Forest
from revision_quality.models.revert_risk import RevertRisk
from revision_quality.models.trees import Floats, Trees

TREES = RevertRisk.load().artifact.trees


def odd_rows(number: int) -> Floats:
    """Rows that lie on thresholds as often as beside them."""
    random = np.random.default_rng(7)
    rows = random.normal(scale=100, size=(number, len(vector.NAMES))).astype(np.float32)
    for row in rows:
        nodes = random.integers(len(TREES.left), size=60)
        nodes = nodes[np.isfinite(TREES.threshold[nodes])]
        row[TREES.feature[nodes]] = TREES.threshold[nodes]
    return rows


@pytest.mark.parametrize("number", [1, 25, 150])
def test_many_rows_at_once_give_what_the_trees_give_each(number: int) -> None:
    rows = odd_rows(number)
    assert Forest.of(TREES).margins(rows).tolist() == [TREES.margin(row) for row in rows]


def test_a_tree_may_be_a_leaf() -> None:
    stump = Trees(
        feature=np.array([1, 0, 0, 0]),
        threshold=np.array([0.5, np.inf, np.inf, np.inf], np.float32),
        left=np.array([1, 1, 2, 3]),
        value=np.array([0, -1, 1, 0.25], np.float32),
        cover=np.ones(4, np.float32),
        roots=np.array([0, 3]),
        depth=1,
        base=0.5,
    )
    rows = np.array([[9, 0], [9, 0.5]], np.float32)
    assert Forest.of(stump).margins(rows).tolist() == [-0.25, 1.75]
