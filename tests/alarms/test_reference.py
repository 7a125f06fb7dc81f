"""An edit is compared with those that the same kind of editor has made before."""

import pytest

from revision_quality.alarms.reference import (
    FARTHEST,
    KEPT,
    LEAST_KNOWN,
    OF_ONE_EDITOR,
    Reference,
    Seen,
    log_odds,
)

FROM = log_odds(0.5)


def known(number: int = 100, kind: str = "learner") -> Reference:
    """Log odds from -5 on, a tenth apart."""
    return Reference({kind: [-5 + step / 10 for step in range(number)]})


def test_an_edit_in_the_middle_is_as_usual_and_one_beyond_all_is_as_far_as_can_be() -> None:
    places = [-10.0, -0.05, 2.0, 10.0]
    found = [known().distance(Seen("Ana", "learner", odds), FROM) for odds in places]

    lowest, middle, high, highest = (one.score for one in found if one)
    assert (lowest, middle) == (pytest.approx(-highest), pytest.approx(0, abs=0.05))
    assert 0 < high < highest <= FARTHEST


def test_a_flagged_edit_is_told_against_the_share_that_the_same_level_flags() -> None:
    half, most = (
        known().distance(Seen("Ana", "learner", 3.0), threshold) for threshold in (0.0, -4.0)
    )

    assert half
    assert most
    assert half.is_flagged
    assert (half.usual_share, most.usual_share) == (0.5, 0.9)
    assert half.flag == 1.0 > most.flag > 0


def test_nothing_is_told_of_a_kind_of_editor_that_is_hardly_known() -> None:
    few = known(LEAST_KNOWN - 1)

    assert few.distance(Seen("Ana", "learner", 0.0), FROM) is None
    assert known().distance(Seen("Ana", "bot", 0.0), FROM) is None
    few.learn([Seen("Ana", "learner", 0.0)])
    assert few.distance(Seen("Ana", "learner", 0.0), FROM)


def test_of_one_editor_few_edits_are_learnt_and_the_oldest_are_forgotten() -> None:
    reference = Reference()
    reference.learn([Seen("Ana", "learner", 0.0)] * (OF_ONE_EDITOR + 5))
    assert len(reference.odds["learner"]) == OF_ONE_EDITOR

    reference.learn([Seen(f"editor {step}", "learner", 1.0) for step in range(KEPT)])
    assert reference.odds == {"learner": [1.0] * KEPT}


def test_certain_scores_have_log_odds_too() -> None:
    assert log_odds(0.5) == 0
    assert log_odds(1.0) == pytest.approx(-log_odds(0.0))
