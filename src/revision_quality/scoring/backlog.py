"""Edits of one wiki that wait to be scored: the newest goes first."""

import asyncio
import heapq

from msgspec import Struct

from revision_quality.events.page_change import PageChange


class Pending(Struct, frozen=True):
    """An edit under way: where it stands in the stream, how often its wiki did not know it."""

    offset: int
    change: PageChange
    unknown: int = 0


class Backlog:
    """Waiting edits by their time, because a score is worth most while the edit is fresh."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Pending]] = []
        self._filled = asyncio.Event()

    def __len__(self) -> int:
        return len(self._heap)

    def put(self, pending: Pending) -> None:
        """Add an edit."""
        age = -pending.change.revision.rev_dt.timestamp()
        heapq.heappush(self._heap, (age, pending.offset, pending))
        self._filled.set()

    async def take(self, most: int) -> list[Pending]:
        """Wait for edits and take up to `most` of them, newest first."""
        while not self._heap:
            self._filled.clear()
            await self._filled.wait()
        number = min(most, len(self._heap))
        return [heapq.heappop(self._heap)[2] for _ in range(number)]
