import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from revision_quality.models.features.ngrams import BUCKETS, CHARACTERS, Buckets, find


def buckets(texts: list[list[str]]) -> list[Buckets]:
    return find([" ".join(words) for words in texts]).parts()


WORDS = st.lists(st.text(min_size=1, max_size=12), max_size=20)


@pytest.mark.parametrize(
    ("words", "number"),
    [
        pytest.param([], 0, id="nothing put in"),
        pytest.param(["a"], 1 + 2 + 1, id="one letter: a, its two borders, both at once"),
        pytest.param(["ab"], 2 + 3 + 2 + 1, id="two letters"),
        pytest.param(["ab", "ab"], 2 + 3 + 2 + 1, id="a word twice counts once"),
        pytest.param(["AB", "ab"], 2 + 3 + 2 + 1, id="capitals are as small letters"),
    ],
)
def test_each_ngram_of_one_to_four_characters_has_a_bucket(words: list[str], number: int) -> None:
    (found,) = buckets([words])
    assert len(found) == number


def test_the_order_of_words_does_not_count() -> None:
    assert np.array_equal(*buckets([["river", "bridge"], ["bridge", "river"]]))


def test_words_that_share_letters_share_buckets() -> None:
    one, other, foreign = (
        set(found.tolist()) for found in buckets([["laughing"], ["laughed"], ["мост"]])
    )
    assert len(one & other) > 10
    assert len(one & foreign) < 3


def test_what_comes_after_the_first_characters_is_not_read() -> None:
    long = ["x" * CHARACTERS]
    assert np.array_equal(*buckets([long, [*long, "unread"]]))


@given(WORDS)
def test_any_words_are_taken(words: list[str]) -> None:
    (found,) = buckets([words])
    assert found.dtype == np.uint16
    assert (np.diff(found.astype(int)) > 0).all()
    assert found.max(initial=0) < BUCKETS


@given(st.lists(WORDS, max_size=4))
def test_texts_side_by_side_do_not_mix(texts: list[list[str]]) -> None:
    together = buckets(texts)
    assert len(together) == len(texts)
    for words, found in zip(texts, together, strict=True):
        assert np.array_equal(found, *buckets([words]))
