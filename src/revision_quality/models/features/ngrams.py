"""Character n-grams of some words, each as the number of a bucket.

The hashing trick: Weinberger et al., "Feature Hashing for Large Scale Multitask Learning" (2009).
N-grams do not cross the borders of words, so that the order in which words were put in does not
count; the blank before and after a word belongs to it, as in fastText's subwords.
"""

from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from revision_quality.models.features import characters as chars

Buckets = npt.NDArray[np.uint16]
Hashes = npt.NDArray[np.uint32]

BUCKETS = 1 << 16
LONGEST = 4
CHARACTERS = 1000
"""Characters that are read: more of them say no more about an edit, and long texts cost no more."""

_BLANK = 0x20
_MIXERS = tuple(map(np.uint32, (0x9E3779B1, 0x85EBCA6B, 0xC2B2AE35, 0x27D4EB2F)))
_LAST_MIXER, _HALF, _SHIFT = np.uint32(0x2C1B3C6D), np.uint32(15), np.uint32(16)


class Found(NamedTuple):
    """The distinct buckets of several texts, in order, one text's after the other's.

    `numbers[i]` is how many of them are those of text i.
    """

    buckets: Buckets
    numbers: npt.NDArray[np.intp]

    def parts(self) -> list[Buckets]:
        """Return those of each text."""
        borders = accumulate(self.numbers.tolist(), initial=0)
        return [self.buckets[start:end] for start, end in pairwise(borders)]

    def split(self, into: int) -> tuple["Found", ...]:
        """Return the texts in `into` groups of as many, in order."""
        groups, end = [], 0
        for numbers in self.numbers.reshape(into, -1):
            start, end = end, end + int(np.add.reduce(numbers))
            groups.append(Found(self.buckets[start:end], numbers))
        return tuple(groups)


def find(texts: Sequence[str]) -> Found:
    """Find the distinct buckets of the n-grams of each text, which is words with blanks between.

    N-grams have 1 to 4 characters; upper and lower case are one. Linear in the length of the
    texts, at most 65,536, of which the first 1,000 characters count. All are hashed together,
    since most are short and a call of numpy costs more than a hundred characters.
    """
    said = [f" {text[:CHARACTERS].lower()} " for text in texts]
    points = chars.code_points("".join(said))
    lengths = list(map(len, said))
    hashes = _hashes(points)
    hashes |= (np.arange(len(said), dtype=np.uint32) << _SHIFT).repeat(lengths)
    distinct = _distinct(hashes[_in_one_word(points != _BLANK)])
    numbers = np.bincount(distinct >> _SHIFT, minlength=len(said))
    return Found(distinct.astype(np.uint16), numbers)


def _hashes(points: chars.CodePoints) -> Hashes:
    """Return the buckets of all n-grams: a row for each length, a column for each beginning.

    Each is made from that of its beginning. What would reach beyond the end is 0.
    """
    hashed = points * _MIXERS[0]
    hashed ^= hashed >> _HALF
    found = np.zeros((LONGEST, len(points)), np.uint32)
    found[0] = hashed
    for place in range(1, LONGEST):
        hashed = (hashed[:-1] ^ points[place:]) * _MIXERS[place]
        hashed ^= hashed >> _HALF
        found[place, :-place] = hashed
    found *= _LAST_MIXER
    found >>= _SHIFT
    return found


def _in_one_word(solid: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Mark the n-grams that have no blank inside and are not blank alone, as `_hashes` has them."""
    marks = np.zeros((LONGEST, len(solid)), np.bool_)
    marks[0] = solid
    np.logical_or(solid[:-1], solid[1:], out=marks[1, :-1])
    marks[2, :-2] = solid[1:-1]
    np.logical_and(solid[1:-2], solid[2:-1], out=marks[3, :-3])
    return marks


def _distinct(numbers: Hashes) -> Hashes:
    """Return each number once, in order; `numbers` is sorted in place."""
    numbers.sort()
    is_new = np.ones(len(numbers), np.bool_)
    np.not_equal(numbers[1:], numbers[:-1], out=is_new[1:])
    return numbers[is_new]
