"""Waking those who wait for something new."""

import asyncio


class Bell:
    """Counts rings and wakes whoever waits for the next; for one event loop."""

    def __init__(self) -> None:
        self._rings = 0
        self._waiting: set[asyncio.Future[None]] = set()

    @property
    def rings(self) -> int:
        """How often it has rung."""
        return self._rings

    def ring(self) -> None:
        """Wake all who wait."""
        self._rings += 1
        for future in self._waiting:
            if not future.done():
                future.set_result(None)
        self._waiting.clear()

    async def wait(self, rings: int, seconds: float) -> None:
        """Return as soon as it has rung more than `rings` times, or after `seconds`."""
        if self._rings > rings:
            return
        future = asyncio.get_running_loop().create_future()
        self._waiting.add(future)
        try:
            # wait_for would lose a cancellation that comes with the ring (Python 3.11).
            async with asyncio.timeout(seconds):
                await future
        except TimeoutError:
            return
        finally:
            self._waiting.discard(future)
