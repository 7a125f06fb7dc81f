"""Levels that are in step with the rows that are sent out."""

import asyncio

from revision_quality.recent_changes.shown_levels import as_of
from revision_quality.recent_changes.wiki_levels import CurrentLevels, WikiLevels
from revision_quality.web.view import View


class LevelsInStep:
    """Looks which model is shown, once for all who send out the same rows."""

    def __init__(self, view: View, levels: CurrentLevels) -> None:
        self._view = view
        self._levels = levels
        self._lock = asyncio.Lock()
        self._seq = -1

    async def of(self, seq: int) -> WikiLevels:
        """Return the levels for rows up to a write. Raises StoreError."""
        async with self._lock:
            if seq > self._seq:
                await self._view.read(lambda connection: as_of(self._levels, connection))
                self._seq = seq
        return self._levels.now
