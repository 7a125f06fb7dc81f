"""An alarm is raised once, ends once, and holds on in between."""

from revision_quality.alarms.alarm import Alarm, Board, Finding, Kind, Subject
from revision_quality.alarms.usual import LEAST_TERMS, Usual

SUBJECT = Subject(kind=Kind.COVERAGE, wiki_id="my_wiki")


def finding(*, is_bad: bool = False, is_good: bool = False) -> Finding:
    return Finding(subject=SUBJECT, is_bad=is_bad, is_good=is_good, message="Something is.")


def test_it_is_raised_once_and_tells_since_when():
    board = Board()

    assert board.look([finding(is_bad=True)], 1) == [
        Alarm(subject=SUBJECT, since=1, message="Something is.")
    ]
    assert board.look([finding(is_bad=True)], 2) == []
    assert [alarm.since for alarm in board.active] == [1]


def test_what_is_neither_good_nor_bad_changes_nothing():
    board = Board()
    assert board.look([finding()], 1) == []
    board.look([finding(is_bad=True)], 2)
    assert board.look([finding()], 3) == []
    assert board.is_on(SUBJECT)


def test_it_ends_when_all_is_well_and_may_come_again():
    board = Board([Alarm(subject=SUBJECT, since=1, message="")])

    (ended,) = board.look([finding(is_good=True)], 5)
    assert (ended.since, ended.ended, board.active) == (1, 5, ())
    assert len(board.look([finding(is_bad=True)], 6)) == 1


def test_nothing_is_unusual_before_enough_is_known():
    usual = Usual(0.5)
    for _ in range(LEAST_TERMS - 1):
        usual.learn(0.1)
    assert usual.limit is None
    usual.learn(0.1)
    assert usual.limit == 0.5


def test_what_has_been_before_is_usual():
    usual = Usual(0.5, [0.1] * LEAST_TERMS)
    usual.learn(2.0)

    assert usual.limit == 2.4
    assert usual.release
    assert usual.release < 2.4
