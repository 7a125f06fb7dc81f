"""Classes of characters and how a text is made of them, in one vectorised pass."""

import unicodedata
from functools import cache

import numpy as np
import numpy.typing as npt
from msgspec import Struct

CodePoints = npt.NDArray[np.uint32]

BUCKETS = 4096
_BMP = 0x10000
LETTER, UPPER, DIGIT, SPACE, PUNCTUATION, OTHER = range(6)


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
    if points.max(initial=0) < _BMP:
        return points
    return np.where(points < _BMP, points, np.uint32(0xFFFD))


def class_counts(points: CodePoints) -> list[int]:
    """Count the characters of each class: LETTER, UPPER, DIGIT, SPACE, PUNCTUATION, OTHER."""
    counted: list[int] = np.bincount(character_table().classes.take(points), minlength=6).tolist()
    return counted


def script_counts(points: CodePoints) -> npt.NDArray[np.intp]:
    """Count the letters of each script, by its number in the table; length 256."""
    return np.bincount(character_table().scripts.take(points), minlength=256)


def longest_run(points: CodePoints) -> int:
    """Length of the longest run of one character."""
    borders = np.flatnonzero(points[1:] != points[:-1])
    if not len(borders):
        return len(points)
    inner = int((borders[1:] - borders[:-1]).max(initial=0))
    return max(int(borders[0]) + 1, inner, len(points) - 1 - int(borders[-1]))


def bigrams(points: CodePoints) -> CodePoints:
    """Return each pair of neighbouring characters as a number below BUCKETS; pairs may collide."""
    pairs = (points[:-1] * np.uint32(0x9E3779B1)) ^ (points[1:] * np.uint32(0x85EBCA6B))
    return (pairs >> np.uint32(13)) & np.uint32(BUCKETS - 1)
