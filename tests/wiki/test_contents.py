"""Contents in memory: those used last, up to a number of bytes."""

from hypothesis import given
from hypothesis import strategies as st

from revision_quality.wiki.contents import Content, Contents


def test_the_oldest_goes_first_and_use_keeps_young():
    kept = Contents(max_bytes=30)
    for rev_id in (1, 2, 3):
        kept.put(rev_id, Content("x" * 10))
    kept.get(1)

    kept.put(4, Content("x" * 10))

    assert [rev_id for rev_id in (1, 2, 3, 4) if kept.get(rev_id)] == [1, 3, 4]


def test_bytes_are_counted_not_characters():
    kept = Contents(max_bytes=10)
    kept.put(1, Content("ж" * 5))
    assert kept.get(1)

    kept.put(2, Content("a"))
    assert kept.get(1) is None
    assert kept.get(2) == Content("a")


def test_what_was_hidden_is_forgotten():
    kept = Contents()
    kept.put(1, Content("secret"))

    kept.remove(1)
    kept.remove(2)

    assert kept.get(1) is None


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 40)), max_size=30))
def test_there_is_never_more_than_allowed(puts):
    kept = Contents(max_bytes=50)
    for rev_id, size in puts:
        kept.put(rev_id, Content("x" * size))
        held = [content for rev_id in range(6) if (content := kept.get(rev_id))]
        assert sum(len(content.text) for content in held) == kept._bytes <= 50
