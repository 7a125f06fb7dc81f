"""A circuit breaker: a wiki that does not answer is asked by one worker at a time, ever less."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from revision_quality.clock import Clock
from revision_quality.errors import WikiUnavailableError

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds; they double from failure to failure. A wiki that names a longer pause gets it."""


class Breaker:
    """Closed while the wiki answers: anyone may ask. A failure opens it, the next answer closes it.

    One failure is enough, because reading a wiki has tried again by itself before it fails.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._probing = asyncio.Lock()
        self._growing = FIRST_PAUSE
        self._pause = 0.0
        self._failures = 0
        self._problem = ""

    @property
    def is_open(self) -> bool:
        """Whether the wiki does not answer."""
        return self._failures > 0

    @property
    def failure(self) -> str:
        """What is wrong, how often, and when the wiki is asked again; empty if nothing is."""
        if not self.is_open:
            return ""
        times = "once" if self._failures == 1 else f"{self._failures} times"
        return f"{self._problem} (failed {times}, asked every {self._pause:.0f} s)"

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait until the wiki may be asked."""
        if not self.is_open:
            yield
            return
        async with self._probing:
            if self.is_open:
                await self._clock.sleep(self._pause)
            yield

    def failed(self, error: Exception) -> None:
        """Open, or stay open for longer."""
        asked = error.retry_after if isinstance(error, WikiUnavailableError) else None
        self._pause = max(self._growing, asked or 0.0)
        self._growing = min(self._growing * 2, LONGEST_PAUSE)
        self._failures += 1
        self._problem = str(error) or type(error).__name__

    def answered(self) -> None:
        """Close."""
        self._growing = FIRST_PAUSE
        self._failures = 0
