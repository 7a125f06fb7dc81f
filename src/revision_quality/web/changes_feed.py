"""The events that keep an open page of changes in step with the view."""

import time
from collections.abc import AsyncIterator, Callable, Sequence

import structlog
from msgspec import Struct

from revision_quality.errors import StoreError
from revision_quality.recent_changes.filters import Filters
from revision_quality.recent_changes.presentation import Row, key_of
from revision_quality.recent_changes.query import matches
from revision_quality.recent_changes.wiki_levels import WikiLevels
from revision_quality.views.change import Change
from revision_quality.web.broadcaster import BATCH_SIZE, MAX_BACKLOG, Subscription
from revision_quality.web.event_stream import event
from revision_quality.web.interface import Interface
from revision_quality.web.levels_in_step import LevelsInStep
from revision_quality.web.rendering import render_row, render_summary
from revision_quality.web.summary import Summarizer
from revision_quality.web.view import View

KEEP_ALIVE_SECONDS = 15.0
SUMMARY_SECONDS = 2.0
_EVENTS_PER_CHUNK = 50
_RETRY = b"retry: 3000\n\n"

_log = structlog.get_logger()


class _Changed(Struct):
    key: str
    timestamp: int
    html: str
    level: str
    score: float | None
    rank: int


def is_handled(change: Change) -> bool:
    """Tell whether a patroller has said what a change is: it leaves the queues."""
    return change.verdicts > 0


class ChangesFeed:
    """One reader's events.

    `change` brings a row to show or to replace, `remove` the key of one to take away, `summary`
    the line of counts, `reset` asks to load the page again because too much has happened since
    the reader's last event, `alive` comes where nothing else does: a reader who hears nothing for
    much longer has lost the connection. The id of each is the `seq` from which to resume.
    """

    def __init__(
        self,
        view: View,
        summarizer: Summarizer,
        filters: Filters,
        levels: LevelsInStep,
        *,
        row_of: Callable[[Change], Row],
        interface: Interface,
    ) -> None:
        self._view = view
        self._summarizer = summarizer
        self._filters = filters
        self._levels = levels
        self._row_of = row_of
        self._interface = interface
        self._summary_at = time.monotonic()
        self._is_summary_due = False

    async def chunks(self, subscription: Subscription, since: int | None) -> AsyncIterator[bytes]:
        """Yield what was written after `since` (None: from here on), then what is, live.

        Ends where the view cannot be read; the reader comes back by itself.
        """
        try:
            async for chunk in self._chunks(subscription, since):
                yield chunk
        except StoreError as error:
            _log.warning("changes_unreadable", error=str(error))

    async def _chunks(self, subscription: Subscription, since: int | None) -> AsyncIterator[bytes]:
        yield _RETRY
        last = subscription.seq
        if since is not None:
            async for seq, chunk in self._missed(since, subscription.seq):
                last = seq
                yield chunk
        while not subscription.over.is_set():
            batch = await subscription.next(self._patience())
            if batch is None:
                yield await self._summary_or_nothing(last) or self._alive(last)
                continue
            if not batch:
                last = max(last, await self._view.last_seq())
                yield event("reset", {}, last)
                continue
            news = [change for change in batch if change.seq > last]
            for chunk in await self._events(news):
                yield chunk
            last = max(last, batch[-1].seq)
            self._is_summary_due = True
            if summary := await self._summary_or_nothing(last):
                yield summary

    async def _missed(self, since: int, here: int) -> AsyncIterator[tuple[int, bytes]]:
        last_seq = await self._view.last_seq()
        if since > last_seq or last_seq - since > MAX_BACKLOG:
            yield last_seq, event("reset", {}, last_seq)
            return
        while since < here:
            batch = await self._view.since(since, BATCH_SIZE)
            if not batch:
                break
            since = batch[-1].seq
            self._is_summary_due = True
            for chunk in await self._events(batch):
                yield since, chunk
        yield since, self._alive(since)

    async def _events(self, changes: Sequence[Change]) -> list[bytes]:
        if not changes:
            return []
        levels = await self._levels.of(changes[-1].seq)
        events = [made for change in changes if (made := self._event(change, levels))]
        starts = range(0, len(events), _EVENTS_PER_CHUNK)
        return [b"".join(events[start : start + _EVENTS_PER_CHUNK]) for start in starts]

    def _event(self, change: Change, levels: WikiLevels) -> bytes | None:
        wikis = self._filters.wikis
        if wikis and change.wiki_id not in wikis:
            return None
        if self._filters.is_queue and is_handled(change):
            return event("remove", {"key": key_of(change.wiki_id, change.rev_id)}, change.seq)
        if not matches(change, self._filters, levels, now=time.time()):
            return event("remove", {"key": key_of(change.wiki_id, change.rev_id)}, change.seq)
        row = self._row_of(change)
        html = render_row(row, self._interface)
        changed = _Changed(row.key, row.timestamp, html, row.risk.kind, change.score, row.rank)
        return event("change", changed, change.seq)

    def _alive(self, seq: int) -> bytes:
        """Return an event that says no more than that the connection is one."""
        return event("alive", {}, seq)

    def _patience(self) -> float:
        return SUMMARY_SECONDS if self._is_summary_due else KEEP_ALIVE_SECONDS

    async def _summary_or_nothing(self, seq: int) -> bytes | None:
        if not self._is_summary_due or time.monotonic() - self._summary_at < SUMMARY_SECONDS:
            return None
        self._is_summary_due = False
        self._summary_at = time.monotonic()
        summary = await self._summarizer.summary()
        return event("summary", {"html": render_summary(summary, self._interface)}, seq)
