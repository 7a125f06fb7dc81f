"""Contents in memory: those used last, up to a number of bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revision_quality.wiki.contents import ENTRY_BYTES, Content, Contents, Room, bytes_of


def test_the_oldest_goes_first_and_use_keeps_young():
    kept = Contents(Room(3 * (ENTRY_BYTES + 10)))
    for rev_id in (1, 2, 3):
        kept.put(rev_id, Content("x" * 10))
    kept.get(1)

    kept.put(4, Content("x" * 10))

    assert [rev_id for rev_id in (1, 2, 3, 4) if kept.get(rev_id)] == [1, 3, 4]


@pytest.mark.parametrize(
    ("text", "bytes_each"), [("x" * 1000, 1), ("ж" * 1000, 2), ("x" * 999 + "\N{PANDA FACE}", 4)]
)
def test_memory_is_counted_not_characters(text, bytes_each):
    content = Content(text)
    assert abs(bytes_of(content) - ENTRY_BYTES - 1000 * bytes_each) < 50
    kept = Contents(Room(bytes_of(content)))
    kept.put(1, content)
    assert kept.get(1) == content

    kept.put(2, Content("a"))
    assert kept.get(1) is None
    assert kept.get(2) == Content("a")


def test_what_was_hidden_is_forgotten():
    kept = Contents()
    kept.put(1, Content("secret"))

    kept.remove(1)
    kept.remove(2)

    assert kept.get(1) is None


def test_short_texts_are_bounded_by_what_they_really_take():
    room = Room(100 * ENTRY_BYTES)
    kept = Contents(room)
    for rev_id in range(1000):
        kept.put(rev_id, Content(""))

    assert sum(kept.get(rev_id) is not None for rev_id in range(1000)) == 100
    assert (kept.hits, kept.misses) == (100, 900)


def test_wikis_share_a_room_and_no_content():
    room = Room(2 * (ENTRY_BYTES + 10))
    one, other = Contents(room), Contents(room)
    one.put(1, Content("one" * 3))
    other.put(1, Content("other"))

    assert (one.get(1), other.get(1)) == (Content("one" * 3), Content("other"))
    other.put(2, Content("more"))
    assert (one.get(1), other.get(1)) == (None, Content("other"))


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 40)), max_size=30))
def test_there_is_never_more_than_allowed(puts):
    room = Room(3 * ENTRY_BYTES + 50)
    kept = Contents(room)
    for rev_id, size in puts:
        kept.put(rev_id, Content("x" * size))
        held = [content for rev_id in range(6) if (content := kept.get(rev_id))]
        taken = sum(map(bytes_of, held))
        assert taken == room.bytes <= 3 * ENTRY_BYTES + 50
