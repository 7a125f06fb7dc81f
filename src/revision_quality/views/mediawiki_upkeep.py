"""What the extension's tables need beside events: the levels, and flags that hold to them."""

from collections.abc import Callable, Sequence

import structlog

from revision_quality.clock import Clock, system_clock
from revision_quality.errors import StoreError
from revision_quality.levels.level import Level
from revision_quality.views.mediawiki import MediaWikiTables

FLAGGED = 1000
"""Edits that are flagged anew in one step."""

_STEP_SECONDS = 0.05
_PAUSE_SECONDS = 600.0
_AGAIN_SECONDS = 60.0

_log = structlog.get_logger()


class MediaWikiUpkeep:
    """Brings the levels that `levels` returns into the wiki, whenever they change.

    The filters change over when all edits are flagged by the new levels.
    """

    def __init__(
        self,
        tables: MediaWikiTables,
        levels: Callable[[], Sequence[Level]],
        clock: Clock = system_clock,
    ) -> None:
        self._tables = tables
        self._levels = levels
        self._clock = clock

    async def run(self) -> None:
        """Go on until cancelled; goes on trying while the wiki's database fails."""
        while True:
            pause = _PAUSE_SECONDS
            try:
                await self.refresh()
            except StoreError as error:
                _log.error(
                    "the wiki's tables cannot be looked after, trying again",
                    wiki_id=self._tables.wiki_id,
                    error=str(error),
                )
                pause = _AGAIN_SECONDS
            await self._clock.sleep(pause)

    async def refresh(self) -> None:
        """Show the levels of now. Raises StoreError."""
        self._tables.set_levels(self._levels())
        if await self._tables.has_other_levels():
            await self._flag_again()
        await self._tables.write_levels()

    async def _flag_again(self) -> None:
        after: int | None = 0
        while after is not None:
            after = await self._tables.flag_again(after, FLAGGED)
            await self._clock.sleep(_STEP_SECONDS)
