"""Edits that were reverted since they were read: MediaWiki tags them, in no log.

A job puts the tag on when the edit is reverted, behind the overlap of two polls for most.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from msgspec import Struct

from revision_quality.clock import Clock
from revision_quality.sites import Site
from revision_quality.sources.base import Emit
from revision_quality.sources.recent_change import RecentChange, tags_change

TAG = "mw-reverted"

WINDOW, ANSWERS = timedelta(hours=72), 5
"""How far back is looked at a time, and with how many requests: a label waits 48 hours."""

Read = Callable[[str | None, datetime], Awaitable[tuple[Sequence[RecentChange], str | None]]]
"""Reads the changes with the tag from a position (None: the newest) down to a time, and returns
the position behind them, None at the end."""


class RevertedState(Struct, frozen=True):
    """The edits that were told, by rev_id, with their times in Unix seconds."""

    told: Mapping[int, int] = {}


class RevertedStateStore(Protocol):
    """Keeps the state over a restart."""

    def load(self) -> RevertedState | None: ...  # noqa: D102
    def save(self, state: RevertedState) -> None: ...  # noqa: D102


class RevertedEdits:
    """Tells of each reverted edit of a wiki once."""

    def __init__(
        self, site: Site, read: Read, clock: Clock, store: RevertedStateStore | None = None
    ) -> None:
        self._site = site
        self._read = read
        self._clock = clock
        self._store = store
        found = store.load() if store else None
        self._told = dict(found.told) if found else {}
        self._below: str | None = None

    async def sweep(self, emit: Emit) -> None:
        """Tell of the newest, and of further ones below where the last sweep ended."""
        oldest, known = self._clock.now() - WINDOW, dict(self._told)
        newest = await self._tell(None, oldest, emit)
        below = self._below or newest
        for _ in range(ANSWERS - 1):
            if below is not None:
                below = await self._tell(below, oldest, emit)
        self._below = below
        since = int(oldest.timestamp())
        self._told = {rev_id: at for rev_id, at in self._told.items() if at >= since}
        if self._store and self._told != known:
            self._store.save(RevertedState(self._told))

    async def _tell(self, newest: str | None, oldest: datetime, emit: Emit) -> str | None:
        rows, more = await self._read(newest, oldest)
        new = [row for row in rows if TAG in row.tags and row.revid not in self._told]
        now = self._clock.now()
        told = (tags_change(row, self._site, now) for row in new)
        events = [event for event in told if event]
        if events:
            await emit(events)
        self._told |= {row.revid: int(row.timestamp.timestamp()) for row in new}
        return more
