"""Reading partitions from any offset: who goes on where it was is served from what is fetched."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from confluent_kafka import Message

from revision_quality.streams.kafka.follower import Follower, TopicKey
from revision_quality.streams.kafka.place import KafkaPlace

FOLLOWERS = 6
"""Each has its own connections; as many readers of one partition go on without seeking."""

T = TypeVar("T")


class _Desk:
    """A follower in its own thread; `offsets` is where its partitions are, as far as known."""

    def __init__(self, place: KafkaPlace) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="kafka-reader")
        self._follower = Follower(place)
        self.offsets: dict[TopicKey, int] = {}
        self.busy: set[TopicKey] = set()
        self.used = 0

    async def read(self, key: TopicKey, offset: int, limit: int, known_end: int) -> list[Message]:
        self.offsets.pop(key, None)
        self.busy.add(key)
        try:
            messages = await self.run(lambda: self._follower.read(key, offset, limit, known_end))
            last = messages[-1].offset() if messages else None
            self.offsets[key] = offset if last is None else last + 1
        finally:
            self.busy.discard(key)
        return messages

    async def end(self, key: TopicKey) -> int:
        return await self.run(lambda: self._follower.end_now(key))

    async def offset_at(self, key: TopicKey, moment: int) -> int | None:
        return await self.run(lambda: self._follower.offset_at(key, moment))

    async def run(self, function: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, function)

    async def close(self) -> None:
        await self.run(self._follower.close)
        self._thread.shutdown(wait=True)


class Reader:
    """Up to FOLLOWERS followers; `ends` holds offsets up to which events are known to be."""

    def __init__(self, place: KafkaPlace, ends: dict[TopicKey, int]) -> None:
        self._place = place
        self._ends = ends
        self._read_to: dict[TopicKey, int] = {}
        self._desks: list[_Desk] = []
        self._uses = 0
        self._asking: _Desk | None = None

    async def read(self, key: TopicKey, offset: int, limit: int) -> list[Message]:
        """Return up to `limit` events from `offset` on; none at the end only.

        Raises StoreError.
        """
        desk = self._desk_for(key, offset)
        self._uses += 1
        desk.used = self._uses
        # What a follower took for the end may have been passed by another one since.
        known_end = max(self._ends.get(key, 0), self._read_to.get(key, 0))
        messages = await desk.read(key, offset, limit, known_end)
        if messages:
            behind = (messages[-1].offset() or 0) + 1
            self._read_to[key] = max(behind, self._read_to.get(key, 0))
        return messages

    async def end(self, key: TopicKey) -> int:
        """Ask for the offset behind the last event. Raises StoreError."""
        return max(await self._desk_to_ask().end(key), self._ends.get(key, 0))

    async def offset_at(self, key: TopicKey, moment: int) -> int:
        """Return the offset of the first event from `moment` (Unix ms) on, the end if none is.

        Raises StoreError.
        """
        end = await self.end(key)
        found = await self._desk_to_ask().offset_at(key, moment)
        return end if found is None else found

    async def close(self) -> None:
        """Let go of all connections."""
        for desk in [*self._desks, *([self._asking] if self._asking else [])]:
            await desk.close()

    def _desk_to_ask(self) -> _Desk:
        self._asking = self._asking or _Desk(self._place)
        return self._asking

    def _desk_for(self, key: TopicKey, offset: int) -> _Desk:
        """Choose who goes on here; else who does not follow the partition; else who was idle."""
        for desk in self._desks:
            if desk.offsets.get(key) == offset:
                return desk
        for desk in self._desks:
            if key not in desk.offsets and key not in desk.busy:
                return desk
        if len(self._desks) < FOLLOWERS:
            self._desks.append(_Desk(self._place))
            return self._desks[-1]
        idle = [desk for desk in self._desks if key not in desk.busy] or self._desks
        return min(idle, key=lambda desk: desk.used)
