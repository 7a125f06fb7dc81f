"""Addresses of a wiki's Special:RecentChanges, as the parameters of the page here.

A title is `Special:RecentChanges`, or what the wiki's language calls it, and may go on with
parameters as MediaWiki's links and transclusions have them (ChangesListSpecialPage and
SpecialRecentChanges, parseParameters): `/hideminor,days=3`, `/50`.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from revision_quality.sites import Site

Pair = tuple[str, str]

SPECIAL_PAGE_PATHS = ("/wiki/{title:path}", "/w/index.php", "/w/index.php/{title:path}")
"""Where a MediaWiki of usual settings has its pages."""

_SPECIAL = -1
_NAME = "recentchanges"
_LINKED = ("recentchangeslinked", "relatedchanges")
_TOGGLES = frozenset(
    (
        *("hidebots", "hidehumans", "hideminor", "hidemajor", "hidenewpages", "hidepageedits"),
        *("hidelog", "hidenewuserlog", "hidecategorization", "hideliu", "hideanons", "hidemyself"),
        *("hidebyothers", "hidelastrevision", "hidepreviousrevisions", "hidepatrolled"),
        *("hideunpatrolled",),
    )
)
_VALUES = re.compile(
    r"(userExpLevel|reviewStatus|damaging|goodfaith|revertrisklanguageagnostic|watchlist"
    r"|limit|days|namespace|tagfilter)=(.*)"
)


def query_of(title: str, pairs: Sequence[Pair], sites: Iterable[Site]) -> list[Pair] | None:
    """Return the parameters that mean here what a title with `pairs` means on a wiki.

    None for the title of another page. Those in the title go before `pairs`, of which the last of a
    name counts, as in PHP. Without `urlversion=2` bots are hidden unless asked for: MediaWiki's
    default.
    """
    page, _, rest = title.partition("/")
    namespace, _, name = (_normal(part) for part in page.partition(":"))
    local = {("special", _NAME), *(names for site in sites for names in _local_names(site))}
    if namespace == "special" and name in _LINKED:
        inside = {"target": rest} if rest else {}
    elif (namespace, name) in local:
        inside = dict(_inside(rest))
    else:
        return None
    query = {**dict(pairs), **inside}
    query.pop("title", None)
    if query.get("urlversion") != "2":
        query.setdefault("hidebots", "1")
    return list(query.items())


def _local_names(site: Site) -> Iterator[tuple[str, str]]:
    special = _normal(site.namespaces.get(_SPECIAL, "Special"))
    for name in (_NAME, *site.recent_changes):
        yield from ((special, _normal(name)), ("special", _normal(name)))


def _inside(rest: str) -> Iterator[Pair]:
    """Yield the parameters after the title's slash; what is none is passed over, as on the wiki."""
    for bit in re.split(r"\s*,\s*", rest.strip()):
        if bit in _TOGGLES:
            yield bit, "1"
        elif f"hide{bit}" in _TOGGLES:
            yield f"hide{bit}", "0"
        elif bit.isascii() and bit.isdigit():
            yield "limit", bit
        elif match := _VALUES.fullmatch(bit):
            yield match[1], match[2]


def _normal(name: str) -> str:
    return name.replace("_", " ").strip().casefold()
