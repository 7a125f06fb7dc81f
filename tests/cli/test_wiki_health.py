"""A wiki is healthy, behind, failing or paused, since a moment that is remembered."""

from datetime import timedelta

import pytest

from revision_quality.cli.wiki_health import LATE_SECONDS, WikiBook, state_of
from revision_quality.web.health import WikiLag
from tests.fakes import FakeClock


@pytest.mark.parametrize(
    ("lag", "state"),
    [
        (WikiLag(), "healthy"),
        (WikiLag(collecting_seconds=LATE_SECONDS, scoring_seconds=1), "healthy"),
        (WikiLag(collecting_seconds=LATE_SECONDS + 1), "behind"),
        (WikiLag(scoring_seconds=LATE_SECONDS + 1), "behind"),
        (WikiLag(collecting_seconds=9999, problem="it is down"), "failing"),
    ],
)
def test_the_state_follows_from_the_lag(lag, state):
    assert state_of(lag) == state


def test_since_when_is_remembered_while_the_state_stays():
    clock, lags, paused = FakeClock(), {"w": WikiLag()}, set()
    book = WikiBook(lambda: lags, lambda: paused, clock)
    begun = clock.now()

    book.look()
    clock.time += timedelta(seconds=60)
    same = book.look()["w"]
    lags["w"] = WikiLag(problem="it is down")
    failing = book.look()["w"]
    paused.add("w")
    clock.time += timedelta(seconds=60)
    asleep = book.look()["w"]

    assert (same.state, same.since) == ("healthy", begun)
    assert (failing.state, failing.since) == ("failing", begun + timedelta(seconds=60))
    assert (asleep.state, asleep.since) == ("paused", begun + timedelta(seconds=120))


def test_a_paused_wiki_that_this_process_does_not_watch_is_told_too():
    assert WikiBook(dict, lambda: {"far"}).look()["far"].state == "paused"
