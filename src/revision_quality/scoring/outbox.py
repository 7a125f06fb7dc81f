"""Outcomes of one partition on their way out: what is ready is published together."""

import asyncio
from collections.abc import Collection, Iterable

from msgspec import Struct

from revision_quality.events.error import ErrorEvent
from revision_quality.scoring.outcome import OutcomeEvent
from revision_quality.streams.base import Outgoing

ROOM = 500
"""Events that are ready at most while nobody who scores is held up: some 2 kB each."""


class Ready(Struct, frozen=True, eq=False):
    """What came of some edits, and their offsets: to be published."""

    outgoing: tuple[Outgoing, ...]
    events: tuple[OutcomeEvent | ErrorEvent, ...]
    offsets: frozenset[int]

    @classmethod
    def together(cls, some: Iterable["Ready"]) -> "Ready":
        """Return all of `some` as one."""
        all_of = tuple(some)
        return cls(
            tuple(event for one in all_of for event in one.outgoing),
            tuple(event for one in all_of for event in one.events),
            frozenset(offset for one in all_of for offset in one.offsets),
        )


class Outbox:
    """A transaction has its own cost, however many events are in it, so they wait for one here.

    Who puts something in goes on with the next edits, unless the outbox is full.
    """

    def __init__(self, room: int = ROOM) -> None:
        self._room = room
        self._ready: list[Ready] = []
        self._taken = Ready.together(())
        self._changed = asyncio.Condition()

    def known(self, ids: Collection[str]) -> set[str]:
        """Return those of `ids` whose events are here, or being published."""
        ready = {event.id for one in (self._taken, *self._ready) for event in one.outgoing}
        return ready.intersection(ids)

    async def put(self, ready: Ready) -> None:
        """Put something in, and wait while there is more than there is room for."""
        async with self._changed:
            self._ready.append(ready)
            self._changed.notify_all()
            await self._changed.wait_for(lambda: self._number <= self._room)

    async def take(self) -> Ready:
        """Wait until there is something, and take all of it: what was taken before is published."""
        async with self._changed:
            self._taken = Ready.together(())
            self._changed.notify_all()
            await self._changed.wait_for(lambda: bool(self._ready))
            self._taken = Ready.together(self._ready)
            self._ready.clear()
            return self._taken

    @property
    def _number(self) -> int:
        return sum(len(one.offsets) for one in (self._taken, *self._ready))
