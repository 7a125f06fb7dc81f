"""Scores that are spread as ever raise nothing; a planted drift raises its alarm soon."""

from collections.abc import Callable, Iterator
from random import Random

import pytest

from revision_quality.alarms.alarm import Alarm, Board, Kind
from revision_quality.alarms.drift import OF_ONE_EDITOR, WINDOW, Series

KEY = ("my_wiki", "revertrisk", "1")
BEFORE = 2000
SOON = 200


def scores(seed: int) -> Iterator[float]:
    """Scores as they are on a wiki: most are low, a few high."""
    random = Random(seed)
    while True:
        yield random.betavariate(0.4, 6)


class Watched:
    """A series, and the alarms that it has raised."""

    def __init__(self) -> None:
        self.series = Series(KEY, 0.5)
        self.board = Board()
        self.edits = 0

    def sees(self, score: float, editor: str | None = None) -> list[Alarm]:
        self.edits += 1
        found = self.series.add(score, editor or f"editor {self.edits}")
        return list(self.board.look(found, self.edits))

    def after(self, number: int, some: Iterator[float]) -> list[Alarm]:
        return [alarm for _ in range(number) for alarm in self.sees(next(some))]


@pytest.mark.parametrize("seed", range(5))
def test_ordinary_edits_raise_nothing(seed: int) -> None:
    assert Watched().after(20_000, scores(seed)) == []


DRIFTS: dict[str, tuple[Callable[[float], float], set[Kind]]] = {
    "scores shifted": (lambda score: min(1.0, score + 0.2), {Kind.SCORE_SHIFT}),
    "all flagged": (lambda _: 0.97, {Kind.SCORE_SHIFT, Kind.FLAG_RATE}),
    "none flagged": (lambda _: 0.001, {Kind.SCORE_SHIFT}),
}


@pytest.mark.parametrize("drift", DRIFTS)
def test_a_drift_raises_its_alarm_soon_and_only_once(drift: str) -> None:
    change, kinds = DRIFTS[drift]
    ordinary, watched = scores(1), Watched()
    assert watched.after(BEFORE, ordinary) == []

    raised = watched.after(SOON, (change(score) for score in ordinary))
    assert kinds <= {alarm.subject.kind for alarm in raised}
    assert watched.after(1000, (change(score) for score in ordinary)) == []


def test_the_alarm_ends_when_the_scores_are_as_before() -> None:
    ordinary, watched = scores(2), Watched()
    watched.after(BEFORE, ordinary)
    watched.after(SOON, iter([0.97] * SOON))

    watched.after(2 * WINDOW, ordinary)
    assert watched.board.active == ()


def test_an_alarm_says_what_is_how_it_was_and_since_when() -> None:
    ordinary, watched = scores(1), Watched()
    watched.after(BEFORE, ordinary)
    raised = watched.after(SOON, iter([0.97] * SOON))

    (rate,) = [alarm for alarm in raised if alarm.subject.kind is Kind.FLAG_RATE]
    assert rate.message.startswith("my_wiki, revertrisk 1: ")
    assert "of the last 40 edits are flagged" in rate.message
    assert BEFORE < rate.since <= BEFORE + SOON


@pytest.mark.parametrize("highest", [1.0, 0.4], ids=["few were flagged", "none was"])
def test_one_editor_s_session_is_no_drift(highest: float) -> None:
    ordinary, watched = scores(3), Watched()
    watched.after(BEFORE, (min(score, highest) for score in ordinary))

    raised = [alarm for _ in range(SOON) for alarm in watched.sees(0.97, "Bot")]
    assert raised == []
    assert OF_ONE_EDITOR < SOON


def test_a_restart_goes_on_with_what_was_learnt() -> None:
    ordinary, watched = scores(4), Watched()
    watched.after(BEFORE, ordinary)
    watched.series = Series(KEY, 0.5, watched.series.state)

    assert watched.after(SOON, iter([0.97] * SOON)) != []


def test_what_is_accepted_is_usual_from_then_on() -> None:
    ordinary, watched = scores(5), Watched()
    watched.after(BEFORE, ordinary)
    watched.series.forget()

    assert watched.after(BEFORE, (min(1.0, score + 0.2) for score in ordinary)) == []
