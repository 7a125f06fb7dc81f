"""Appends what sources bring to the streams."""

from collections import Counter
from collections.abc import Sequence

import structlog

from revision_quality.clock import Clock, system_clock
from revision_quality.errors import StoreError
from revision_quality.sources.base import SourceEvent, outgoing
from revision_quality.streams.base import Streams

_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0

_log = structlog.get_logger()


class Collector:
    """Its `emit` returns when the events are durable, and goes on trying until they are."""

    def __init__(self, streams: Streams, clock: Clock = system_clock) -> None:
        self._streams = streams
        self._clock = clock
        self.collected: Counter[str] = Counter()
        """Events appended, by stream; one that was there already does not count."""

    async def emit(self, events: Sequence[SourceEvent]) -> None:
        """Append events."""
        batch = [outgoing(event) for event in events]
        pause = _FIRST_PAUSE
        while True:
            try:
                written = await self._streams.append(batch)
            except StoreError as error:
                _log.error("edits cannot be stored, trying again", error=str(error))
                await self._clock.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
            else:
                self.collected.update(event.stream for event in written)
                if pause > _FIRST_PAUSE:
                    _log.info("edits are stored again")
                return
