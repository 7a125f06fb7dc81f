"""Appends what sources bring to the streams."""

from collections import Counter
from collections.abc import Sequence

from revision_quality.clock import Clock, system_clock
from revision_quality.sources.base import SourceEvent, outgoing
from revision_quality.streams.base import Streams
from revision_quality.streams.perseverance import append_in_the_end


class Collector:
    """Its `emit` returns when the events are durable, and goes on trying until they are."""

    def __init__(self, streams: Streams, clock: Clock = system_clock) -> None:
        self._streams = streams
        self._clock = clock
        self.collected: Counter[str] = Counter()
        """Events appended, by stream; one that was there already does not count."""

    async def emit(self, events: Sequence[SourceEvent]) -> None:
        """Append events."""
        written = await append_in_the_end(
            self._streams,
            [outgoing(event) for event in events],
            trouble="edits cannot be stored, trying again",
            relief="edits are stored again",
            clock=self._clock,
        )
        self.collected.update(event.stream for event in written)
