"""Counts that stay bounded, whatever labels come in."""

import pytest

from revision_quality.tally import OTHER, Tally, Timings


def test_a_tally_counts_by_its_labels():
    tally = Tally()
    tally.add("enwiki", "scored")
    tally.add("enwiki", "scored", number=2)
    tally.add("dewiki", "failed", number=0)

    assert dict(tally.items()) == {("enwiki", "scored"): 3}
    assert (tally["enwiki", "scored"], tally["dewiki", "failed"], tally.total) == (3, 0, 3)


def test_combinations_beyond_the_bound_are_counted_together():
    tally = Tally(most=2)
    for number in range(1000):
        tally.add(f"wiki{number}", "scored")

    assert dict(tally.items()) == {
        ("wiki0", "scored"): 1,
        ("wiki1", "scored"): 1,
        (OTHER, OTHER): 998,
    }


@pytest.mark.parametrize(
    ("seconds", "counts"),
    [
        (-1.0, (1, 0, 0)),
        (1.0, (1, 0, 0)),
        (1.1, (0, 1, 0)),
        (5.0, (0, 1, 0)),
        (5.1, (0, 0, 1)),
    ],
)
def test_a_bucket_holds_what_is_at_or_below_its_bound(seconds, counts):
    timings = Timings((1.0, 5.0))
    timings.observe(seconds)

    ((labels, spread),) = timings.items()

    assert (labels, spread.counts) == ((), counts)
    assert spread.total == max(0.0, seconds)


def test_buckets_are_told_as_prometheus_has_them():
    timings = Timings((1.0, 5.0))
    for seconds in (0.5, 2.0, 3.0, 9.0):
        timings.observe(seconds, "enwiki")

    ((_, spread),) = timings.items()

    assert spread.cumulative() == [(1.0, 1), (5.0, 3), (float("inf"), 4)]
