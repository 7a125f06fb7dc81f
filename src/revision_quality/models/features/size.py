"""Features of the page's size, of its parts and of what the edit did to them."""

from revision_quality.models.features import markup
from revision_quality.models.features.change import Change, Region
from revision_quality.models.features.feature import Feature
from revision_quality.wiki.revision import Revision

_BOTH = "text, parent.text"
_BRACKETS = (("[", "]"), ("{", "}"), ("<", ">"))

FEATURES = (
    Feature("parent_length", "length of the page before the edit", "characters", "parent.text"),
    Feature("length_change", "growth of the page", "characters", _BOTH, low=-float("inf")),
    Feature(
        "length_ratio",
        "length after the edit over length before, each plus 10",
        "ratio",
        _BOTH,
    ),
    *(
        Feature(
            f"parent_{part}", f"{part.replace('_', ' ')} before the edit", "parts", "parent.text"
        )
        for part in markup.Counts._fields
    ),
    *(
        Feature(
            f"{part}_change",
            f"{part.replace('_', ' ')} that the edit added, less those it removed",
            "parts",
            _BOTH,
            low=-float("inf"),
        )
        for part in markup.Counts._fields
    ),
    Feature(
        "bracket_balance_change",
        "brackets without a partner after the edit, less those before: [], {} and <>",
        "brackets",
        _BOTH,
        low=-float("inf"),
    ),
    Feature(
        "change_start",
        "where the changed region starts, as a share of the page",
        "share",
        _BOTH,
        high=1,
    ),
    Feature(
        "change_end",
        "how far from the end the changed region ends, as a share of the page before",
        "share",
        _BOTH,
        high=1,
    ),
    Feature("lines_added", "lines put in or rewritten", "lines", _BOTH),
    Feature("lines_removed", "lines taken away or rewritten", "lines", _BOTH),
    Feature("is_redirect", "1 where the page redirects after the edit", "flag", "text", high=1),
    Feature("was_redirect", "1 where the page redirected before", "flag", "parent.text", high=1),
    Feature(
        "inside_template", "1 where the change starts inside a template", "flag", _BOTH, high=1
    ),
    Feature("inside_link", "1 where the change starts inside a link", "flag", _BOTH, high=1),
    Feature(
        "inside_reference", "1 where the change starts inside a reference", "flag", _BOTH, high=1
    ),
    Feature(
        "in_lead", "1 where the change starts ahead of the first heading", "flag", _BOTH, high=1
    ),
    Feature(
        "span_before",
        "length of the stretch from first to last difference, before the edit",
        "characters",
        _BOTH,
    ),
    Feature("span_after", "length of that stretch after the edit", "characters", _BOTH),
    Feature("starts_line", "1 where the change starts a line", "flag", _BOTH, high=1),
)


def _unbalanced_change(parent: str, text: str, region: Region) -> int:
    """Count anew only where the texts differ, and the rest only where that changes anything."""
    before = parent[region.start : region.parent_end]
    after = text[region.start : region.text_end]
    change = 0
    for opening, closing in _BRACKETS:
        growth = after.count(opening) - after.count(closing)
        growth -= before.count(opening) - before.count(closing)
        if growth:
            excess = parent.count(opening) - parent.count(closing)
            change += abs(excess + growth) - abs(excess)
    return change


def _is_inside(text: str, position: int, opening: str, closing: str) -> float:
    return float(text.rfind(opening, 0, position) > text.rfind(closing, 0, position))


def _is_redirect(text: str) -> float:
    head = text[:100].lstrip()
    return float(head.startswith("#") and "[[" in head and not head.startswith("# "))


def measure(revision: Revision, change: Change) -> tuple[float, ...]:
    """Return the values of FEATURES."""
    parent, text = revision.parent.text, revision.text
    region = change.differing
    parsed = markup.parse(parent)
    before = parsed.counts()
    after = markup.count(markup.reparse(parsed, parent, text, region))
    return (
        float(len(parent)),
        float(len(text) - len(parent)),
        (len(text) + 10) / (len(parent) + 10),
        *map(float, before),
        *(float(new - old) for new, old in zip(after, before, strict=True)),
        float(_unbalanced_change(parent, text, region)),
        region.start / max(len(parent), 1),
        (len(parent) - region.parent_end) / max(len(parent), 1),
        float(change.lines_added),
        float(change.lines_removed),
        _is_redirect(text),
        _is_redirect(parent),
        _is_inside(parent, region.start, "{{", "}}"),
        _is_inside(parent, region.start, "[[", "]]"),
        _is_inside(parent, region.start, "<ref", "</ref"),
        float(parent.rfind("\n==", 0, region.start) == -1),
        float(region.parent_end - region.start),
        float(region.text_end - region.start),
        float(region.start == 0 or parent[region.start - 1] == "\n"),
    )
