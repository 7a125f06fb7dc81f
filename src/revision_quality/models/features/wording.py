"""Features of the words that an edit put in and took away."""

import re
import zlib
from collections import Counter

import numpy as np

from revision_quality.models.features import characters as chars
from revision_quality.models.features.change import Change, words
from revision_quality.models.features.feature import Feature
from revision_quality.wiki.revision import Revision

_MISSING = -1.0
_BOTH = "text, parent.text"
_WINDOW = 8000
_SAMPLE = 4000
_PROBES = 60

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
    probes = [word for word in list(some)[:_PROBES] if len(word) > 1]
    return sum(word in text for word in probes) / len(probes) if probes else _MISSING


def _surprise(points: chars.CodePoints, page: chars.CodePoints) -> tuple[float, float]:
    """Return the share of unseen pairs and the mean surprise of pairs of `points` on `page`."""
    if len(points) < 2 or len(page) < 100:
        return _MISSING, _MISSING
    reference = np.bincount(chars.bigrams(page), minlength=chars.BUCKETS)[chars.bigrams(points)]
    surprises = np.log((reference + 0.5) / (len(page) + 2048))
    unseen = 1 - np.count_nonzero(reference) / len(reference)
    return unseen, -float(np.add.reduce(surprises)) / len(surprises)


def _similarity(old: str, new: str) -> float:
    if not old or not new:
        return _MISSING
    a, b = Counter(old[:_SAMPLE]), Counter(new[:_SAMPLE])
    shared = sum(min(n, b[character]) for character, n in a.items() if character in b)
    return 2 * shared / (min(len(old), _SAMPLE) + min(len(new), _SAMPLE))


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


def _foreign(points: chars.CodePoints, page: chars.CodePoints) -> tuple[float, float]:
    """Count letters of scripts that make up less than 5 % of the page's letters."""
    here = chars.script_counts(points)
    total = len(points) - int(here[0])
    if not total:
        return _MISSING, _MISSING
    there = chars.script_counts(page)
    letters = len(page) - int(there[0])
    if letters < 20:
        return _MISSING, _MISSING
    scripts = np.flatnonzero(here[1:]) + 1
    rare = scripts[there[scripts] < 0.05 * letters]
    foreign = int(here[rare].sum())
    return float(foreign), foreign / total


_CONSONANTS = re.compile(r"[bcdfghjklmnpqrstvwxz]+", re.IGNORECASE)
_ECHO = re.compile(r"(\S{1,4}?)\1{2,}")


def _net_marks(change: Change) -> dict[str, int]:
    """Count apostrophes, bars and list marks put in, less those taken away."""
    net = dict.fromkeys("'|*#", 0)
    for words_changed, sign in ((change.added, 1), (change.removed, -1)):
        for word, times in words_changed.items():
            if word[0] in net:
                net[word[0]] += sign * times * word.count(word[0])
    return net


def _comment_echo(comment: str | None, added: Counter[str]) -> float:
    if not comment:
        return _MISSING
    said = words(comment[:500])
    return sum(word in added for word in said) / len(said) if said else _MISSING


def measure(revision: Revision, change: Change) -> tuple[float, ...]:
    """Return the values of FEATURES."""
    added, removed = change.added, change.removed
    new, old = " ".join(added.elements()), " ".join(removed.elements())
    words_added, words_removed = added.total(), removed.total()
    chars_added = len(new) - max(words_added - 1, 0)
    chars_removed = len(old) - max(words_removed - 1, 0)
    net = _net_marks(change)
    before = chars.code_points(revision.parent.text[:_WINDOW])
    new_points, old_points = chars.code_points(new), chars.code_points(old)
    classes = chars.class_counts(new_points)
    upper = letters = digits = punctuation = compression = _MISSING
    foreign = foreign_share = unseen = surprise = _MISSING
    if new:
        upper, letters, digits, punctuation = _shares(classes, words_added - 1)
        foreign, foreign_share = _foreign(new_points, before)
        unseen, surprise = _surprise(new_points, before)
        sample = new[:_SAMPLE].encode("utf-8", "surrogatepass")
        compression = len(zlib.compress(sample, 1)) / len(sample)
    letters_removed = digits_removed = surprise_removed = _MISSING
    if old:
        _, letters_removed, digits_removed, _ = _shares(
            chars.class_counts(old_points), words_removed - 1
        )
        after = chars.code_points(revision.text[:_WINDOW])
        surprise_removed = _surprise(old_points, after)[1]
    return (
        float(words_added),
        float(words_removed),
        float(chars_added),
        float(chars_removed),
        min(chars_removed / max(len(revision.parent.text), 1), 1.0),
        float(max(map(len, added), default=0)),
        float(chars.longest_run(new_points)),
        1 - len(added) / words_added if words_added else 0.0,
        compression,
        upper,
        letters,
        digits,
        punctuation,
        letters_removed,
        digits_removed,
        foreign,
        foreign_share,
        unseen,
        surprise,
        surprise_removed,
        _mostly_known(added, revision.parent.text),
        _mostly_known(removed, revision.text),
        float(added["//"] - removed["//"]),
        _similarity(old, new),
        _title_words(revision.page.title, change),
        float(sum(n * (w.count("!") + w.count("?")) for w, n in added.items() if w[0] in "!?")),
        float(max(map(len, _CONSONANTS.findall(new[:_SAMPLE])), default=0)),
        float(max((len(m[0]) for m in _ECHO.finditer(new[:_SAMPLE])), default=0)),
        float(sum(n for w, n in added.items() if len(w) > 2 and w.isupper())),
        float(max((n for w, n in added.items() if len(w) > 2), default=0)),
        float(added["href"] + added["url"]),
        _comment_echo(revision.comment, added),
        words_added / (words_added + words_removed) if words_added + words_removed else _MISSING,
        float(net["'"]),
        float(net["|"]),
        float(net["*"] + net["#"]),
        float(classes[chars.OTHER]),
        chars_added / words_added if words_added else _MISSING,
        chars_removed / words_removed if words_removed else _MISSING,
    )
