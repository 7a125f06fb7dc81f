"""Appending that does not give up: nothing is lost while a log cannot be written."""

from collections.abc import Sequence

import structlog

from revision_quality.clock import Clock
from revision_quality.errors import StoreError
from revision_quality.streams.base import Consumed, Outgoing, Streams

_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0

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
    pause = _FIRST_PAUSE
    while True:
        try:
            written = await streams.append(events, consumed)
        except StoreError as error:
            _log.error(trouble, error=str(error))
            await clock.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)
            continue
        if relief and pause > _FIRST_PAUSE:
            _log.info(relief)
        return written
