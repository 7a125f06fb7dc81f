"""Highlights: `<group>__<filter>_color=c1` of Special:RecentChanges; they hide nothing.

A toggle that hides is highlighted by what it is about: `hidebots_color` colours the edits of bots
(mediawiki.rcfilters, FilterGroup).
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

COLOURS = ("c1", "c2", "c3", "c4", "c5")

_NAME = re.compile(r"(?:([A-Za-z]{1,40})__)?([A-Za-z_]{1,40})_color", re.ASCII)

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

_GROUPS = {
    "revertrisk": "levels",
    "damaging": "levels",
    "revertrisklanguageagnostic": "levels",
    "state": "states",
    "userExpLevel": "users",
}
_MESSAGES = {"levels": "level", "states": "state", "users": "user"}


class Highlight(Struct, frozen=True, order=True):
    """A colour for what a filter lets through; `group` is "" for a toggle."""

    group: str
    filter: str
    colour: str

    @property
    def name(self) -> str:
        """The parameter."""
        return f"{self.group}__{self.filter}_color" if self.group else f"{self.filter}_color"

    @property
    def message(self) -> str:
        """The key of the filter's name among the page's messages."""
        return f"{_MESSAGES[_GROUPS[self.group]]}-{self.filter}" if self.group else self.filter

    @property
    def fields(self) -> dict[str, Any]:
        """The fields of Filters that let the same through."""
        if not self.group:
            return _SHOWN_BY[self.filter]
        return {_GROUPS[self.group]: frozenset((self.filter,))}


def is_highlight(name: str) -> bool:
    """Tell whether a parameter is one of a highlight, known or not."""
    return _NAME.fullmatch(name) is not None


def read_highlight(
    name: str, value: str, choices: Mapping[str, tuple[str, ...]]
) -> Highlight | None:
    """Return a highlight, None of an unknown filter or colour.

    `choices` are the values of the groups by the field of Filters. The ORES extension's one level
    `revertrisk` is our `likelybad`.
    """
    match = _NAME.fullmatch(name)
    if match is None or value not in COLOURS:
        return None
    group, filter_name = match[1] or "", match[2]
    if not group:
        return Highlight("", filter_name, value) if filter_name in _SHOWN_BY else None
    field = _GROUPS.get(group)
    if group == "revertrisklanguageagnostic" and filter_name == "revertrisk":
        filter_name = "likelybad"
    if field is None or filter_name not in choices[field]:
        return None
    return Highlight("revertrisk" if field == "levels" else group, filter_name, value)


def names(choices: Mapping[str, tuple[str, ...]]) -> Iterator[tuple[str, str]]:
    """Yield the filters that the page offers to highlight, as (group, filter)."""
    for group in ("revertrisk", "userExpLevel"):
        yield from ((group, name) for name in choices[_GROUPS[group]])
    yield from (("", name) for name in _SHOWN_BY)
