"""Features of the words that an edit put in and took away."""

import re
import zlib
from collections import Counter
from itertools import islice
from typing import NamedTuple

from revision_quality.models.features import characters as chars
from revision_quality.models.features.change import Change, words
from revision_quality.models.features.feature import Feature
from revision_quality.models.features.letters import MISSING as _MISSING
from revision_quality.models.features.letters import SAMPLE, Letters
from revision_quality.wiki.revision import Revision

_BOTH = "text, parent.text"
_PROBES = 60
_MARKS = "'|*#"

FEATURES = (
    Feature("words_added", "words put in", "words", _BOTH),
    Feature("words_removed", "words taken away", "words", _BOTH),
    Feature("chars_added", "characters in the words put in", "characters", _BOTH),
    Feature("chars_removed", "characters in the words taken away", "characters", _BOTH),
    Feature(
        "removed_share", "characters taken away as a share of the page", "share", _BOTH, high=1
    ),
    Feature("longest_word_added", "length of the longest word put in", "characters", _BOTH),
    Feature("longest_run_added", "longest run of one character put in", "characters", _BOTH),
    Feature(
        "repeated_words_added",
        "share of the words put in that repeat another",
        "share",
        _BOTH,
        high=1,
    ),
    Feature(
        "compression_added",
        "size of the added words compressed over their size (first 4,000"
        " characters); low where they repeat",
        "ratio",
        _BOTH,
        missing=_MISSING,
    ),
    Feature(
        "upper_added",
        "share of capitals among the letters put in",
        "share",
        _BOTH,
        high=1,
        missing=_MISSING,
    ),
    Feature(
        "letters_added",
        "share of letters among the characters put in",
        "share",
        _BOTH,
        high=1,
        missing=_MISSING,
    ),
    Feature(
        "digits_added",
        "share of digits among the characters put in",
        "share",
        _BOTH,
        high=1,
        missing=_MISSING,
    ),
    Feature(
        "punctuation_added",
        "share of punctuation and symbols among the characters put in",
        "share",
        _BOTH,
        high=1,
        missing=_MISSING,
    ),
    Feature(
        "letters_removed",
        "share of letters among the characters taken away",
        "share",
        _BOTH,
        high=1,
        missing=_MISSING,
    ),
    Feature(
        "digits_removed",
        "share of digits among the characters taken away",
        "share",
        _BOTH,
        high=1,
        missing=_MISSING,
    ),
    Feature(
        "foreign_letters_added",
        "letters put in whose script is rare on the page before",
        "characters",
        _BOTH,
        missing=_MISSING,
    ),
    Feature(
        "foreign_share_added",
        "share of such letters among the letters put in",
        "share",
        _BOTH,
        high=1,
        missing=_MISSING,
    ),
    Feature(
        "unseen_bigrams_added",
        "share of neighbouring letters put in that the page before"
        " (its first 8,000 characters) never has",
        "share",
        _BOTH,
        high=1,
        missing=_MISSING,
    ),
    Feature(
        "bigram_surprise_added",
        "mean surprise of the neighbouring letters put in, by the page before",
        "nats",
        _BOTH,
        missing=_MISSING,
    ),
    Feature(
        "bigram_surprise_removed",
        "mean surprise of the letters taken away, by the page after",
        "nats",
        _BOTH,
        missing=_MISSING,
    ),
    Feature(
        "known_words_added",
        "share of the words put in that the page before has",
        "share",
        _BOTH,
        high=1,
        missing=_MISSING,
    ),
    Feature(
        "kept_words_removed",
        "share of the words taken away that the page still has",
        "share",
        _BOTH,
        high=1,
        missing=_MISSING,
    ),
    Feature(
        "urls_added", "addresses put in, less those taken away", "links", _BOTH, low=-float("inf")
    ),
    Feature(
        "replaced_similarity",
        "how much the characters put in resemble those taken away (shared characters over all)",
        "share",
        _BOTH,
        high=1,
        missing=_MISSING,
    ),
    Feature(
        "title_words_added",
        "words of the title put in, less those taken away",
        "words",
        "text, parent.text, page.title",
        low=-float("inf"),
    ),
    Feature("exclamations_added", "exclamation and question marks put in", "characters", _BOTH),
    Feature(
        "consonant_run_added",
        "longest run of Latin consonants in the words put in",
        "letters",
        _BOTH,
    ),
    Feature(
        "echo_added",
        "characters of the longest piece of 1 to 4 characters put in three or more times in a row",
        "characters",
        _BOTH,
    ),
    Feature("upper_words_added", "words of three or more capitals put in", "words", _BOTH),
    Feature(
        "most_repeated_added",
        "how often the most frequent word of three or more letters was put in",
        "times",
        _BOTH,
    ),
    Feature("html_links_added", "links put in as HTML or forum markup", "links", _BOTH),
    Feature(
        "comment_echo",
        "share of the summary's words that were put in too",
        "share",
        "comment, text, parent.text",
        high=1,
        missing=_MISSING,
    ),
    Feature(
        "added_of_changed",
        "words put in as a share of all words put in or taken away",
        "share",
        _BOTH,
        high=1,
        missing=_MISSING,
    ),
    Feature(
        "quotes_added",
        "apostrophes put in, as in bold and italics, less those taken away",
        "characters",
        _BOTH,
        low=-float("inf"),
    ),
    Feature(
        "pipes_added",
        "vertical bars put in, less those taken away",
        "characters",
        _BOTH,
        low=-float("inf"),
    ),
    Feature(
        "lists_added",
        "list marks put in, less those taken away",
        "characters",
        _BOTH,
        low=-float("inf"),
    ),
    Feature("symbols_added", "other symbols and control characters put in", "characters", _BOTH),
    Feature(
        "mean_word_added", "mean length of the words put in", "characters", _BOTH, missing=_MISSING
    ),
    Feature(
        "mean_word_removed",
        "mean length of the words taken away",
        "characters",
        _BOTH,
        missing=_MISSING,
    ),
)


def _mostly_known(some: Counter[str], text: str) -> float:
    probes = [word for word in islice(some, _PROBES) if len(word) > 1]
    return sum(map(text.__contains__, probes)) / len(probes) if probes else _MISSING


def _similarity(old: str, new: str) -> float:
    if not old or not new:
        return _MISSING
    some, others = old[:SAMPLE], new[:SAMPLE]
    both = set(some).intersection(others)
    shared = sum(min(some.count(character), others.count(character)) for character in both)
    return 2 * shared / (len(some) + len(others))


def _title_words(title: str, change: Change) -> float:
    names = title.replace("_", " ").split()
    return float(sum(change.added[name] - change.removed[name] for name in names))


def _shares(counts: list[int], spaces: int) -> tuple[float, float, float, float]:
    """Return the shares of capitals (of letters), letters, digits, punctuation (of all)."""
    letters = counts[chars.LETTER] + counts[chars.UPPER]
    total = max(sum(counts) - spaces, 1)
    return (
        counts[chars.UPPER] / letters if letters else 0.0,
        letters / total,
        counts[chars.DIGIT] / total,
        counts[chars.PUNCTUATION] / total,
    )


_ECHO = re.compile(r"(\S{1,4}?)\1{2,}")


class _Put(NamedTuple):
    """What the words put in are, word by word."""

    longest: int
    exclamations: int
    capitals: int
    most_repeated: int


def _put(added: Counter[str]) -> _Put:
    longest = exclamations = capitals = most_repeated = 0
    for word, times in added.items():
        length = len(word)
        longest = max(longest, length)
        if word[0] in "!?":
            exclamations += times * length
        if length > 2:
            most_repeated = max(most_repeated, times)
            if word.isupper():
                capitals += times
    return _Put(longest, exclamations, capitals, most_repeated)


def _net_marks(change: Change) -> dict[str, int]:
    """Count apostrophes, bars and list marks put in, less those taken away."""
    net = dict.fromkeys(_MARKS, 0)
    for words_changed, sign in ((change.added, 1), (change.removed, -1)):
        for word, times in words_changed.items():
            if word[0] in _MARKS:
                # Such a word is a run of its mark.
                net[word[0]] += sign * times * len(word)
    return net


def _comment_echo(comment: str | None, added: Counter[str]) -> float:
    if not comment:
        return _MISSING
    said = words(comment[:500])
    return sum(word in added for word in said) / len(said) if said else _MISSING


def measure(revision: Revision, change: Change, letters: Letters) -> tuple[float, ...]:
    """Return the values of FEATURES."""
    added, removed = change.added, change.removed
    new, old = change.added_text, change.removed_text
    words_added, words_removed = added.total(), removed.total()
    chars_added = len(new) - max(words_added - 1, 0)
    chars_removed = len(old) - max(words_removed - 1, 0)
    put, net = _put(added), _net_marks(change)
    shares = shares_removed = (_MISSING,) * 4
    compression = _MISSING
    echo = 0
    if new:
        shares = _shares(letters.added, words_added - 1)
        sample = new[:SAMPLE]
        encoded = sample.encode("utf-8", "surrogatepass")
        compression = len(zlib.compress(encoded, 1)) / len(encoded)
        if letters.may_echo:
            echo = max((len(found[0]) for found in _ECHO.finditer(sample)), default=0)
    if old:
        shares_removed = _shares(letters.removed, words_removed - 1)
    return (
        float(words_added),
        float(words_removed),
        float(chars_added),
        float(chars_removed),
        min(chars_removed / max(len(revision.parent.text), 1), 1.0),
        float(put.longest),
        float(letters.longest_run),
        1 - len(added) / words_added if words_added else 0.0,
        compression,
        *shares,
        *shares_removed[1:3],
        letters.foreign,
        letters.foreign_share,
        letters.unseen,
        letters.surprise,
        letters.surprise_removed,
        _mostly_known(added, revision.parent.text),
        _mostly_known(removed, revision.text),
        float(added["//"] - removed["//"]),
        _similarity(old, new),
        _title_words(revision.page.title, change),
        float(put.exclamations),
        float(letters.consonant_run),
        float(echo),
        float(put.capitals),
        float(put.most_repeated),
        float(added["href"] + added["url"]),
        _comment_echo(revision.comment, added),
        words_added / (words_added + words_removed) if words_added + words_removed else _MISSING,
        float(net["'"]),
        float(net["|"]),
        float(net["*"] + net["#"]),
        float(letters.added[chars.OTHER]),
        chars_added / words_added if words_added else _MISSING,
        chars_removed / words_removed if words_removed else _MISSING,
    )
