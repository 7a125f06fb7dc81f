"""Edits of one wiki that wait to be scored: the newest goes first."""

import asyncio
from bisect import insort

from msgspec import Struct

from revision_quality.events.page_change import PageChange


class Pending(Struct, frozen=True):
    """An edit under way: where it stands in the stream, how often its wiki did not know it."""

    offset: int
    change: PageChange
    unknown: int = 0


class Waiting(Struct, frozen=True):
    """How many edits of a wiki wait, and when the oldest was made, Unix seconds."""

    number: int
    oldest: float | None

    def __add__(self, other: "Waiting") -> "Waiting":
        moments = [one.oldest for one in (self, other) if one.oldest is not None]
        return Waiting(self.number + other.number, min(moments, default=None))


class Backlog:
    """Waiting edits by their time, because a score is worth most while the edit is fresh."""

    def __init__(self) -> None:
        self._oldest_first: list[tuple[float, int, Pending]] = []
        self._filled = asyncio.Event()

    def __len__(self) -> int:
        return len(self._oldest_first)

    @property
    def oldest(self) -> float | None:
        """When the oldest edit was made, Unix seconds; None where none waits."""
        return self._oldest_first[0][0] if self._oldest_first else None

    def put(self, pending: Pending) -> None:
        """Add an edit."""
        moment = pending.change.revision.rev_dt.timestamp()
        insort(self._oldest_first, (moment, -pending.offset, pending))
        self._filled.set()

    async def filled(self) -> None:
        """Wait until there are edits."""
        while not self._oldest_first:
            self._filled.clear()
            await self._filled.wait()

    def take(self, most: int) -> list[Pending]:
        """Take up to `most` edits, newest first."""
        taken = self._oldest_first[-most:]
        del self._oldest_first[-most:]
        return [pending for _, _, pending in reversed(taken)]

    def drop(self, most: int) -> list[Pending]:
        """Let go of up to `most` edits, the oldest ones."""
        dropped = self._oldest_first[:most]
        del self._oldest_first[:most]
        return [pending for _, _, pending in dropped]
