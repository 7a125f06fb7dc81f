"""Many editors tell more than one, and many strangers hardly more than a few."""

import pytest

from revision_quality.alarms.reference import OF_ONE_EDITOR, Distance
from revision_quality.alarms.unlikeness import LEAST_EDITORS, unlikeness
from revision_quality.views.change import UserLevel

OLD_HAND, STRANGER = UserLevel.EXPERIENCED, UserLevel.UNREGISTERED


def edits(
    number: int, kind: str = OLD_HAND, *, score: float = 1.0, spread: float = 1.0, of: int = 1
) -> list[Distance]:
    """`number` editors of a kind, each with `of` edits that are as far from the usual."""
    return [
        Distance(f"{kind} {one}", kind, score, spread, True, 0.1, 3.0)
        for one in range(number)
        for _ in range(of)
    ]


def score_of(window: list[Distance]) -> float:
    found = unlikeness(window)
    assert found
    return found.score


def test_too_few_editors_tell_nothing() -> None:
    assert unlikeness(edits(LEAST_EDITORS - 1, of=10)) is None
    assert unlikeness(edits(LEAST_EDITORS))


def test_an_editor_tells_as_much_with_one_edit_as_with_many() -> None:
    usual = edits(10, score=0.0)
    busy = [one._replace(editor="busy") for one in edits(1, of=OF_ONE_EDITOR)]

    assert score_of(busy + usual) == pytest.approx(score_of(busy[:1] + usual))


def test_of_one_editor_the_latest_edits_count() -> None:
    late, early = edits(10, score=0.0, of=OF_ONE_EDITOR), edits(10, score=2.0, of=20)

    assert score_of(late + early) == 0


def test_more_editors_tell_more_but_a_wave_of_strangers_stays_small() -> None:
    assert score_of(edits(10)) < score_of(edits(20)) < score_of(edits(40))
    assert score_of(edits(10)) > score_of(edits(10, STRANGER))
    assert score_of(edits(1000, STRANGER)) < 2


def test_those_count_most_whose_scores_differ_least() -> None:
    steady, restless = edits(10, score=1.0), edits(10, STRANGER, score=-1.0, spread=3.0)

    assert score_of(steady + restless) > 1


def test_lower_scores_are_below_nought_and_flags_are_told_beside() -> None:
    found = unlikeness(edits(10, score=-1.0))

    assert found
    assert found.score < 0 < found.flag
