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
    assert (len(window), window.room, 9 in window, 12 in window) == (2, 8, False, True)


def test_an_empty_window_stands_where_it_began():
    window = Window(3, 7)

    assert (window.position_after(()), window.read_up_to, window.room) == (7, 7, 3)


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
