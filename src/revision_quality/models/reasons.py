"""Why a score is what it is, in a patroller's words."""

from enum import StrEnum

from msgspec import Struct

from revision_quality.models.features.feature import Feature


class Form(StrEnum):
    """Which of a feature's phrases a value takes."""

    ABOVE = "above"
    ZERO = "zero"
    BELOW = "below"
    MISSING = "missing"


class Reason(Struct, frozen=True):
    """What one feature did to one score.

    `contribution` is in log odds: above 0 it raised the score, below 0 it lowered it; the
    contributions of all features add up to the score's distance from the average. `text` is a
    phrase whose subject is the edit, such as "removes 4 references"; for one in another language,
    `form` tells which phrase of the feature it is, and `is_limit` that the value is counted no
    further.
    """

    feature: str
    value: float
    contribution: float
    text: str
    form: Form = Form.ABOVE
    is_limit: bool = False


class _Phrase(Struct, frozen=True):
    """How a value reads: above 0, at 0, below 0, not known.

    `{n}` is its size, `{p}` it as a percentage, {one|many} is chosen by it.
    """

    above: str
    zero: str
    below: str = ""
    missing: str = ""


def _change(one: str, many: str) -> _Phrase:
    return _Phrase(
        f"adds {{n}} {{{one}|{many}}}",
        f"adds and removes as many {many}",
        f"removes {{n}} {{{one}|{many}}}",
    )


def _page(one: str, many: str) -> _Phrase:
    return _Phrase(f"the page had {{n}} {{{one}|{many}}}", f"the page had no {many}")


_PARTS = {
    "references": ("reference", "references"),
    "wikilinks": ("link", "links"),
    "categories": ("category", "categories"),
    "media": ("file", "files"),
    "interwiki": ("language link", "language links"),
    "headings": ("heading", "headings"),
    "templates": ("template", "templates"),
    "external_links": ("external link", "external links"),
    "tags": ("HTML tag", "HTML tags"),
    "tables": ("table", "tables"),
}

_PHRASES = {
    **{f"{part}_change": _change(*names) for part, names in _PARTS.items()},
    **{f"parent_{part}": _page(*names) for part, names in _PARTS.items()},
    "user_is_anonymous": _Phrase("by an editor without an account", "by a registered editor"),
    "user_edit_count": _Phrase(
        "by an editor with {n} {edit|edits} before",
        "by an editor with no edits before",
        missing="by an editor whose edits are not counted",
    ),
    "user_age": _Phrase(
        "by an account {n} {day|days} old",
        "by an account made the same day",
        missing="by no account, or one of unknown age",
    ),
    "same_editor_as_parent": _Phrase(
        "follows an edit by the same editor", "follows an edit by someone else"
    ),
    "parent_age": _Phrase(
        "{n} {day|days} after the revision before", "at once after the revision before"
    ),
    "comment_length": _Phrase(
        "has a summary of {n} {character|characters}", "has no summary of its own"
    ),
    "comment_has_section": _Phrase("edits one section", "does not name a section"),
    "comment_links": _Phrase("has {n} {link|links} in its summary", "has no link in its summary"),
    "comment_user_links": _Phrase(
        "has a summary like that of an undo", "has a summary unlike that of an undo"
    ),
    "comment_upper_share": _Phrase("has {p} capitals in its summary", "has no capitals in it"),
    "comment_echo": _Phrase(
        "repeats {p} of its summary in the text", "has a summary that differs from its text"
    ),
    "is_main_namespace": _Phrase("edits an article", "edits a page that is no article"),
    "title_length": _Phrase("the page's title has {n} {character|characters}", "has no title"),
    "parent_length": _Phrase(
        "the page had {n} {character|characters}", "the page was empty before"
    ),
    "length_change": _Phrase(
        "makes the page {n} {character|characters} longer",
        "keeps the page's length",
        "makes the page {n} {character|characters} shorter",
    ),
    "length_ratio": _Phrase("leaves the page at {p} of its length", "empties the page"),
    "bracket_balance_change": _Phrase(
        "leaves {n} more {bracket|brackets} without a partner",
        "keeps the brackets in balance",
        "repairs {n} {bracket|brackets} without a partner",
    ),
    "change_start": _Phrase("starts {p} into the page", "starts at the top of the page"),
    "change_end": _Phrase("ends {p} before the page's end", "ends at the end of the page"),
    "lines_added": _Phrase("adds or rewrites {n} {line|lines}", "adds no line"),
    "lines_removed": _Phrase("removes or rewrites {n} {line|lines}", "removes no line"),
    "is_redirect": _Phrase("leaves a redirect", "leaves no redirect"),
    "was_redirect": _Phrase("changes a redirect", "changes a page that was no redirect"),
    "inside_template": _Phrase("starts inside a template", "starts outside of templates"),
    "inside_link": _Phrase("starts inside a link", "starts outside of links"),
    "inside_reference": _Phrase("starts inside a reference", "starts outside of references"),
    "in_lead": _Phrase("changes the introduction", "leaves the introduction alone"),
    "span_before": _Phrase(
        "replaces a stretch of {n} {character|characters}", "only inserts in one place"
    ),
    "span_after": _Phrase(
        "puts a stretch of {n} {character|characters} in place", "only removes from one place"
    ),
    "starts_line": _Phrase("starts a line", "starts within a line"),
    "words_added": _Phrase("adds {n} {word|words}", "adds no word"),
    "words_removed": _Phrase("removes {n} {word|words}", "removes no word"),
    "chars_added": _Phrase("adds {n} {character|characters} of text", "adds no text"),
    "chars_removed": _Phrase("removes {n} {character|characters} of text", "removes no text"),
    "removed_share": _Phrase("removes {p} of the page", "removes nothing of the page"),
    "longest_word_added": _Phrase("adds a word of {n} {character|characters}", "adds no word"),
    "longest_run_added": _Phrase(
        "has {n} of the same character in a row in what it adds", "adds nothing"
    ),
    "repeated_words_added": _Phrase(
        "repeats {p} of the words that it adds", "repeats no word that it adds"
    ),
    "compression_added": _Phrase(
        "what it adds can be pressed to {p} of its size", "adds the same over and over"
    ),
    "upper_added": _Phrase("adds {p} capitals", "adds no capitals"),
    "letters_added": _Phrase("adds {p} letters", "adds no letters"),
    "digits_added": _Phrase("adds {p} digits", "adds no digits"),
    "punctuation_added": _Phrase("adds {p} punctuation", "adds no punctuation"),
    "letters_removed": _Phrase("{p} of what it removes are letters", "removes no letters"),
    "digits_removed": _Phrase("{p} of what it removes are digits", "removes no digits"),
    "foreign_letters_added": _Phrase(
        "adds {n} {letter|letters} in a script rare on the page",
        "adds no letters of another script",
    ),
    "foreign_share_added": _Phrase(
        "{p} of the letters it adds are of a script rare on the page",
        "adds only letters of the page's script",
    ),
    "unseen_bigrams_added": _Phrase(
        "{p} of the pairs of characters it adds are new to the page",
        "adds only pairs of characters that the page has",
    ),
    "bigram_surprise_added": _Phrase(
        "spells what it adds unlike the page ({n})", "spells what it adds like the page"
    ),
    "bigram_surprise_removed": _Phrase(
        "removes what is spelt unlike the page ({n})", "removes what is spelt like the page"
    ),
    "known_words_added": _Phrase(
        "{p} of the words it adds are on the page already", "adds only words new to the page"
    ),
    "kept_words_removed": _Phrase(
        "{p} of the words it removes are still on the page", "removes words for good"
    ),
    "urls_added": _change("address", "addresses"),
    "replaced_similarity": _Phrase(
        "what it adds shares {p} of its characters with what it removes",
        "what it adds shares nothing with what it removes",
    ),
    "title_words_added": _Phrase(
        "adds {n} {word|words} of the title",
        "leaves the title's words alone",
        "removes {n} {word|words} of the title",
    ),
    "exclamations_added": _Phrase(
        "adds {n} exclamation or question {mark|marks}", "adds no exclamation or question mark"
    ),
    "consonant_run_added": _Phrase(
        "has {n} Latin {consonant|consonants} in a row in what it adds",
        "adds no Latin consonants",
    ),
    "echo_added": _Phrase(
        "repeats a few characters over a length of {n}", "repeats no characters over and over"
    ),
    "upper_words_added": _Phrase("adds {n} {word|words} in capitals", "adds no word in capitals"),
    "most_repeated_added": _Phrase("adds one word {n} {time|times}", "adds no word"),
    "html_links_added": _Phrase(
        "adds {n} {link|links} in HTML or forum markup", "adds no link in HTML or forum markup"
    ),
    "added_of_changed": _Phrase("{p} of the words changed are added", "only removes words"),
    "quotes_added": _change("apostrophe", "apostrophes"),
    "pipes_added": _change("vertical bar", "vertical bars"),
    "lists_added": _change("list mark", "list marks"),
    "symbols_added": _Phrase("adds {n} odd {symbol|symbols}", "adds no odd symbols"),
    "mean_word_added": _Phrase(
        "adds words of {n} {character|characters} on average", "adds no word"
    ),
    "added_text_odds": _Phrase(
        "adds text that reads like what was reverted on other pages",
        "adds no text",
        "adds text that reads like what was kept on other pages",
    ),
    "removed_text_odds": _Phrase(
        "removes text that reads like what was wrong to remove on other pages",
        "removes no text",
        "removes text that reads like what was right to remove on other pages",
    ),
    "comment_odds": _Phrase(
        "has a summary that reads like those of reverted edits",
        "has no summary of its own",
        "has a summary that reads like those of kept edits",
    ),
    "mean_word_removed": _Phrase(
        "removes words of {n} {character|characters} on average", "removes no word"
    ),
}


def _number(size: float) -> str:
    if size >= 100 or size == int(size):
        return f"{size:,.0f}"
    return f"{size:.1f}" if size >= 0.1 else "less than 0.1"


def _fill(pattern: str, size: float) -> str:
    """Put in the number and choose between {singular|plural}."""
    text = pattern.replace("{n}", _number(size)).replace("{p}", f"{size:.0%}")
    while "|" in text:
        head, _, tail = text.partition("{")
        forms, _, tail = tail.partition("}")
        one, _, many = forms.partition("|")
        text = head + (one if size == 1 else many) + tail
    return text


def reason(feature: Feature, value: float, contribution: float) -> Reason:
    """Return what a feature's value did, with a phrase for it."""
    form, is_limit = _form(feature, value), value == feature.high
    text = say(feature, value)
    return Reason(feature.name, value, contribution, text, form, is_limit)


def say(feature: Feature, value: float) -> str:
    """Return a phrase for a feature's value."""
    pattern = getattr(_PHRASES[feature.name], _form(feature, value))
    if value == feature.high and "{n}" in pattern:
        pattern = pattern.replace("{n}", "{n} or more")
    return _fill(pattern, abs(value))


def _form(feature: Feature, value: float) -> Form:
    if value == feature.missing:
        return Form.MISSING if _PHRASES[feature.name].missing else Form.ZERO
    return Form.ABOVE if value > 0 else Form.BELOW if value < 0 else Form.ZERO
