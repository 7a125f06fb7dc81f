"""A level that is less precise than was promised is told, one that has bad luck is not."""

import numpy as np
import pytest

from revision_quality.alarms.precision import Ints, findings, precision_of, promise_of
from revision_quality.levels.choosing import BY_HAND
from revision_quality.levels.counts import BINS, Label
from revision_quality.levels.level import Level, MeasuredLevel
from revision_quality.levels.scores import NamedModel

MODEL = NamedModel("revertrisk", "1")
HELD, BELOW = 700, 100


def level(target: str = "maximum recall @ precision >= 0.75", name: str = "likelybad") -> Level:
    return Level(name=name, threshold=0.5, precision=0.8, recall=0.5, flag_rate=0.1, target=target)


def measured(target: str) -> MeasuredLevel:
    return MeasuredLevel(
        name="likelybad",
        threshold=0.5,
        precision=0.8,
        recall=0.5,
        flag_rate=0.1,
        target=target,
        low=0.6,
        high=0.9,
        recall_low=0.4,
        recall_high=0.6,
        false_positive_rate=0.01,
        edits_a_day=1.0,
        reverted=100,
    )


def days(*edits: tuple[int, int], place: int = HELD) -> Ints:
    """Edits with one score, reverted and kept on each day."""
    counted = np.zeros((len(edits), len(Label), BINS), np.int64)
    for day, (reverted, kept) in enumerate(edits):
        counted[day, Label.REVERTED, place], counted[day, Label.KEPT, place] = reverted, kept
    return counted


@pytest.mark.parametrize(
    ("one", "promise"),
    [
        (level(), 0.75),
        (level("maximum filter_rate @ precision(false) >= 0.995", "likelygood"), 0.995),
        (measured("maximum recall @ precision >= 0.45"), 0.45),
        (measured("flag_rate <= 0.02"), 0.6),
        (measured(BY_HAND), 0.6),
        (level("maximum precision @ recall >= 0.75"), None),
        (level(BY_HAND), None),
    ],
)
def test_a_level_promises_its_target_or_the_lower_end_of_its_interval(
    one: Level, promise: float | None
) -> None:
    assert promise_of(one) == promise


def test_edits_below_the_threshold_and_unclear_ones_do_not_count() -> None:
    counted = days((8, 2), (6, 4)) + days((5, 50), (5, 50), place=BELOW)
    counted[0, Label.UNCLEAR, HELD] = 30

    bad, good = precision_of(level(), counted), precision_of(level(name="likelygood"), counted)
    assert (bad.number, bad.share) == (20, 0.7)
    assert (good.number, good.share) == (110, pytest.approx(100 / 110))


@pytest.mark.parametrize(
    ("by_day", "is_bad", "is_good"),
    [
        ([(4, 6)] * 14, True, False),
        ([(7, 3)] * 14, False, False),
        ([(8, 2)] * 14, False, True),
        ([(0, 3)] * 14, False, False),
        ([(0, 1)] * 14, False, True),
        ([(8, 2)] * 13 + [(0, 80)], False, False),
    ],
    ids=["far below", "a little below", "as promised", "few", "too few", "one burst"],
)
def test_it_is_told_where_neither_chance_nor_one_burst_explains_it(
    by_day: list[tuple[int, int]], is_bad: bool, is_good: bool
) -> None:
    (found,) = findings("my_wiki", MODEL, [level()], days(*by_day))

    assert (found.is_bad, found.is_good) == (is_bad, is_good)


def test_a_level_that_keeps_its_promise_raises_nothing_and_one_that_fails_does() -> None:
    random = np.random.default_rng(1)

    def raises(precision: float) -> bool:
        by_day = days(*((right, 20 - right) for right in random.binomial(20, precision, 14)))
        (found,) = findings("my_wiki", MODEL, [level()], by_day)
        return found.is_bad

    assert sum(raises(0.75) for _ in range(500)) <= 5
    assert sum(raises(0.55) for _ in range(100)) >= 95


def test_the_sentence_says_what_was_promised() -> None:
    (found,) = findings("my_wiki", MODEL, [level()], days(*[(4, 6)] * 14))

    assert found.message == (
        "my_wiki, revertrisk 1: of the last 140 labelled edits that likelybad holds for 40.0% were"
        " reverted, 75.0% were promised."
    )
