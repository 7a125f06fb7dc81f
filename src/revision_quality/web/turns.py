"""Turns of the event loop, shared between what is answered at once and all else."""

import asyncio
import time
from collections import deque
from collections.abc import Callable

TURN_SECONDS = 0.005
"""How long a turn may be filled: libuv accepts one connection a turn, and a request that goes by
way of the application takes some ten of them."""


class Turns:
    """Does short work at once while the loop's turn has time for it, and in the next ones else.

    Work is done in the order in which it comes.
    """

    def __init__(
        self, seconds: float = TURN_SECONDS, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self._seconds = seconds
        self._clock = clock
        self._waiting: deque[Callable[[], None]] = deque()
        self._until: float | None = None

    def do(self, work: Callable[[], None]) -> None:
        """Do `work` now or soon; called from the loop's thread."""
        if self._until is None:
            self._begin()
        self._waiting.append(work)
        if len(self._waiting) == 1:
            self._go_on()

    def _begin(self) -> None:
        self._until = self._clock() + self._seconds
        asyncio.get_running_loop().call_soon(self._next)

    def _next(self) -> None:
        self._until = None
        if self._waiting:
            self._begin()
            self._go_on()

    def _go_on(self) -> None:
        while self._waiting and self._until is not None and self._clock() < self._until:
            self._waiting.popleft()()
