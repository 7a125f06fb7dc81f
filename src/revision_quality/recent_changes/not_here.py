"""Parameters of Special:RecentChanges that restrict nothing here, and what they would need."""

from collections.abc import Collection, Iterator, Mapping, Sequence

from revision_quality.recent_changes.highlights import is_highlight
from revision_quality.recent_changes.older_links import OLD_NAMES, is_set
from revision_quality.recent_changes.parameters import Notice

_NEEDS = {
    "intent": "the user's intent",
    "patrol": "whether an edit is patrolled",
    "account": "an account on the wiki",
    "last": "which edit is a page's last",
    "subpages": "which pages are subpages",
    "links": "which pages a page links to",
}
_NOT_HERE = {
    "goodfaith": "intent",
    "reviewStatus": "patrol",
    "hidepatrolled": "patrol",
    "hideunpatrolled": "patrol",
    "hideautopatrolled": "patrol",
    "hidemyself": "account",
    "hidebyothers": "account",
    "watchlist": "account",
    "watchlistactivity": "account",
    "hidelastrevision": "last",
    "hidepreviousrevisions": "last",
    "subpageof": "subpages",
    "target": "links",
    "showlinkedto": "links",
}
"""Filters whose answer is not in the view."""

_OPPOSITES = (("hidemyself", "hidebyothers"), ("hidelastrevision", "hidepreviousrevisions"))

_OTHER_CHANGES = frozenset(("hidelog", "hidecategorization", "hidenewuserlog", "hideWikibase"))
"""What hides changes that are not here."""

_WITHOUT_EFFECT = _OTHER_CHANGES | frozenset(
    (
        *("hidewikibase", "urlversion", "title", "uselang", "useskin", "safemode", "debug"),
        *("useformat", "mark", "colour", "action", "peek", "isAnon", "since", "associated"),
        *("highlight", "translations", "limitsaved", "rcfilters"),
    )
)
"""Parameters that are taken in silence: what they hide is not here, or they say how to show it.
`mark` is the name of a highlight and `colour` its value, as the page's form sends them."""

_SHOWN_CHARACTERS = 64


def strange(given: Mapping[str, Sequence[str]], known: Collection[str]) -> Iterator[Notice]:
    """Tell which of the parameters that are given have no effect, `known` those that have.

    Those that would restrict nothing on a wiki either are passed over.
    """
    restricting_nothing = {
        name for pair in _OPPOSITES if all(is_set(given, one) for one in pair) for name in pair
    }
    for name, values in given.items():
        if name in _NOT_HERE:
            if values[-1] not in ("", "0", "all") and name not in restricting_nothing:
                yield _needs(name, _NOT_HERE[name])
        elif not (name in known or name in _WITHOUT_EFFECT | OLD_NAMES or is_highlight(name)):
            yield Notice(name[:_SHOWN_CHARACTERS], kind="unknown")


def strange_highlight(name: str, group: str, filter_name: str) -> Iterator[Notice]:
    """Tell why a highlight of a filter that is not here colours nothing."""
    rule = _NOT_HERE.get(group) or _NOT_HERE.get(filter_name)
    if rule:
        yield _needs(name, rule)
    elif filter_name not in _OTHER_CHANGES:
        yield Notice(name[:_SHOWN_CHARACTERS], kind="unknown")


def _needs(name: str, rule: str) -> Notice:
    shown = name[:_SHOWN_CHARACTERS]
    return Notice(shown, allowed=_NEEDS[rule], kind="not-here", rule=rule)
