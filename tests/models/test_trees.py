import numpy as np
import pytest

from revision_quality.models.trees import Trees

xgb = pytest.importorskip("xgboost")
boosting = pytest.importorskip("revision_quality.training.boost")


def grown(depth: int, rounds: int) -> tuple[object, Trees, np.ndarray]:
    random = np.random.default_rng(3)
    rows = random.normal(size=(3000, 12)).astype(np.float32).round(1)
    labels = (rows[:, 0] * rows[:, 1] + random.normal(size=3000) > 0.7).astype(np.int64)
    settings = boosting.Settings(rounds=rounds, max_depth=depth, min_child_weight=1.0)
    booster = boosting.boost(xgb.DMatrix(rows, labels), settings, seed=1)
    return booster, boosting.to_trees([booster]), rows


@pytest.mark.parametrize(("depth", "rounds"), [(1, 3), (5, 120), (9, 40)])
def test_the_walk_gives_what_xgboost_gives(depth: int, rounds: int) -> None:
    booster, trees, rows = grown(depth, rounds)
    theirs = booster.predict(xgb.DMatrix(rows), output_margin=True)
    assert np.abs(trees.margins(rows) - theirs).max() < 1e-5
    ours = 1 / (1 + np.exp(-trees.margins(rows)))
    assert np.abs(ours - booster.predict(xgb.DMatrix(rows))).max() < 1e-6


def test_several_forests_give_their_mean() -> None:
    booster, trees, rows = grown(4, 30)
    again, _, _ = grown(6, 20)
    both = boosting.to_trees([booster, again])
    theirs = [each.predict(xgb.DMatrix(rows), output_margin=True) for each in (booster, again)]
    assert np.abs(both.margins(rows) - np.mean(theirs, axis=0)).max() < 1e-5
    assert len(both.roots) == 50
    assert both.depth > trees.depth


@pytest.mark.parametrize("rate", [0.002, 0.3])
def test_what_xgboost_starts_from_by_itself_is_kept(rate: float) -> None:
    rows = np.random.default_rng(4).normal(size=(5000, 3)).astype(np.float32)
    labels = (rows[:, 0] > np.quantile(rows[:, 0], 1 - rate)).astype(np.int64)
    settings = boosting.Settings(rounds=2, base_score=None)
    booster = boosting.boost(xgb.DMatrix(rows, labels), settings, seed=1)
    trees = boosting.to_trees([booster])
    assert trees.base == pytest.approx(np.log(rate / (1 - rate)), abs=0.01)
    theirs = booster.predict(xgb.DMatrix(rows), output_margin=True)
    assert np.abs(trees.margins(rows) - theirs).max() < 1e-5


@pytest.mark.parametrize("label", [0, 1])
def test_edits_of_one_label_alone_give_finite_log_odds(label: int) -> None:
    rows = np.random.default_rng(5).normal(size=(100, 3)).astype(np.float32)
    settings = boosting.Settings(rounds=2, base_score=None)
    trees = boosting.grow_trees(rows, np.full(100, label), np.ones(100), settings)
    assert (np.abs(trees.margins(rows)) > 10).all()
    assert np.isfinite(trees.margins(rows)).all()


def test_one_row_gives_what_the_batch_gives() -> None:
    _, trees, rows = grown(6, 50)
    assert [trees.margin(row) for row in rows[:300]] == pytest.approx(trees.margins(rows[:300]))


def test_a_value_on_the_threshold_goes_right() -> None:
    trees = Trees(
        feature=np.zeros(3, np.int32),
        threshold=np.array([0.5, np.inf, np.inf], np.float32),
        left=np.array([1, 1, 2], np.int32),
        value=np.array([0, -1, 1], np.float32),
        cover=np.ones(3, np.float32),
        roots=np.zeros(1, np.int32),
        depth=1,
        base=0.25,
    )
    rows = np.array([[0.4], [0.5], [0.6]], np.float32)
    assert trees.margins(rows).tolist() == [-0.75, 1.25, 1.25]
    assert trees.margin(rows[1]) == 1.25
