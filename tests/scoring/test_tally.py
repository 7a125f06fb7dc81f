"""What came of the edits, counted by the words of the flow."""

from datetime import timedelta

from revision_quality.events.error import build_error
from revision_quality.events.prediction_error import Outcome
from revision_quality.levels.level import Level
from revision_quality.models.base import Prediction
from revision_quality.scoring.not_scored import NotScored
from revision_quality.scoring.outcome import outcome_event
from revision_quality.scoring.tally import ScoringTally
from revision_quality.tally import OTHER
from tests.events.examples import page_change
from tests.fakes import FakeClock
from tests.scoring.fakes import FakeModel


def level(name, threshold):
    return Level(
        name=name, threshold=threshold, precision=0.5, recall=0.5, flag_rate=0.1, target="any"
    )


LEVELS = (level("likelygood", 0.2), level("maybebad", 0.5), level("verylikelybad", 0.9))


def outcome(score_or_reason, wiki_id="enwiki"):
    change = page_change(wiki_id=wiki_id)
    made = (
        Prediction(score=score_or_reason)
        if isinstance(score_or_reason, float)
        else NotScored(Outcome.FAILED, score_or_reason, "It failed.")
    )
    return change, outcome_event(change, made, FakeModel(), "stream")


def test_outcomes_levels_and_lag_are_counted_by_wiki():
    clock = FakeClock()
    tally = ScoringTally(LEVELS, clock=clock)
    change, risky = outcome(0.95)
    clock.time = change.revision.rev_dt + timedelta(seconds=4)

    tally.published([risky, outcome(0.5)[1], outcome(0.1)[1], outcome("wiki_error")[1]])

    assert dict(tally.outcomes.items()) == {
        ("enwiki", "scored", ""): 3,
        ("enwiki", "failed", "wiki_error"): 1,
    }
    assert dict(tally.flagged.items()) == {
        ("enwiki", "maybebad"): 2,
        ("enwiki", "verylikelybad"): 1,
        ("enwiki", "likelygood"): 1,
    }
    ((labels, spread),) = tally.lag.items()
    assert (labels, spread.total) == (("enwiki",), 16.0)


def test_a_wiki_that_nobody_configured_counts_as_other():
    tally = ScoringTally(is_known=lambda wiki_id: wiki_id == "enwiki")

    tally.published([outcome(0.5, "evil'wiki")[1]])
    tally.tried_again("another", "wiki_unavailable", 3)

    assert dict(tally.outcomes.items()) == {(OTHER, "scored", ""): 1}
    assert tally.retries[OTHER, "wiki_unavailable"] == 3


def test_dead_letters_are_counted_apart():
    tally = ScoringTally()
    letter = build_error(
        emitter_id="scoring", stream="s", offset=1, raw=b"{", error=ValueError("broken")
    )

    tally.published([letter])

    assert (tally.dead_letters.total, tally.outcomes.total) == (1, 0)
