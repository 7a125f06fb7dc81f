"""Edits without scores: when they are few, when they are many, and when none gets any."""

import pytest

from revision_quality.alarms.coverage import Silence, coverage, silence


@pytest.mark.parametrize(
    ("found", "is_bad", "is_good"),
    [
        (Silence(10, 0), True, False),
        (Silence(10, 1), False, True),
        (Silence(2, 0), False, False),
        (Silence(0, 0), False, True),
    ],
)
def test_a_silence_is_edits_and_no_outcome(found: Silence, is_bad: bool, is_good: bool) -> None:
    told = silence("my_wiki", found, 10)

    assert (told.is_bad, told.is_good) == (is_bad, is_good)
    assert "for 10 minutes" in told.message


@pytest.mark.parametrize(
    ("states", "is_bad", "is_good"),
    [
        ({"scored": 900, "not_scorable": 100}, False, True),
        ({"scored": 980, "failed": 20}, True, False),
        ({"scored": 980, "pending": 20}, True, False),
        ({"scored": 992, "failed": 8}, False, False),
        ({"scored": 996, "failed": 4}, False, True),
        ({"scored": 60, "failed": 39}, False, False),
        ({"scored": 60}, False, True),
    ],
)
def test_a_share_of_the_edits_must_have_an_outcome(
    states: dict[str, int], is_bad: bool, is_good: bool
) -> None:
    told = coverage("my_wiki", states, 0.99)

    assert told is not None
    assert (told.is_bad, told.is_good) == (is_bad, is_good)


def test_what_is_lacking_is_told() -> None:
    told = coverage("my_wiki", {"scored": 70, "failed": 20, "pending": 10}, 0.99)

    assert told is not None
    assert told.message == (
        "my_wiki: 70.0% of 100 edits of the last day have a score or can have none, 99% should"
        " (10 pending, 20 failed)."
    )


def test_of_few_edits_no_share_is_told() -> None:
    assert coverage("my_wiki", {"failed": 49}, 0.99) is None
