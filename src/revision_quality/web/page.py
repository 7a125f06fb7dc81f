"""One page of changes, as read from the view."""

from collections.abc import Callable, Sequence

from msgspec import Struct

from revision_quality.recent_changes.cursor import Cursor
from revision_quality.recent_changes.filters import Filters
from revision_quality.recent_changes.parameters import Notice
from revision_quality.sites import Site
from revision_quality.views.change import Change
from revision_quality.web.summary import Summary

Sites = Callable[[str], Site | None]
"""Gives the site of a wiki_id, None where it is not known."""


class Page(Struct, frozen=True):
    """One page of changes; `older` is where the next one begins, None at the end.

    `seq` is the last write that is surely in it.
    """

    filters: Filters
    notices: tuple[Notice, ...]
    changes: Sequence[Change]
    older: Cursor | None
    seq: int
    summary: Summary
