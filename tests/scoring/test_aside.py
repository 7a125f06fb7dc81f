"""What is left in the stream is remembered by two offsets a wiki."""

from hypothesis import given
from hypothesis import strategies as st

from revision_quality.scoring.aside import Aside


def test_a_span_grows_on_both_sides_and_shrinks_as_it_is_read():
    aside = Aside()
    for offset in (7, 5, 9):
        aside.add("my_wiki", offset)
    aside.add("other_wiki", 3)

    assert (aside.position, aside.position_of(["my_wiki"]), len(aside)) == (2, 4, 2)
    assert [aside.has("my_wiki", offset) for offset in (4, 5, 9, 10)] == [False, True, True, False]
    aside.read_up_to("other_wiki", 8)
    aside.read_up_to("my_wiki", 6)
    aside.read_up_to("my_wiki", 5)
    assert (aside.wiki_ids, aside.position) == (("my_wiki",), 6)
    aside.read_up_to("my_wiki", 9)
    assert (aside.position, len(aside), "my_wiki" in aside) == (None, 0, False)


def test_what_is_not_there_is_nothing():
    aside = Aside()
    aside.read_up_to("my_wiki", 4)

    assert (aside.position, aside.position_of([]), aside.has("my_wiki", 1)) == (None, None, False)


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 30)), max_size=40))
def test_whatever_was_left_and_not_read_is_in_the_span(steps):
    aside, left = Aside(), set()
    for is_left, offset in steps:
        if is_left:
            aside.add("my_wiki", offset)
            left.add(offset)
        else:
            aside.read_up_to("my_wiki", offset)
            left = {one for one in left if one > offset}
        assert all(aside.has("my_wiki", one) for one in left)
        assert not left or (aside.position is not None and aside.position < min(left))
