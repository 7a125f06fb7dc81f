"""Classes of characters and how a text is made of them, in one vectorised pass."""

import unicodedata
from collections.abc import Sequence
from functools import cache
from itertools import accumulate, pairwise
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt
from msgspec import Struct

CodePoints = npt.NDArray[np.uint32]

BUCKETS = 4096
_BMP = 0x10000
LETTER, UPPER, DIGIT, SPACE, PUNCTUATION, OTHER = range(6)
_CLASSES = 6


class CharacterTable(Struct, frozen=True):
    """For each code point of the Basic Multilingual Plane its class and its script's number.

    Script 0 is "no letter"; numbers have no meaning beyond telling scripts apart.
    """

    classes: npt.NDArray[np.uint8]
    scripts: npt.NDArray[np.uint8]
    latin: int


def _class_of(character: str) -> int:
    category = unicodedata.category(character)
    if category in {"Lu", "Lt"}:
        return UPPER
    if category[0] in "LM":
        return LETTER
    if category == "Nd":
        return DIGIT
    if category[0] == "Z" or character in "\t\n\r":
        return SPACE
    return PUNCTUATION if category[0] in "PS" else OTHER


@cache
def character_table() -> CharacterTable:
    """Build the table from Python's own Unicode data, once a process (about 60 ms).

    The script is the first word of the character's name, as in "CYRILLIC SMALL LETTER A".
    """
    classes = np.zeros(_BMP, np.uint8)
    scripts = np.zeros(_BMP, np.uint8)
    numbers: dict[str, int] = {}
    for point in range(_BMP):
        character = chr(point)
        kind = _class_of(character)
        classes[point] = kind
        if kind in {LETTER, UPPER}:
            script = unicodedata.name(character, "UNNAMED").split(" ", 1)[0]
            scripts[point] = min(numbers.setdefault(script, len(numbers) + 1), 255)
    return CharacterTable(classes, scripts, numbers["LATIN"])


def code_points(text: str) -> CodePoints:
    """Return `text` as an array of code points, those beyond the BMP folded into U+FFFD."""
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    if text.isascii() or points.max(initial=0) < _BMP:
        return points
    return np.where(points < _BMP, points, np.uint32(0xFFFD))


class Texts(NamedTuple):
    """Texts end to end, so that one call of numpy serves all: most are shorter than a call is long.

    `spans` are where each starts and ends in `points`.
    """

    points: CodePoints
    spans: list[tuple[int, int]]

    @classmethod
    def of(cls, texts: Sequence[str]) -> Self:
        """Lay out `texts`."""
        borders = list(accumulate(map(len, texts), initial=0))
        return cls(code_points("".join(texts)), list(pairwise(borders)))

    def first(self, number: int) -> Self:
        """Return the first `number` of them."""
        spans = self.spans[:number]
        return type(self)(self.points[: spans[-1][1] if spans else 0], spans)


def class_counts(texts: Texts) -> list[list[int]]:
    """Count each text's characters: LETTER, UPPER, DIGIT, SPACE, PUNCTUATION, OTHER."""
    classes = character_table().classes.take(texts.points)
    return [
        np.bincount(classes[start:end], minlength=_CLASSES).tolist() for start, end in texts.spans
    ]


def scripts(points: CodePoints) -> npt.NDArray[np.uint8]:
    """Return each character's script, by its number in the table."""
    return character_table().scripts.take(points)


def longest_runs(values: npt.NDArray[Any], texts: Texts) -> list[int]:
    """Return the length of each text's longest run of one value, `values` being its characters'.

    Of flags only runs of those that are set count.
    """
    longest = [0] * len(texts.spans)
    filled = [number for number, (start, end) in enumerate(texts.spans) if start < end]
    if filled:
        is_first = np.empty(len(values), np.bool_)
        np.not_equal(values[1:], values[:-1], out=is_first[1:])
        starts = [texts.spans[number][0] for number in filled]
        is_first[starts] = True
        (firsts,) = is_first.nonzero()
        lengths = np.empty_like(firsts)
        np.subtract(firsts[1:], firsts[:-1], out=lengths[:-1])
        lengths[-1] = len(values) - firsts[-1]
        if values.dtype == np.bool_:
            lengths *= values[firsts]
        found = np.maximum.reduceat(lengths, firsts.searchsorted(starts))
        for number, length in zip(filled, found.tolist(), strict=True):
            longest[number] = length
    return longest


def bigrams(points: CodePoints) -> CodePoints:
    """Return each pair of neighbouring characters as a number below BUCKETS; pairs may collide."""
    pairs = points[:-1] * np.uint32(0x9E3779B1)
    pairs ^= points[1:] * np.uint32(0x85EBCA6B)
    pairs >>= np.uint32(13)
    pairs &= np.uint32(BUCKETS - 1)
    return pairs
