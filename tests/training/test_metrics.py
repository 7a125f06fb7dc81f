import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from revision_quality.training import metrics

LABELS = np.array([1, 0, 1, 0, 0])
SCORES = np.array([0.9, 0.8, 0.7, 0.2, 0.1])
ONES = np.ones(5)


def points(weights: np.ndarray = ONES) -> metrics.Curve:
    return metrics.curve(SCORES, LABELS, weights)


def test_figures_of_a_case_computed_by_hand() -> None:
    assert metrics.roc_auc(points()) == pytest.approx(5 / 6)
    assert metrics.average_precision(points()) == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)
    assert metrics.precision_at_recall(points(), 0.75) == pytest.approx(2 / 3)
    assert metrics.recall_at_false_positive_rate(points(), 0.01) == 0.5
    assert metrics.recall_at_false_positive_rate(points(), 1 / 3) == 1.0


def test_a_weight_counts_like_as_many_edits() -> None:
    weights = np.array([1.0, 3, 1, 1, 1])
    again = np.repeat(np.arange(5), weights.astype(int))
    many = metrics.curve(SCORES[again], LABELS[again], np.ones(len(again)))
    assert metrics.roc_auc(points(weights)) == pytest.approx(metrics.roc_auc(many))
    assert metrics.average_precision(points(weights)) == pytest.approx(
        metrics.average_precision(many)
    )


def test_ties_count_half_and_are_flagged_together() -> None:
    tied = metrics.curve(np.full(4, 0.5), np.array([1, 0, 0, 0]), np.ones(4))
    assert metrics.roc_auc(tied) == 0.5
    assert metrics.average_precision(tied) == 0.25
    assert metrics.recall_at_false_positive_rate(tied, 0.5) == 0.0


def test_scores_that_are_rates_have_no_calibration_error() -> None:
    scores = np.repeat([0.25, 0.75], 4)
    labels = np.array([1, 0, 0, 0, 1, 1, 1, 0])
    assert metrics.calibration_error(metrics.reliability(scores, labels, np.ones(8))) == 0
    doubled = metrics.reliability(scores / 2, labels, np.ones(8))
    assert metrics.calibration_error(doubled) == pytest.approx(0.25)


def test_disparate_impact_is_the_ratio_of_flag_rates() -> None:
    anonymous = np.array([True, True, False, False, False])
    assert metrics.disparate_impact(SCORES, ONES, anonymous, 0.7) == pytest.approx(3)
    assert metrics.disparate_impact(SCORES, ONES, anonymous, 0.8) == float("inf")


def test_intervals_hold_the_value_and_narrow_with_more_edits() -> None:
    def width(times: int) -> float:
        random = np.random.default_rng(2)
        labels = random.integers(0, 2, 200 * times)
        scores = random.random(len(labels)) * 0.5 + labels * 0.3
        figures = metrics.measure(scores, labels, np.ones(len(labels)), labels == 3, resamples=50)
        assert figures is not None
        assert figures.roc_auc.low <= figures.roc_auc.value <= figures.roc_auc.high
        assert figures.disparate_impact is None
        return figures.roc_auc.high - figures.roc_auc.low

    assert width(20) < width(1) / 2


def test_a_ratio_has_an_interval_of_its_own_as_both_are_measured_on_the_same_draws() -> None:
    random = np.random.default_rng(2)
    labels = random.integers(0, 2, 400)
    scores = random.random(400) + labels * 0.3
    worse = np.where(random.random(400) < 0.1, random.random(400), scores)
    anonymous = random.integers(0, 2, 400) == 1
    ones = np.ones(400)
    itself = metrics.ratios(scores, scores * 2, labels, ones, anonymous, resamples=20)
    assert itself == dict.fromkeys(metrics.RATIOS, metrics.Figure(1, 1, 1))
    ratio = metrics.ratios(scores, worse, labels, ones, anonymous)["average_precision"]
    ours, theirs = (
        figures.average_precision
        for each in (scores, worse)
        if (figures := metrics.measure(each, labels, ones, anonymous))
    )
    assert ratio.value == pytest.approx(ours.value / theirs.value)
    assert ours.low / theirs.high < ratio.low < ratio.value < ratio.high < ours.high / theirs.low


def test_a_figure_that_the_other_has_at_zero_has_no_ratio() -> None:
    found = metrics.ratios(SCORES, -SCORES, LABELS, ONES, LABELS == 3, resamples=3)
    assert "recall_at_fpr_001" not in found
    assert "disparate_impact" not in found
    assert found["average_precision"].value > 1


def test_one_class_alone_cannot_be_measured() -> None:
    assert metrics.measure(SCORES, np.zeros(5, int), ONES, LABELS == 1) is None


@given(st.permutations(range(5)), st.lists(st.floats(0.1, 9), min_size=5, max_size=5))
def test_the_order_of_edits_does_not_matter(order: list[int], drawn: list[float]) -> None:
    weights = np.array(drawn)
    mixed = metrics.curve(SCORES[order], LABELS[order], weights[order])
    assert metrics.average_precision(mixed) == pytest.approx(
        metrics.average_precision(points(weights))
    )
