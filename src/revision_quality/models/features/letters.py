"""What the words that edits put in and took away are spelt with, for many edits at once."""

import re
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from revision_quality.models.features import characters as chars
from revision_quality.models.features.change import Change
from revision_quality.wiki.revision import Revision

MISSING = -1.0
SAMPLE = 4000
"""Characters of the words put in that are searched for runs."""

_WINDOW = 8000
_BLANK = 0x20
_LONGEST_ECHO = 4
_SHORT = 300
"""Characters in all texts together for which an expression is quicker than numpy."""
_CONSONANTS = re.compile(r"[bcdfghjklmnpqrstvwxz]+", re.IGNORECASE)


class Letters(NamedTuple):
    """Counts of classes as in `characters`, runs in characters, and by what the page tells.

    `foreign` letters put in are those of scripts that are rare on the page before, `unseen` the
    share of neighbouring letters put in that it never has. What cannot be told is MISSING.
    `may_echo` is False where surely no piece of up to 4 characters comes three times in a row.
    """

    added: list[int]
    removed: list[int]
    longest_run: int
    consonant_run: int
    may_echo: bool
    foreign: float
    foreign_share: float
    unseen: float
    surprise: float
    surprise_removed: float


class _Pages(NamedTuple):
    """The beginnings of pages, their characters' scripts and their pairs of neighbours."""

    spans: list[tuple[int, int]]
    scripts: npt.NDArray[np.uint8]
    pairs: chars.CodePoints


def measure(edits: Sequence[tuple[Revision, Change]]) -> list[Letters]:
    """Measure each edit."""
    added = [change.added_text for _, change in edits]
    removed = [change.removed_text for _, change in edits]
    before = [
        revision.parent.text[:_WINDOW] if change.added_text else "" for revision, change in edits
    ]
    after = [revision.text[:_WINDOW] if change.removed_text else "" for revision, change in edits]
    texts = chars.Texts.of([*added, *removed])
    pages = _pages([*before, *after])
    number = len(edits)
    put_in = texts.first(number)
    classes = chars.class_counts(texts)
    surprises = _surprises(texts, pages)
    columns = (
        classes[:number],
        classes[number:],
        chars.longest_runs(put_in.points, put_in),
        _consonant_runs(added, put_in),
        _may_echo(put_in),
        *zip(*_foreign(put_in, pages), strict=True),
        *zip(*surprises[:number], strict=True),
        [surprise for _, surprise in surprises[number:]],
    )
    return [Letters(*each) for each in zip(*columns, strict=True)]


def _pages(windows: Sequence[str]) -> _Pages:
    texts = chars.Texts.of(windows)
    return _Pages(texts.spans, chars.scripts(texts.points), chars.bigrams(texts.points))


@cache
def _is_consonant() -> npt.NDArray[np.bool_]:
    """Mark Latin consonants among the code points of the BMP, once a process."""
    every = "".join(map(chr, range(0x10000)))
    marks = np.zeros(len(every), np.bool_)
    for found in _CONSONANTS.finditer(every):
        marks[found.start() : found.end()] = True
    return marks


def _consonant_runs(written: Sequence[str], texts: chars.Texts) -> list[int]:
    if len(texts.points) < _SHORT:
        return [max(map(len, _CONSONANTS.findall(text)), default=0) for text in written]
    marks = _is_consonant().take(texts.points)
    for start, end in texts.spans:
        if end - start > SAMPLE:
            marks[start + SAMPLE : end] = False
    return chars.longest_runs(marks, texts)


def _may_echo(texts: chars.Texts) -> list[bool]:
    """Tell where a piece of up to 4 characters without a blank comes three times in a row.

    Each character is then that of one piece ahead, for two pieces. What reaches into the next text
    is taken for one, which only costs a look; so does a short text.
    """
    if len(texts.points) < _SHORT:
        return [True] * len(texts.spans)
    solid = texts.points != _BLANK
    found = np.zeros(len(solid), np.bool_)
    for length in range(1, _LONGEST_ECHO + 1):
        same = texts.points[length:] == texts.points[:-length]
        same &= solid[length:]
        for _ in range(2 * length - 1):
            same = same[1:] & same[:-1]
        found[: len(same)] |= same
    (places,) = found.nonzero()
    echoes = np.zeros(len(texts.spans), np.bool_)
    echoes[np.searchsorted([end for _, end in texts.spans], places, "right")] = True
    told: list[bool] = echoes.tolist()
    return told


def _foreign(texts: chars.Texts, pages: _Pages) -> list[tuple[float, float]]:
    """Count letters of scripts that make up less than 5 % of the page's letters.

    The first of `pages` belong to `texts`, in order.
    """
    spelt = chars.scripts(texts.points)
    return [
        _foreign_of(spelt[start:end], pages.scripts[first:last])
        for (start, end), (first, last) in zip(texts.spans, pages.spans, strict=False)
    ]


def _foreign_of(here: npt.NDArray[np.uint8], there: npt.NDArray[np.uint8]) -> tuple[float, float]:
    counts = np.bincount(here, minlength=1).tolist()
    total = len(here) - counts[0]
    if not total:
        return MISSING, MISSING
    letters = np.count_nonzero(there)
    if letters < 20:
        return MISSING, MISSING
    foreign = sum(
        count
        for script, count in enumerate(counts)
        if count and script and np.count_nonzero(there == script) < 0.05 * letters
    )
    return float(foreign), foreign / total


def _surprises(texts: chars.Texts, pages: _Pages) -> list[tuple[float, float]]:
    """Return the share of unseen pairs and the mean surprise of each text's pairs on its page."""
    pairs = chars.bigrams(texts.points)
    told = []
    for (start, end), (first, last) in zip(texts.spans, pages.spans, strict=True):
        if end - start < 2 or last - first < 100:
            told.append((MISSING, MISSING))
            continue
        there = np.bincount(pages.pairs[first : last - 1], minlength=chars.BUCKETS)
        times = there.take(pairs[start : end - 1])
        unseen = 1 - np.count_nonzero(times) / len(times)
        surprises = np.log((times + 0.5) / (last - first + 2048))
        told.append((unseen, -float(np.add.reduce(surprises)) / len(times)))
    return told
