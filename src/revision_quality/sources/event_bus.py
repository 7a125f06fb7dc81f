"""A wiki whose EventBus posts its edits to our EventGate, reconciled with its recent changes.

EventBus loses an event for good when nobody listens (the edit succeeds, nothing is logged), so the
wiki is polled as well, seldom. The log keeps an event of an edit under an identifier made of wiki
and revision (`events.identity`), whichever of the two brings it first: the other is left out, in
the transaction that appends it. Changes of tags and visibility and deletions may be told by both;
they say what holds afterwards, so that telling it again changes nothing.
"""

from collections.abc import Sequence

from revision_quality.events.identity import with_log_id
from revision_quality.sources.base import Emit, Source, SourceEvent

INTERVAL = 60.0
"""Seconds between polls: how long an edit is missing that EventBus has lost."""

OVERLAP = 300.0
"""Seconds read again at every poll; they cost one request, and no event twice."""


class EventBusSource:
    """What EventBus has lost, as `polling` brings it: a PollingSource of INTERVAL and OVERLAP."""

    def __init__(self, polling: Source) -> None:
        self._polling = polling

    @property
    def name(self) -> str:
        """The name of what it wraps."""
        return self._polling.name

    async def run(self, emit: Emit) -> None:
        """Emit what polling finds, under the identifiers that EventGate keeps edits under."""

        async def emit_identified(events: Sequence[SourceEvent]) -> None:
            await emit([with_log_id(event) for event in events])

        await self._polling.run(emit_identified)
