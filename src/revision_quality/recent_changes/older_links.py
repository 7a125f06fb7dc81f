"""What older links of Special:RecentChanges say with parameters that were replaced.

MediaWiki reads them still (ChangesListSpecialPage::replaceOldOptions), and so do bookmarks.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from revision_quality.views.change import UserLevel

OLD_NAMES = frozenset(("hideanons", "hideliu"))

_ALL_KINDS = (
    *("hidepageedits", "hidenewpages", "hidelog", "hidenewuserlog"),
    *("hidecategorization", "hideWikibase"),
)
"""What hides the kinds of changes that any wiki has; all of them together hide nothing."""


def newer_fields(given: Mapping[str, Sequence[str]], fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of Filters that parameters of old replace, beside those read so far."""
    newer: dict[str, Any] = {}
    are_anons_hidden, are_users_hidden = (is_set(given, name) for name in ("hideanons", "hideliu"))
    if are_anons_hidden and are_users_hidden:
        # Nobody but bots is left, unless bots are hidden too.
        are_anons_hidden = False
        if not fields.get("hide_bots"):
            are_users_hidden = False
            newer["hide_humans"] = True
    if are_anons_hidden:
        newer["users"] = frozenset({UserLevel.REGISTERED.value})
    if are_users_hidden:
        newer["users"] = frozenset({UserLevel.UNREGISTERED.value})
    if all(is_set(given, name) for name in _ALL_KINDS):
        newer |= {"hide_page_edits": False, "hide_new_pages": False}
    return newer


def is_set(given: Mapping[str, Sequence[str]], name: str) -> bool:
    """Tell whether a toggle is on: any text but the empty one and 0 is true, as in PHP."""
    return given.get(name, ("",))[-1].strip() not in ("", "0")
