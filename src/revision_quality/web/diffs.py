"""Diffs of the edits in the view, read from their wikis once and made safe."""

import asyncio
from collections.abc import Callable

from msgspec import Struct

from revision_quality.errors import WikiUnavailableError
from revision_quality.recent_changes.diff_html import clean_diff
from revision_quality.scoring.on_request import AskedWiki
from revision_quality.views.change import Change
from revision_quality.web.remembered import Remembered

CAPACITY_CHARACTERS = 32_000_000
"""Of diffs remembered, some thousands of them."""

_MAX_UNDER_WAY = 20
"""Of one wiki: a reader who opens everything at once must not hold up its scoring."""


class Diff(Struct, frozen=True):
    """A diff table as safe HTML, or why there is none.

    `absence` is `hidden`, `unknown_wiki`, `not_shown` (by the wiki) or `too_large`.
    """

    html: str | None = None
    absence: str | None = None


_Compared = tuple[str, int, int | None]


class Diffs:
    """Asks the wikis that `wiki_of` knows; what is hidden is refused, remembered or not."""

    def __init__(self, wiki_of: Callable[[str], AskedWiki | None]) -> None:
        self._wiki_of = wiki_of
        self._waiting: dict[str, int] = {}
        self._remembered = Remembered(
            self._ask,
            capacity=CAPACITY_CHARACTERS,
            size=lambda diff: len(diff.html or "") + 100,
            # A replica of the wiki that lags does not have a new revision yet.
            keeps=lambda diff: diff.absence != "not_shown",
        )

    async def of(self, change: Change, parent: Change | None) -> Diff:
        """Return what a change of the view changed; `parent` is the row before, if one is there.

        Raises WikiError.
        """
        if any(row and (row.content_hidden or row.deleted) for row in (change, parent)):
            return Diff(absence="hidden")
        wiki = self._wiki_of(change.wiki_id)
        if wiki is None or wiki.diffs is None:
            return Diff(absence="unknown_wiki")
        parent_id = change.parent_id or (0 if change.is_new_page else None)
        return await self._remembered.of((change.wiki_id, change.rev_id, parent_id))

    async def _ask(self, compared: _Compared) -> Diff:
        wiki_id, rev_id, parent_id = compared
        wiki = self._wiki_of(wiki_id)
        if wiki is None or wiki.diffs is None:
            return Diff(absence="unknown_wiki")
        waiting = self._waiting.get(wiki_id, 0)
        if waiting >= _MAX_UNDER_WAY:
            raise WikiUnavailableError(f"{waiting} diffs of {wiki_id} are under way")
        self._waiting[wiki_id] = waiting + 1
        try:
            rows = await wiki.diffs.read(rev_id, parent_id)
        finally:
            self._waiting[wiki_id] -= 1
        if rows is None:
            return Diff(absence="not_shown")
        html = await asyncio.to_thread(clean_diff, rows)
        return Diff(absence="too_large") if html is None else Diff(html)
