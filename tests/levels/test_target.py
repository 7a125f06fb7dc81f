"""Targets in ORES's words, and the thresholds that fulfil them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from revision_quality.errors import SettingsError
from revision_quality.levels.counts import BINS, EDGES, Counts, Label, bins_of, count
from revision_quality.levels.curve import Curve
from revision_quality.levels.target import DEFAULT_TARGETS, parse_target

EDITS = [(0.05, 0)] * 60 + [(0.25, 0)] * 20 + [(0.25, 1)] * 4 + [(0.65, 0)] * 8
EDITS += [(0.65, 1)] * 8 + [(0.95, 0)] * 2 + [(0.95, 1)] * 18


def counted() -> Counts:
    scores, labels = zip(*EDITS, strict=True)
    return count(scores, labels, [0] * len(scores), days=10)


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ("maximum recall @ precision >= 0.9", 0.95),
        ("maximum recall @ precision >= 0.7", 0.65),
        ("maximum filter_rate @ recall >= 0.75", 0.65),
        ("recall >= 0.9", 0.25),
        ("flag_rate <= 0.2", 0.95),
        ("match_rate <= 0.31", 0.65),
        ("false_positive_rate <= 0.03", 0.95),
        ("fpr <= 0.12", 0.65),
        ("maximum filter_rate @ !precision >= 0.95", 0.65),
        ("maximum filter_rate @ precision(false) >= 0.999", 0.25),
        ("maximum precision @ recall >= .6", 0.95),
    ],
)
def test_the_threshold_that_is_asked_for(text, score):
    place = parse_target(text).solve(Curve(counted()))
    assert place is not None
    assert place == bins_of(score)


@pytest.mark.parametrize("text", ["precision >= 0.91", "flag_rate <= 0.1"])
def test_a_target_that_no_threshold_reaches(text):
    assert parse_target(text).solve(Curve(counted())) is None


def test_without_a_reverted_edit_nothing_is_reached():
    assert parse_target("recall >= 0").solve(Curve(count([0.5], [Label.KEPT], [0]))) is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("precise", "is no target for a level: write it like `maximum recall @ precision >= 0.9`"),
        ("precision > 0.9", "is no target"),
        ("accuracy >= 0.9", "there is no metric 'accuracy'; known are precision, recall"),
        ("precision >= 90", "precision is a share, so give a number from 0 to 1"),
    ],
)
def test_what_is_wrong_is_told(text, words):
    with pytest.raises(SettingsError, match=words):
        parse_target(text)


def test_the_default_targets_can_be_read():
    assert [parse_target(text).is_good for text in DEFAULT_TARGETS.values()] == [
        True,
        False,
        False,
        False,
    ]


@given(st.floats(0, 1), st.integers(0, BINS - 1))
def test_a_bin_holds_just_where_the_score_does(score, place):
    assert (score >= EDGES[place]) == (bins_of(score) >= place)


@given(st.lists(st.tuples(st.integers(0, 999), st.integers(0, 2)), min_size=1, max_size=40))
def test_the_curve_is_that_of_the_edits(edits):
    bins, labels = (np.array(column) for column in zip(*edits, strict=True))
    curve = Curve(count(EDGES[bins], labels, [0] * len(bins), days=2))
    for place in (0, 1, 500, 999):
        flagged = bins >= place
        assert curve.flag_rate[place] == pytest.approx(flagged.mean())
        assert curve.edits_a_day[place] == pytest.approx(flagged.sum() / 2)
        clear = flagged & (labels != Label.UNCLEAR)
        if clear.any():
            assert curve.precision[place] == pytest.approx((labels[clear] == 1).mean())
        else:
            assert np.isnan(curve.precision[place])
