"""Appending that does not give up: nothing is lost while a log cannot be written."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import structlog

from revision_quality.clock import Clock
from revision_quality.errors import StoreError
from revision_quality.streams.base import Consumed, Outgoing, Streams

_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0

T = TypeVar("T")

_log = structlog.get_logger()


async def append_in_the_end(
    streams: Streams,
    events: Sequence[Outgoing],
    consumed: Sequence[Consumed] = (),
    *,
    trouble: str,
    relief: str | None = None,
    clock: Clock,
) -> list[Outgoing]:
    """Append as `Streams.append` does, trying again with growing pauses until it is done.

    `trouble` is logged at each failure, `relief` once it works again.
    """
    return await in_the_end(
        lambda: streams.append(events, consumed), trouble=trouble, relief=relief, clock=clock
    )


async def in_the_end(
    call: Callable[[], Awaitable[T]], *, trouble: str, relief: str | None = None, clock: Clock
) -> T:
    """Do what may raise StoreError, trying again with growing pauses until it does not."""
    pause = _FIRST_PAUSE
    while True:
        try:
            done = await call()
        except StoreError as error:
            _log.error(trouble, error=str(error))
            await clock.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)
            continue
        if relief and pause > _FIRST_PAUSE:
            _log.info(relief)
        return done
