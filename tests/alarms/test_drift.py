"""Scores that are spread as ever raise nothing; a planted drift raises its alarm soon."""

import math
from collections.abc import Callable, Iterator
from random import Random

import msgspec
import pytest

from revision_quality.alarms.alarm import Alarm, Board, Kind
from revision_quality.alarms.drift import CALM, Series, SeriesState
from revision_quality.alarms.reference import log_odds
from revision_quality.views.change import UserLevel

KEY = ("my_wiki", "revertrisk", "1")
BEFORE = 2000
SOON = 200
LEVEL = 0.5

USUAL = {
    UserLevel.UNREGISTERED: (-2.0, 2.6),
    UserLevel.NEWCOMER: (-3.4, 2.4),
    UserLevel.LEARNER: (-5.7, 1.4),
    UserLevel.EXPERIENCED: (-6.5, 0.8),
}
"""Mean and standard deviation of the log odds of each kind in the labelled edits."""

Edit = tuple[float, UserLevel]


def edits(seed: int) -> Iterator[Edit]:
    """Scores as they are on a wiki, and the kind of editor who made each edit."""
    random = Random(seed)
    while True:
        kind = random.choice(list(USUAL))
        yield _score(random.gauss(*USUAL[kind])), kind


def _score(odds: float) -> float:
    return 1 / (1 + math.exp(-odds))


def shifted(by: float) -> Callable[[float], float]:
    return lambda score: _score(log_odds(score) + by)


class Watched:
    """A series, and the alarms that it has raised."""

    def __init__(self, state: SeriesState | None = None) -> None:
        self.series = Series(KEY, state)
        self.board = Board()
        self.edits = 0

    def sees(
        self, score: float, kind: UserLevel = UserLevel.UNREGISTERED, editor: str | None = None
    ) -> list[Alarm]:
        self.edits += 1
        _, found = self.series.add(score, editor or f"editor {self.edits}", kind, LEVEL)
        return list(self.board.look(found, self.edits))

    def after(
        self, number: int, some: Iterator[Edit], change: Callable[[float], float] = lambda one: one
    ) -> list[Alarm]:
        moved = []
        for _ in range(number):
            score, kind = next(some)
            moved += self.sees(change(score), kind)
        return moved


@pytest.mark.parametrize("seed", range(5))
def test_ordinary_edits_raise_nothing(seed: int) -> None:
    assert Watched().after(20_000, edits(seed)) == []


DRIFTS: dict[str, tuple[Callable[[float], float], set[Kind]]] = {
    "scores higher": (shifted(2), {Kind.SCORE_SHIFT}),
    "scores lower": (shifted(-2), {Kind.SCORE_SHIFT}),
    "all flagged": (lambda _: 0.97, {Kind.SCORE_SHIFT, Kind.FLAG_RATE}),
    "one score for all": (lambda _: 0.02, {Kind.SCORE_SHIFT}),
}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("drift", DRIFTS)
def test_a_drift_raises_its_alarm_soon_and_only_once(drift: str, seed: int) -> None:
    change, kinds = DRIFTS[drift]
    ordinary, watched = edits(seed), Watched()
    assert watched.after(BEFORE, ordinary) == []

    raised = watched.after(SOON, ordinary, change)
    assert kinds <= {alarm.subject.kind for alarm in raised}
    assert watched.after(1000, ordinary, change) == []


@pytest.mark.parametrize("by", [0.8, 1.2])
def test_a_drift_that_is_hardly_told_does_not_come_and_go(by: float) -> None:
    ordinary, watched = edits(3), Watched()
    watched.after(BEFORE, ordinary)

    moved = watched.after(4000, ordinary, shifted(by))
    assert len([alarm for alarm in moved if not alarm.ended]) == 1


def test_the_alarm_ends_when_the_scores_have_long_been_as_before() -> None:
    ordinary, watched = edits(2), Watched()
    watched.after(BEFORE, ordinary)
    watched.after(SOON, ordinary, lambda _: 0.97)

    watched.after(CALM // 2, ordinary)
    assert len(watched.board.active) == 2
    watched.after(SOON, ordinary)
    assert watched.board.active == ()


def test_an_alarm_says_what_is_how_it_was_and_since_when() -> None:
    ordinary, watched = edits(1), Watched()
    watched.after(BEFORE, ordinary)
    raised = {alarm.subject.kind: alarm for alarm in watched.after(SOON, ordinary, lambda _: 0.97)}

    for kind, sentence in (
        (Kind.FLAG_RATE, "of the last 100 edits are flagged"),
        (Kind.SCORE_SHIFT, "the scores of the last 100 edits are higher than the same kinds"),
    ):
        assert raised[kind].message.startswith("my_wiki, revertrisk 1: ")
        assert sentence in raised[kind].message
        assert BEFORE < raised[kind].since <= BEFORE + SOON


def test_one_editor_s_session_is_no_drift() -> None:
    ordinary, watched = edits(3), Watched()
    watched.after(BEFORE, ordinary)

    assert [
        alarm for _ in range(SOON) for alarm in watched.sees(0.97, UserLevel.EXPERIENCED, "Bot")
    ] == []


def test_a_wave_of_vandals_is_no_drift() -> None:
    ordinary, watched = edits(4), Watched()
    watched.after(BEFORE, ordinary)

    raised = [alarm for _ in range(40) for alarm in watched.sees(0.97)]
    assert raised == []


def test_more_edits_of_strangers_than_usual_are_no_drift() -> None:
    ordinary, watched = edits(5), Watched()
    watched.after(BEFORE, ordinary)

    strangers = (edit for edit in ordinary if edit[1] is UserLevel.UNREGISTERED)
    assert watched.after(SOON, strangers) == []


def test_a_drift_is_not_learnt_before_it_is_told() -> None:
    ordinary, watched = edits(6), Watched()
    watched.after(BEFORE, ordinary)
    before = watched.series.state

    watched.after(SOON, ordinary, shifted(2))
    watched.after(BEFORE, ordinary, shifted(2))
    learnt = watched.series.state.odds[UserLevel.EXPERIENCED]
    assert max(learnt) < max(before.odds[UserLevel.EXPERIENCED]) + 2


def test_a_restart_goes_on_with_what_was_learnt() -> None:
    ordinary, watched = edits(4), Watched()
    watched.after(BEFORE, ordinary)
    stored = msgspec.json.encode(watched.series.state)

    restarted = Watched(msgspec.json.decode(stored, type=SeriesState))
    assert restarted.after(SOON, ordinary, lambda _: 0.97) != []


def test_what_an_older_version_has_stored_is_learnt_anew() -> None:
    stored = b'{"chunks":[[3,1,250]],"shift":[0.4,0.3],"rate":[2.5,1.1]}'

    watched, ordinary = Watched(msgspec.json.decode(stored, type=SeriesState)), edits(1)
    assert watched.after(BEFORE, ordinary) == []
    assert watched.after(SOON, ordinary, lambda _: 0.97) != []


def test_what_is_accepted_is_usual_from_then_on() -> None:
    ordinary, watched = edits(5), Watched()
    watched.after(BEFORE, ordinary)
    watched.series.forget()

    assert watched.after(BEFORE, ordinary, shifted(2)) == []


def test_all_wikis_are_told_how_far_each_edit_is_from_its_own_wiki_s() -> None:
    kinds = {"a": shifted(0), "b": shifted(3)}
    of_wiki = {name: Series((name, *KEY[1:])) for name in kinds}
    together, board, ordinary = Series(("", *KEY[1:])), Board(), edits(7)

    def sees(number: int, names: list[str], drift: float = 0) -> list[Alarm]:
        moved: list[Alarm] = []
        for edit in range(number):
            name = names[edit % len(names)]
            score, kind = next(ordinary)
            score = shifted(drift)(kinds[name](score))
            distance, _ = of_wiki[name].add(score, f"editor {score}", kind, LEVEL)
            moved += board.look(together.take(distance), edit)
        return moved

    assert sees(2 * BEFORE, ["a", "b"]) == []
    assert sees(SOON, ["b"]) == []
    raised = sees(SOON, ["a", "b"], drift=2)
    assert Kind.SCORE_SHIFT in {alarm.subject.kind for alarm in raised}
    assert raised[0].message.startswith("All wikis, revertrisk 1: ")
