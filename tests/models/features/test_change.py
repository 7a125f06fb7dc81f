from hypothesis import given
from hypothesis import strategies as st

from revision_quality.models.features.change import compare, differing_region, words

text = st.text("ab\n ", max_size=60)


@given(text, text, text, text)
def test_what_lies_outside_of_the_region_is_the_same(
    head: str, before: str, after: str, tail: str
) -> None:
    parent, edited = head + before + tail, head + after + tail
    region = differing_region(parent, edited)
    assert parent[: region.start] == edited[: region.start]
    assert parent[region.parent_end :] == edited[region.text_end :]
    assert region.parent_end - region.start <= len(before)
    assert region.text_end - region.start <= len(after)


def test_one_word_put_in() -> None:
    change = compare("the red house", "the big red house")
    assert dict(change.added) == {"big": 1}
    assert not change.removed


def test_a_changed_letter_is_a_changed_word() -> None:
    change = compare("the red house", "the rad house")
    assert dict(change.removed) == {"red": 1}
    assert dict(change.added) == {"rad": 1}


def test_a_moved_line_is_no_change_of_words() -> None:
    change = compare("one\ntwo\nthree\nfour", "one\nthree\ntwo\nfour")
    assert not change.added
    assert not change.removed


def test_words_of_scripts_with_marks_and_without_spaces() -> None:
    assert words("हिन्दी भाषा") == ["हिन्दी", "भाषा"]
    assert words("力学!!") == ["力", "学", "!!"]
    assert words("don't stop...") == ["don't", "stop", "..."]
