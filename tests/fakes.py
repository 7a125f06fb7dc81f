"""A clock of its own, and state kept in memory."""

import asyncio
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from tests.events.examples import START

T = TypeVar("T")


class FakeClock:
    """Time passes only while someone sleeps, and then at once."""

    def __init__(self, now: datetime = START) -> None:
        self.time = now
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += timedelta(seconds=seconds)
        await asyncio.sleep(0)


class MemoryStore(Generic[T]):
    """Keeps a state as a state file does, and every state there ever was."""

    def __init__(self, state: T | None = None) -> None:
        self.state = state
        self.saved: list[T] = []

    def load(self) -> T | None:
        return self.state

    def save(self, state: T) -> None:
        self.state = state
        self.saved.append(state)
