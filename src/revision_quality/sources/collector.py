"""Appends what sources bring to the streams."""

from collections import Counter
from collections.abc import Sequence

from revision_quality.clock import Clock, system_clock
from revision_quality.events.page_change import PageChange
from revision_quality.events.revision_change import TagsChange
from revision_quality.sources.base import Emit, SourceEvent, outgoing
from revision_quality.streams.base import Streams
from revision_quality.streams.perseverance import append_in_the_end
from revision_quality.tally import Tally
from revision_quality.tracing import NO_TRACE, Trace


class Collector:
    """Its `emit` returns when the events are durable, and goes on trying until they are."""

    def __init__(
        self, streams: Streams, clock: Clock = system_clock, trace: Trace = NO_TRACE
    ) -> None:
        self._trace = trace
        self._streams = streams
        self._clock = clock
        self.collected: Counter[str] = Counter()
        """Events appended, by stream; one that was there already does not count."""
        self.events = Tally()
        """The same by source and kind."""
        self.repeated = Tally()
        """Events that were there already, by source."""

    def emit_of(self, source: str) -> Emit:
        """Return an `emit` that counts its events as those of a source."""

        async def emit(events: Sequence[SourceEvent]) -> None:
            await self._append(events, source)

        return emit

    async def emit(self, events: Sequence[SourceEvent]) -> None:
        """Append events."""
        await self._append(events, "other")

    async def _append(self, events: Sequence[SourceEvent], source: str) -> None:
        with self._trace.span("collect", {"revq.source": source, "revq.events": len(events)}):
            written = await append_in_the_end(
                self._streams,
                [outgoing(event) for event in events],
                trouble="edits cannot be stored, trying again",
                relief="edits are stored again",
                clock=self._clock,
            )
        self.collected.update(event.stream for event in written)
        new = {(event.stream, event.id) for event in written}
        for event in events:
            if (event.meta.stream, event.meta.id) in new:
                self.events.add(source, _kind(event))
        self.repeated.add(source, number=len(events) - len(written))


def _kind(event: SourceEvent) -> str:
    """Return the kind of a page change as its event has it, or which other event it is."""
    if isinstance(event, PageChange):
        return event.page_change_kind
    return "tags_change" if isinstance(event, TagsChange) else "visibility_change"
