"""Two models on the same labelled edits: what each finds, and how rightly."""

import pytest

from revision_quality.levels.comparison import compare, measure
from revision_quality.levels.counts import Label
from revision_quality.levels.level import Level

LABELS = [Label.REVERTED, Label.REVERTED, Label.KEPT, Label.KEPT, Label.UNCLEAR]
RIGHT, WRONG = [0.9, 0.8, 0.2, 0.1, 0.7], [0.1, 0.8, 0.9, 0.2, 0.7]


def level(name: str, threshold: float) -> Level:
    return Level(name=name, threshold=threshold, precision=0, recall=0, flag_rate=0, target="")


LEVELS = [level("likelygood", 0.15), level("likelybad", 0.5)]


def test_each_level_tells_what_it_does_on_labelled_edits():
    told = measure(RIGHT, WRONG, LABELS, LEVELS, LEVELS)

    assert (told.edits, told.reverted) == (5, 2)
    shares = [(one.precision, one.recall, one.flag_rate) for one in told.shown.levels]
    assert shares == [(1.0, 0.5, 0.2), (1.0, 1.0, 0.6)]
    shares = [(one.precision, one.recall, one.flag_rate) for one in told.other.levels]
    assert shares == [(0.0, 0.0, 0.2), (0.5, 0.5, 0.6)]
    bad = told.other.levels[1]
    assert bad.low < bad.precision < bad.high


def test_at_the_same_recall_the_better_model_has_the_greater_precision():
    told = measure(RIGHT, WRONG, LABELS, LEVELS, LEVELS)

    assert [point.precision for point in told.shown.at_recall] == [1.0, 1.0, 1.0, 1.0]
    assert [point.precision for point in told.other.at_recall] == [0.5, 0.5, 0.5, 0.5]
    assert told.shown.curve[0].recall == 1.0
    assert told.shown.curve[0].precision == 0.5
    assert [point.threshold for point in told.shown.curve][:3] == [0.0, 0.01, 0.02]


@pytest.mark.parametrize("labels", [[], [Label.KEPT] * 2, [Label.UNCLEAR] * 2])
def test_without_reverted_edits_nothing_is_made_up(labels):
    scores = [0.9, 0.6][: len(labels)]
    told = measure(scores, scores, labels, LEVELS, LEVELS)

    assert told.reverted == 0
    assert told.shown.levels[1].recall is None
    assert {point.precision for point in told.shown.at_recall} == {None}


def test_a_level_tells_for_which_edits_both_models_hold():
    told = compare(RIGHT, WRONG, LEVELS, LEVELS[1:])

    (good, bad) = told.levels
    assert (good.shown, good.other, good.both) == (0.2, None, None)
    assert (bad.shown, bad.other, bad.both) == (0.6, 0.6, 0.5)
