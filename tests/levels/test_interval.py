"""Intervals: the textbook's, and one for the next period that holds as often as it says."""

import numpy as np
import pytest

from revision_quality.levels.interval import Interval, Part, next_period, wilson


@pytest.mark.parametrize(
    ("share", "n", "expected"),
    [(0.5, 10, (0.237, 0.763)), (0.0, 20, (0.0, 0.161)), (1.0, 20, (0.839, 1.0)), (0.3, 0, (0, 1))],
)
def test_wilson(share, n, expected):
    found = wilson(share, n)
    assert (found.low, found.high) == pytest.approx(expected, abs=0.001)


@pytest.mark.parametrize("between", [0.0, 0.7])
def test_the_next_period_is_within_as_often_as_is_said(between):
    random = np.random.default_rng(5)

    def drawn(n: int) -> Part:
        share = 1 / (1 + np.exp(-(0.4 + between * random.normal())))
        so = int(random.binomial(n, share))
        return Part(so, n - so)

    within = 0
    for _ in range(600):
        periods = [drawn(80) for _ in range(8)]
        following = drawn(160)
        mean = sum(part.so for part in periods) / 640
        told = next_period(periods, Part(160 * mean, 160 * (1 - mean)))
        within += told.holds(following.so / 160)
    assert 0.92 <= within / 600 <= 0.995


def test_more_difference_between_periods_widens_it():
    ahead = Part(50, 50)
    calm = next_period([Part(50, 50)] * 8, ahead)
    wild = next_period([Part(80, 20), Part(20, 80)] * 4, ahead)
    assert calm.holds(0.5)
    assert wild.width > 2 * calm.width


def test_where_there_may_be_no_wrong_edit_it_reaches_to_one():
    assert next_period([Part(99, 1)] * 8, Part(30, 0.3)).high == 1.0
    assert next_period([Part(99, 1)] * 8, Part(3000, 30)).high < 1.0


def test_an_edit_that_stands_for_many_is_as_sure_as_one():
    few = Part(10, 20)
    weighed = Part(10, 240, not_so_unit=12)
    assert weighed.variance == pytest.approx(few.variance)
    assert Interval(0.2, 0.5).width == pytest.approx(0.3)
