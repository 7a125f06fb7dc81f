"""What an edit changed: the region that differs, and its words added and removed."""

from collections import Counter

import regex  # type: ignore[import-untyped]
from msgspec import Struct

_WORD = regex.compile(
    r"\p{Ideographic}|\w+(?:'\w+)*|'+|!+|\?+|\.+|=+|-+|\*+|#+|:+|\|+|\[+|\]+|\{+|\}+|/+|\S"
)
MAX_LENGTH = 20_000


class Region(Struct, frozen=True):
    """Where two texts differ: `parent[start:parent_end]` became `text[start:text_end]`."""

    start: int
    parent_end: int
    text_end: int


class Change(Struct, frozen=True):
    """The words that an edit took away and put in, each with how often, and the lines touched.

    Words that only moved count as neither. `differing` is the smallest region that differs. The
    texts are all those words, a blank between two.
    """

    differing: Region
    removed: Counter[str]
    added: Counter[str]
    removed_text: str
    added_text: str
    lines_removed: int
    lines_added: int


def _common_prefix(a: str, b: str, limit: int) -> int:
    low, high = 0, limit
    while low < high:
        middle = (low + high + 1) // 2
        if a.startswith(b[low:middle], low):
            low = middle
        else:
            high = middle - 1
    return low


def _common_suffix(a: str, b: str, limit: int) -> int:
    low, high = 0, limit
    while low < high:
        middle = (low + high + 1) // 2
        if a.endswith(b[len(b) - middle : len(b) - low], 0, len(a) - low):
            low = middle
        else:
            high = middle - 1
    return low


def differing_region(parent: str, text: str) -> Region:
    """Find the smallest region outside of which both texts agree; linear in their length."""
    prefix = _common_prefix(parent, text, min(len(parent), len(text)))
    suffix = _common_suffix(parent, text, min(len(parent), len(text)) - prefix)
    return Region(prefix, len(parent) - suffix, len(text) - suffix)


def _to_word_borders(parent: str, text: str, region: Region) -> Region:
    start, tail = region.start, 0
    while start > 0 and parent[start - 1].isalnum():
        start -= 1
    rest = len(parent) - region.parent_end
    while tail < rest and parent[region.parent_end + tail].isalnum():
        tail += 1
    return Region(start, region.parent_end + tail, region.text_end + tail)


def words(text: str) -> list[str]:
    """Split into words, ideographs, runs of one common mark, other marks; spaces are left out."""
    found: list[str] = _WORD.findall(text)
    return found


def compare(parent: str, text: str) -> Change:
    """Find what changed between two texts; linear time, and moved lines or words cancel out.

    Words are those of the first MAX_LENGTH characters of the lines removed and added.
    """
    differing = differing_region(parent, text)
    region = _to_word_borders(parent, text, differing)
    lines_removed, lines_added = _exchanged(
        parent[region.start : region.parent_end].split("\n"),
        text[region.start : region.text_end].split("\n"),
    )
    removed, added = _exchanged(
        words("\n".join(lines_removed.elements())[:MAX_LENGTH]),
        words("\n".join(lines_added.elements())[:MAX_LENGTH]),
    )
    return Change(
        differing,
        removed,
        added,
        " ".join(removed.elements()),
        " ".join(added.elements()),
        lines_removed.total(),
        lines_added.total(),
    )


def _exchanged(old: list[str], new: list[str]) -> tuple[Counter[str], Counter[str]]:
    """Count what is in the one list more often than in the other."""
    before, after = Counter(old), Counter(new)
    return _without(before, after), _without(after, before)


def _without(some: Counter[str], others: Counter[str]) -> Counter[str]:
    """Return `some - others`; for counts above 0, and then in a third of the time."""
    if not some or not others:
        return some
    known = others.get
    return Counter({item: n - m for item, n in some.items() if n > (m := known(item, 0))})
