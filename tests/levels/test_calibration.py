"""What a score means on one wiki: how often edits of it get reverted there."""

import numpy as np
import pytest

from revision_quality.levels.calibration import isotonic
from revision_quality.levels.counts import BINS, Counts, Label, bin_of, count


def counted(*edits: tuple[float, Label, int]) -> Counts:
    """Edits of a score and label, so many of each."""
    scores, labels, numbers = zip(*edits, strict=True)
    return count(np.repeat(scores, numbers), np.repeat([one.value for one in labels], numbers), 0)


def test_a_score_is_told_by_how_often_its_edits_were_reverted() -> None:
    risk = isotonic(
        counted(
            (0.1, Label.KEPT, 9),
            (0.1, Label.REVERTED, 1),
            (0.5, Label.KEPT, 5),
            (0.5, Label.REVERTED, 5),
            (0.5, Label.UNCLEAR, 100),
        )
    )

    assert (risk[bin_of(0.1)], risk[bin_of(0.5)]) == (0.1, 0.5)
    assert risk[bin_of(0.3)] == pytest.approx(0.3)
    assert np.isnan(risk[: bin_of(0.1)]).all()
    assert np.isnan(risk[bin_of(0.5) + 1 :]).all()


def test_a_greater_score_never_means_less() -> None:
    risk = isotonic(
        counted(
            (0.2, Label.REVERTED, 3),
            (0.2, Label.KEPT, 1),
            (0.4, Label.REVERTED, 1),
            (0.4, Label.KEPT, 3),
            (0.6, Label.REVERTED, 1),
        )
    )

    assert risk[bin_of(0.2)] == risk[bin_of(0.4)] == 0.5
    assert risk[bin_of(0.6)] == 1.0


def test_scores_that_mean_what_they_say_stay_as_they_are() -> None:
    random = np.random.default_rng(1)
    scores = random.beta(0.4, 4, 200_000)
    risk = isotonic(count(scores, (random.random(len(scores)) < scores).astype(int), 0))

    seen = np.arange(BINS)[~np.isnan(risk)][:500]
    assert np.abs(risk[seen] - (seen + 0.5) / BINS).mean() < 0.02


def test_without_labels_nothing_is_told() -> None:
    assert np.isnan(isotonic(counted((0.5, Label.UNCLEAR, 9)))).all()
