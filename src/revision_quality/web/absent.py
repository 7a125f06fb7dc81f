"""Values of filters of which no edit is here, for the wikis that are."""

from collections.abc import Collection, Iterator, Sequence

from revision_quality.recent_changes.filters import Filters
from revision_quality.recent_changes.parameters import Namespaces, Notice
from revision_quality.sites import Site

_NAMED = 10
"""Of a kind of values; what follows is not told."""


def absent_wikis(filters: Filters, wikis: Collection[str]) -> Iterator[Notice]:
    """Tell the wikis asked for that are not among `wikis`, unless there are none yet."""
    if not wikis:
        return
    known = ", ".join(sorted(wikis)[:_NAMED]) + (" and others" if len(wikis) > _NAMED else "")
    for wiki_id in sorted(filters.wikis - set(wikis))[:_NAMED]:
        yield Notice("wiki", wiki_id, known, "no-edits")


def absent_namespaces(filters: Filters, sites: Sequence[Site | None]) -> Iterator[Notice]:
    """Tell the namespaces asked for that none of `sites` has, where all of theirs are known."""
    known = [site.namespaces for site in sites if site and 0 in site.namespaces]
    if filters.invert or not known or len(known) < len(sites):
        return
    asked = sorted(one for one in filters.namespaces if isinstance(one, int))
    absent = (one for one in asked if not any(one in namespaces for namespaces in known))
    for _, number in zip(range(_NAMED), absent, strict=False):
        yield Notice("namespace", str(number), Namespaces.allowed, "no-edits", rule="namespace")
