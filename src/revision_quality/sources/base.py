"""What a source of edits is, and how its events are written."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import msgspec

from revision_quality.errors import InvalidEventError
from revision_quality.events.page_change import PageChange
from revision_quality.events.revision_change import TagsChange, VisibilityChange
from revision_quality.streams.base import Outgoing, page_key

SourceEvent = PageChange | TagsChange | VisibilityChange

Emit = Callable[[Sequence[SourceEvent]], Awaitable[None]]
"""Appends events to their streams; they are durable when it returns."""


class Source(Protocol):
    """Brings the events of one wiki, or of several.

    A source stores its own position, after `emit` has returned: an event may then come twice after
    a crash, with the same `meta.id`, but none is lost.
    """

    @property
    def name(self) -> str:
        """What its events are counted under."""
        ...

    async def run(self, emit: Emit) -> None:
        """Emit events until cancelled, or until there are no more."""
        ...


def outgoing(event: SourceEvent) -> Outgoing:
    """Write an event for its stream."""
    if event.meta.id is None:
        raise InvalidEventError(f"an event for {event.meta.stream} has no meta.id")
    if isinstance(event, PageChange):
        key = page_key(event.wiki_id, event.page.page_id)
    else:
        key = page_key(event.database, event.page_id)
    return Outgoing(event.meta.stream, event.meta.id, key, msgspec.json.encode(event))
