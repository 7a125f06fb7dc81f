"""How often a client may do something: a bucket of tokens for each."""

import time
from collections import OrderedDict
from collections.abc import Callable

KEPT_CLIENTS = 10_000
"""Clients that are remembered, the latest ones: of an unknown one the bucket is full."""


class Buckets:
    """Tokens by client: `rate` more of them a second, `most` at the most.

    `now` is in seconds.
    """

    def __init__(
        self,
        rate: float,
        *,
        most: float,
        kept: int = KEPT_CLIENTS,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rate = rate
        self._most = most
        self._kept = kept
        self._now = now
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, client: str) -> float:
        """Take a token; return 0, or the seconds until there is one."""
        now = self._now()
        left, at = self._left.pop(client, (self._most, now))
        left = min(self._most, left + (now - at) * self._rate)
        wait = 0.0 if left >= 1 else (1 - left) / self._rate
        self._left[client] = (left if wait else left - 1, now)
        if len(self._left) > self._kept:
            self._left.popitem(last=False)
        return wait
