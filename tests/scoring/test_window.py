"""The position never passes an event that is not dealt with."""

from hypothesis import given
from hypothesis import strategies as st

from revision_quality.scoring.window import Window


def test_the_position_moves_up_to_the_lowest_unfinished_event():
    window = Window(10, 5)
    for offset in (6, 9, 12):
        window.begin(offset)
    assert window.position_after(()) == 5
    assert window.position_after({9}) == 5
    assert window.position_after({6}) == 8
    assert window.position_after({6, 9, 12}) == 12

    window.finish({9})
    assert window.position_after({6}) == 11
    assert (len(window), window.excess, 9 in window, 12 in window) == (2, 0, False, True)


def test_an_empty_window_stands_where_it_began():
    window = Window(3, 7)

    assert (window.position_after(()), window.read_up_to, window.excess) == (7, 7, 0)


def test_what_is_passed_by_moves_the_position_and_what_is_too_much_is_told():
    window = Window(1, 5)
    window.pass_by(8)
    assert window.position_after(()) == 8

    window.begin(9)
    window.begin(10)
    assert (window.excess, window.position_after({9})) == (1, 9)


def test_an_event_read_again_holds_the_position_back():
    window = Window(10)
    for offset in (3, 7):
        window.begin(offset)
    window.finish({3})
    window.begin(3)

    assert (window.position_after(()), window.read_up_to) == (2, 7)
    window.finish({3})
    assert window.position_after(()) == 6


def test_what_is_finished_behind_a_stuck_event_takes_no_room():
    window = Window(10)
    window.begin(1)
    for offset in range(2, 20_000):
        window.begin(offset)
        window.finish({offset})

    assert (len(window), window.position_after(())) == (1, 0)
    assert window.remembered < 2000


@given(st.lists(st.integers(1, 5), max_size=20), st.data())
def test_in_any_order_of_finishing_nothing_unfinished_is_passed(steps, data):
    window, offset = Window(100), 0
    offsets = []
    for step in steps:
        offset += step
        offsets.append(offset)
        window.begin(offset)
    position = 0
    for finished in data.draw(st.permutations(offsets)):
        moved = window.position_after({finished})
        window.finish({finished})
        assert position <= moved
        assert all(left > moved for left in offsets if left in window)
        position = moved
    assert position == (offsets[-1] if offsets else 0)
