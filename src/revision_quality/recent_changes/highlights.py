"""Highlights: `<group>__<filter>_color=c1` of Special:RecentChanges; they hide nothing.

A toggle that hides is highlighted by what it is about: `automated__hidebots_color` colours the
edits of bots (mediawiki.rcfilters, FilterGroup).
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from revision_quality.recent_changes import extension_links
from revision_quality.recent_changes.parameters import NAMESPACE_KINDS, Namespace

COLOURS = ("c1", "c2", "c3", "c4", "c5")

MAX_HIGHLIGHTS = 50

_NAME = re.compile(r"(?:([A-Za-z]{1,40})__)?(.{1,255})_color", re.DOTALL)

_SHOWN_BY: dict[str, dict[str, Any]] = {
    "hidebots": {"hide_humans": True},
    "hidehumans": {"hide_bots": True},
    "hideminor": {"hide_major": True},
    "hidemajor": {"hide_minor": True},
    "hidenewpages": {"hide_page_edits": True},
    "hidepageedits": {"hide_new_pages": True},
    "hidereverted": {"hide_unreverted": True},
    "hideunreverted": {"hide_reverted": True},
}
"""The fields of Filters that let through what a toggle is about."""

_TOGGLES = {
    "hidebots": "automated",
    "hidehumans": "automated",
    "hideminor": "significance",
    "hidemajor": "significance",
    "hidenewpages": "changeType",
    "hidepageedits": "changeType",
}
"""MediaWiki's groups of them; our own are in none."""

_GROUPS = {
    "revertrisk": "levels",
    "damaging": "levels",
    "revertrisklanguageagnostic": "levels",
    extension_links.NAME: "levels",
    "state": "states",
    "userExpLevel": "users",
    "namespace": "namespaces",
    "tagfilter": "tags",
}


class Highlight(Struct, frozen=True, order=True):
    """A colour for what a filter lets through; `group` is "" for a toggle of our own."""

    group: str
    filter: str
    colour: str

    @property
    def name(self) -> str:
        """The parameter."""
        return f"{self.group}__{self.filter}_color" if self.group else f"{self.filter}_color"

    @property
    def is_of_unscored(self) -> bool:
        """Whether it is of edits without a score, for which our extension has one filter."""
        return (self.group, self.filter) == (extension_links.NAME, extension_links.UNSCORED)

    @property
    def fields(self) -> dict[str, Any]:
        """The fields of Filters that let the same through."""
        if self.filter in _SHOWN_BY and self.group not in _GROUPS:
            return _SHOWN_BY[self.filter]
        if self.is_of_unscored:
            return {"states": extension_links.UNSCORED_STATES}
        field = _GROUPS[self.group]
        value = _namespace(self.filter) if field == "namespaces" else self.filter
        return {field: frozenset((value,))}


def is_highlight(name: str) -> bool:
    """Tell whether a parameter is one of a highlight, known or not."""
    return _NAME.fullmatch(name) is not None


def parts_of(name: str) -> tuple[str, str]:
    """Return the group ("" where there is none) and the filter that a highlight's name names."""
    match = _NAME.fullmatch(name)
    return (match[1] or "", match[2]) if match else ("", name)


def read_highlight(
    name: str, value: str, choices: Mapping[str, tuple[str, ...]]
) -> Highlight | None:
    """Return a highlight, None of an unknown filter or colour.

    `choices` are the values of the groups by the field of Filters; namespaces and tags may be any.
    The ORES extension's one level `revertrisk` is our `likelybad`. A toggle's group may be missing.
    """
    if not is_highlight(name) or value not in COLOURS:
        return None
    group, filter_name = parts_of(name)
    own = _TOGGLES.get(filter_name, "")
    if filter_name in _SHOWN_BY and group in ("", own):
        return Highlight(own, filter_name, value)
    if (group, filter_name) == (extension_links.NAME, extension_links.UNSCORED):
        return Highlight(group, filter_name, value)
    field = _GROUPS.get(group)
    if group == "revertrisklanguageagnostic" and filter_name == "revertrisk":
        filter_name = "likelybad"
    if field is None or not _is_known(field, filter_name, choices):
        return None
    return Highlight("revertrisk" if field == "levels" else group, filter_name, value)


def names(choices: Mapping[str, tuple[str, ...]]) -> Iterator[tuple[str, str]]:
    """Yield the filters that the page offers to highlight, as (group, filter)."""
    for group in ("revertrisk", "userExpLevel"):
        yield from ((group, name) for name in choices[_GROUPS[group]])
    yield from ((_TOGGLES.get(name, ""), name) for name in _SHOWN_BY)
    yield from (("namespace", kind) for kind in NAMESPACE_KINDS)


def _is_known(field: str, name: str, choices: Mapping[str, tuple[str, ...]]) -> bool:
    if field == "namespaces":
        return name in NAMESPACE_KINDS or re.fullmatch(r"[0-9]{1,9}", name) is not None
    return field == "tags" or name in choices[field]


def _namespace(text: str) -> Namespace:
    return text if text in NAMESPACE_KINDS else int(text)
