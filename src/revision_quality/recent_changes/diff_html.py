"""A wiki's diff made safe to show: the elements and classes of MediaWiki's diff table, no others.

nh3 parses as a browser does (HTML5) and writes anew what is allowed; text stays text.
"""

import re

import nh3

MAX_CHARACTERS = 1_000_000
"""Of a diff's HTML; a longer one is better read on the wiki."""

MAX_ELEMENTS = 25_000
"""Of a diff's HTML: parsing takes the square of those within one another, 3 s for so many."""

_CLASSES = {
    "table": {"diff"},
    "td": {
        "diff-marker",
        "diff-lineno",
        "diff-context",
        "diff-deletedline",
        "diff-addedline",
        "diff-side-deleted",
        "diff-side-added",
        "diff-empty",
        "diff-multi",
        "diff-notice",
    },
    "del": {"diffchange", "diffchange-inline"},
    "ins": {"diffchange", "diffchange-inline"},
}
_ELEMENT = re.compile("<[A-Za-z]")
_COLUMNS = "<colgroup>" + '<col class="diff-marker"><col>' * 2 + "</colgroup>"
"""The widths of MediaWiki's own table: a mark and a text on each side."""

_CLEANER = nh3.Cleaner(
    tags={"table", "tbody", "tr", "td", "div", "del", "ins", "br"},
    attributes={"td": {"colspan", "data-marker"}},
    attribute_filter=lambda _tag, name, value: (
        value if name != "colspan" or re.fullmatch(r"[1-4]", value) else None
    ),
    allowed_classes=_CLASSES,
    url_schemes=set(),
    link_rel=None,
)


def clean_diff(rows: str) -> str | None:
    """Return a whole table of the diff's rows, None where it is too large to show.

    May take some seconds of odd HTML; other threads run meanwhile.
    """
    if len(rows) > MAX_CHARACTERS or sum(1 for _ in _ELEMENT.finditer(rows)) > MAX_ELEMENTS:
        return None
    cleaned = _CLEANER.clean(f'<table class="diff"><tbody>{rows}</tbody></table>')
    return re.sub(r">\s+<(?=/?t)", "><", cleaned).replace("<tbody>", f"{_COLUMNS}<tbody>", 1)
