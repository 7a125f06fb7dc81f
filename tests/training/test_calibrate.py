import numpy as np
from threadpoolctl import threadpool_limits

from revision_quality.training.calibrate import calibrate


def sample() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(5)
    margins = random.normal(size=20_000) * 2
    labels = (random.random(20_000) < 1 / (1 + np.exp(-0.5 * margins + 1))).astype(np.int64)
    return margins, labels, np.where(labels == 1, 1.0, 5.0)


def test_probabilities_hold_at_the_natural_rate() -> None:
    margins, labels, weights = sample()
    probabilities = calibrate(margins, labels, weights).apply(margins)
    for low in np.linspace(0, 0.3, 7):
        near = (probabilities >= low) & (probabilities < low + 0.05)
        rate = np.average(labels[near], weights=weights[near])
        assert abs(rate - probabilities[near].mean()) < 0.03


def test_the_order_of_margins_is_kept() -> None:
    line = calibrate(*sample())
    assert (np.diff(line.apply(np.linspace(-8, 8, 500))) >= 0).all()
    assert (np.diff(line.probabilities) > 0).all()
    assert line.probabilities[0] > 0
    assert line.probabilities[-1] < 1


def test_any_number_of_threads_gives_the_same_line() -> None:
    found = []
    for threads in (1, 2):
        with threadpool_limits(threads):
            found.append(calibrate(*sample()).probabilities)
    assert np.array_equal(*found)
