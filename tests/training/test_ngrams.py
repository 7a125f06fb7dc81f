import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from revision_quality.models.features.ngrams import Found, find
from revision_quality.models.ngram_weights import NgramWeights
from revision_quality.training.ngrams import learn, log_odds, out_of_fold, to_matrix

BAD = ["hahaha", "hahah", "haha lol", "lololol", "lol haha"]
GOOD = ["the river", "a bridge", "built in", "north of", "the market"]


def found_in(*texts: list[str]) -> Found:
    return find([" ".join(words) for words in texts])


TEXTS = [text.split() for text in (BAD + GOOD) * 4]
LABELS = np.array(([1] * len(BAD) + [0] * len(GOOD)) * 4)
MATRIX = to_matrix(found_in(*TEXTS).parts())
WEIGHTS = np.ones(len(LABELS))


@pytest.fixture(scope="module")
def learnt() -> NgramWeights:
    return learn(MATRIX, LABELS, WEIGHTS)


def test_text_like_what_was_reverted_raises_the_odds(learnt: NgramWeights) -> None:
    assert learnt.log_odds(found_in(["hahahahaha"])) > 0.5
    assert learnt.log_odds(found_in(["the", "bridge"])) < -0.5


def test_no_text_moves_nothing(learnt: NgramWeights) -> None:
    assert learnt.log_odds(found_in([])) == 0


def test_a_row_of_the_matrix_and_an_edit_have_the_same_odds(learnt: NgramWeights) -> None:
    one_by_one = [float(learnt.log_odds(found_in(text))[0]) for text in TEXTS]
    assert log_odds(learnt, MATRIX) == pytest.approx(one_by_one, abs=1e-5)
    assert learnt.log_odds(found_in(*TEXTS)) == pytest.approx(one_by_one, abs=1e-5)


def test_the_same_edits_give_the_same_weights(learnt: NgramWeights) -> None:
    assert np.array_equal(learn(MATRIX, LABELS, WEIGHTS).weights, learnt.weights)


def test_any_number_of_threads_gives_the_same_weights() -> None:
    # As many edits and n-grams as it takes for linear algebra to be shared between threads, and
    # such weights that the order of a sum shows.
    chance = np.random.default_rng(1)
    matrix = to_matrix(list(chance.integers(0, 20_000, (12_000, 20)).astype(np.uint16)))
    labels = (chance.random(12_000) < 0.3).astype(np.int64)
    weights = 1000 * chance.random(12_000)
    found = []
    for threads in (1, 2):
        with threadpool_limits(threads):
            found.append(learn(matrix, labels, weights).weights)
    assert np.array_equal(*found)


def test_an_edit_is_judged_without_its_own_fold() -> None:
    texts = [["zebra"], ["zebra"], ["horse"], ["horse"]]
    labels = np.array([1, 1, 0, 0])
    apart = to_matrix(found_in(*texts).parts())
    only_zebra = np.array([True, True, False, False])
    odds = out_of_fold(apart, labels, np.ones(4), [only_zebra, ~only_zebra])
    assert (odds[:2] < 0.1).all(), "weights learnt from horses alone know no zebra"
