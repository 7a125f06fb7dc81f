"""Edits asked for by their revision ids, as the events that polling would have brought."""

from collections.abc import Sequence

from revision_quality.clock import Clock, system_clock
from revision_quality.events.page_change import PageChange
from revision_quality.sources.recent_change import page_change
from revision_quality.sources.revision_rows import revision_rows
from revision_quality.wiki.client import ActionApi
from revision_quality.wiki.siteinfo import SiteInfo
from revision_quality.wiki.users import Users


class WikiEdits:
    """Asks one wiki for edits, many in one request."""

    def __init__(self, api: ActionApi, info: SiteInfo, clock: Clock = system_clock) -> None:
        self._api = api
        self._info = info
        self._users = Users(api, info.batch, clock)
        self._clock = clock

    async def read(self, rev_ids: Sequence[int]) -> dict[int, PageChange]:
        """Return the edits by revision id; those that the wiki does not have are left out.

        Raises WikiError, InvalidEventError.
        """
        rows = await revision_rows(self._api, rev_ids, self._info.batch)
        users = await self._users.read(row.user for row in rows if row.user and row.userid)
        received = self._clock.now()
        changes = (page_change(row, self._info.site, users, received) for row in rows)
        return {change.revision.rev_id: change for change in changes if change}
