"""Edits in by polling a wiki's recent changes: any MediaWiki, no extension needed.

A poll reads from the newest change down to the last one known, and a little further, because a
change can become visible after a later one. What does not fit into one answer is a gap, filled
between polls: after an outage the newest edits come first, and live ones never wait. While there
are gaps polls go no further than the last change known, or a wiki with more changes in that little
further than one answer holds would have ever more of them; the next poll without makes up for it.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, Protocol, TypeVar

import structlog
from msgspec import Struct
from msgspec.structs import replace

from revision_quality.clock import Clock, system_clock
from revision_quality.errors import InvalidEventError, StoreError, WikiError, WikiUnavailableError
from revision_quality.pauses import Gate
from revision_quality.sites import Site
from revision_quality.sources.base import Emit, SourceEvent
from revision_quality.sources.recent_change import (
    PROPERTIES,
    TYPES,
    RecentChange,
    page_change,
    read_rows,
    tags_change,
    visibility_change,
)
from revision_quality.sources.reverted import TAG, RevertedEdits, RevertedStateStore
from revision_quality.sources.revision_rows import revision_rows
from revision_quality.wiki.client import ActionApi, reading
from revision_quality.wiki.siteinfo import SiteInfo
from revision_quality.wiki.users import Users

INTERVAL = 3.0
"""Seconds between polls."""

OVERLAP = 60.0
"""Seconds read again at every poll: how much later than its timestamp an edit may show up."""

WAKE_PAUSE = 1.0
"""Seconds between two polls at least, however often a feed of changes wakes."""

SWEEP_INTERVAL, SWEEP_WINDOW, SWEEP_ANSWERS = 600.0, timedelta(hours=24), 5
"""How often, how far back and with how many requests what was hidden without a public log entry
(suppression) is looked for."""

ROWS = 500
"""Rows an answer may have for everyone (www.mediawiki.org, API:RecentChanges); a wiki that is
polled for the first time is read this far back."""

_LONGEST_PAUSE = 60.0
_REMEMBERED = 20_000

_log = structlog.get_logger()


class Gap(Struct, frozen=True):
    """Changes not read yet: from position `newest` down to the time `oldest`.

    `begun` is the time at which the gap began, to tell how much of it is filled. What is older than
    `known` was read before the gap came about, and is looked through once more for late changes.
    """

    newest: str
    oldest: datetime
    begun: datetime
    known: datetime | None = None

    @property
    def unread(self) -> datetime | None:
        """The time down to which nothing was ever read, None where only known changes are left."""
        known = self.known or self.oldest
        return known if _moment(self.newest) > known else None


class PollingState(Struct, frozen=True):
    """`head` is the time of the newest change known; the gaps lie below it, newest last.

    `settled` is the time up to which the last poll that read the overlap has all: what `head` was
    (None where it still is), or the poll's own time where `head` is later. A server of a wiki may
    have a clock that is ahead, and what it writes must not hide what the others write.
    """

    head: datetime | None = None
    gaps: tuple[Gap, ...] = ()
    settled: datetime | None = None


class PollingStateStore(Protocol):
    """Keeps the state over a restart."""

    def load(self) -> PollingState | None: ...  # noqa: D102
    def save(self, state: PollingState) -> None: ...  # noqa: D102


class CatchUp(Struct, frozen=True):
    """How far catching up has got, in seconds of the wiki's time."""

    done: float
    total: float


class PollingSource:
    """Polls one wiki while the `gate` lets it pass.

    Goes on through failures of wiki and store, waiting longer each time.
    """

    name = "polling"

    def __init__(
        self,
        api: ActionApi,
        info: SiteInfo,
        store: PollingStateStore,
        *,
        interval: float = INTERVAL,
        overlap: float = OVERLAP,
        backfill: timedelta | None = None,
        clock: Clock = system_clock,
        gate: Gate | None = None,
        reverted: RevertedStateStore | None = None,
    ) -> None:
        self._api = api
        self._site: Site = info.site
        self._gate = gate or Gate()
        self._batch = info.batch
        self._users = Users(api, info.batch, clock)
        self._store = store
        self._interval = interval
        self._overlap = timedelta(seconds=overlap)
        self._backfill = backfill
        self._clock = clock
        self._state = self._saved = store.load() or PollingState()
        self._emitted: OrderedDict[int, _Emitted] = OrderedDict()
        self._visibility: OrderedDict[int, _Flags] = OrderedDict()
        self._reverted = RevertedEdits(info.site, self._read_reverted, clock, reverted)
        self._failures = 0
        self._woken = asyncio.Event()
        self._polled = clock.now()
        self.failure: str | None = None

    @property
    def catch_up(self) -> CatchUp | None:
        """How far catching up has got, None when there is nothing to catch up."""
        if not self._state.gaps:
            return None
        total = sum((gap.begun - gap.oldest).total_seconds() for gap in self._state.gaps)
        left = sum((_moment(gap.newest) - gap.oldest).total_seconds() for gap in self._state.gaps)
        return CatchUp(done=max(0.0, total - max(left, 0.0)), total=max(total, 1.0))

    @property
    def lag(self) -> float:
        """How many seconds ago the newest moment was up to which all edits are collected."""
        unread = [gap.unread for gap in self._state.gaps if gap.unread is not None]
        return max(0.0, (self._clock.now() - min([*unread, self._polled])).total_seconds())

    @property
    def remembered(self) -> int:
        """How many changes are kept in memory, to tell what is new."""
        return len(self._emitted)

    async def run(self, emit: Emit) -> None:
        """Poll until cancelled."""
        next_poll = next_sweep = next_woken_poll = self._clock.now()
        owes_fill = False
        while True:
            await self._gate.passed(self._site.wiki_id)
            now = self._clock.now()
            # A clock that is set back must not put them off.
            next_poll = min(next_poll, now + timedelta(seconds=self._interval))
            next_sweep = min(next_sweep, now + timedelta(seconds=SWEEP_INTERVAL))
            if self._woken.is_set():
                self._woken.clear()
                next_poll = min(next_poll, next_woken_poll)
            try:
                # A wiki that answers more slowly than it is polled would never have a gap filled.
                if now >= next_poll and not (owes_fill and self._state.gaps):
                    owes_fill = True
                    next_poll = now + timedelta(seconds=self._interval)
                    next_woken_poll = now + timedelta(seconds=WAKE_PAUSE)
                    await self.poll(emit)
                elif now >= next_sweep:
                    next_sweep = now + timedelta(seconds=SWEEP_INTERVAL)
                    await self.sweep(emit)
                elif self._state.gaps:
                    owes_fill = False
                    await self.fill(emit)
                else:
                    await self._rest((min(next_poll, next_sweep) - now).total_seconds())
                    continue
            except (WikiError, InvalidEventError, StoreError) as error:
                await self._clock.sleep(self._pause_after(error))
            else:
                self._recovered()

    def wake(self) -> None:
        """Poll soon, because something says that there is news; every WAKE_PAUSE at most."""
        self._woken.set()

    async def poll(self, emit: Emit) -> None:
        """Read what is new, from the newest down; leave what is more than one answer as a gap."""
        head, gaps = self._state.head, self._state.gaps
        settled = self._state.settled or head
        begun = self._clock.now()
        oldest = head if gaps or settled is None else settled - self._overlap
        if head is None and self._backfill is not None:
            oldest = begun - self._backfill
        rows, more = await self._read(None, oldest)
        await self._emit(rows, emit)
        self._polled = begun
        if not rows:
            return
        newest = rows[0].timestamp
        gap = more and oldest and Gap(newest=more, oldest=oldest, begun=newest, known=head)
        head = max(newest, head or newest)
        if not gaps:
            settled = begun if head > begun else None
        self._save(PollingState(head=head, gaps=(*gaps, gap) if gap else gaps, settled=settled))

    async def fill(self, emit: Emit) -> None:
        """Read one more answer of the newest gap."""
        *others, gap = self._state.gaps
        rows, more = await self._read(gap.newest, gap.oldest)
        await self._emit(rows, emit)
        left = (replace(gap, newest=more),) if more else ()
        self._save(replace(self._state, gaps=(*others, *left)))

    async def sweep(self, emit: Emit) -> None:
        """Look for what happened to edits since, without an entry in recent changes."""
        await self._reverted.sweep(emit)
        await self._sweep_hidden(emit)

    async def _sweep_hidden(self, emit: Emit) -> None:
        """Look through the last day for changes whose parts were hidden without a log entry."""
        more: str | None = None
        oldest = self._clock.now() - SWEEP_WINDOW
        for _ in range(SWEEP_ANSWERS):
            rows, more = await self._read(more, oldest)
            await self._emit_visibility(self._of_changed_visibility(rows), emit)
            if not more:
                return

    async def _read_reverted(
        self, newest: str | None, oldest: datetime
    ) -> tuple[list[RecentChange], str | None]:
        return await self._read(newest, oldest, tag=TAG)

    async def _read(
        self, newest: str | None, oldest: datetime | None, tag: str | None = None
    ) -> tuple[list[RecentChange], str | None]:
        answer = await self._api.get(
            action="query",
            list="recentchanges",
            rcdir="older",
            rccontinue=newest,
            rcend=oldest and f"{oldest:%Y%m%d%H%M%S}",
            rcprop=PROPERTIES,
            rctype=TYPES,
            rctag=tag,
            rclimit=ROWS,
        )
        with reading(self._api.api_url, "recent changes"):
            rows = read_rows(answer.get("query", {}).get("recentchanges", []))
            return rows, answer.get("continue", {}).get("rccontinue")

    async def _emit(self, rows: Sequence[RecentChange], emit: Emit) -> None:
        new = [row for row in rows if self._emitted.get(row.rcid) != _as_emitted(row)]
        names = {row.user for row in new if row.user and row.userid and not row.temp}
        users = await self._users.read(names)
        received = self._clock.now()
        events: list[SourceEvent] = []
        for row in reversed(new):
            if change := page_change(row, self._site, users, received):
                events.append(change)
            if tags := tags_change(row, self._site, received, self._emitted_tags(row)):
                events.append(tags)
        await _emit_some(events, emit)
        await self._emit_visibility(self._of_changed_visibility(new), emit)
        await self._emit_visibility(await self._revision_deletions(new), emit)
        for row in new:
            _remember(self._emitted, row.rcid, _as_emitted(row))

    def _emitted_tags(self, row: RecentChange) -> tuple[str, ...] | None:
        known = self._emitted.get(row.rcid)
        return known.tags if known else None

    def _of_changed_visibility(self, rows: Sequence[RecentChange]) -> list[RecentChange]:
        """Return the edits whose visibility is not as it was announced."""
        return [
            row
            for row in rows
            if row.is_edit and _flags(row) != self._visibility.get(row.revid, _ALL_VISIBLE)
        ]

    async def _revision_deletions(self, rows: Sequence[RecentChange]) -> list[RecentChange]:
        """Return the revisions that log entries say were hidden or shown again."""
        rev_ids = sorted({rev_id for row in rows for rev_id in row.hidden_rev_ids})
        return await revision_rows(self._api, rev_ids, self._batch)

    async def _emit_visibility(self, rows: Sequence[RecentChange], emit: Emit) -> None:
        now = self._clock.now()
        await _emit_some([visibility_change(row, self._site, now) for row in rows], emit)
        for row in rows:
            _remember(self._visibility, row.revid, _flags(row))

    async def _rest(self, seconds: float) -> None:
        """Sleep until woken."""
        waiting = [
            asyncio.ensure_future(self._clock.sleep(seconds)),
            asyncio.ensure_future(self._woken.wait()),
        ]
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()

    def _save(self, state: PollingState) -> None:
        # Known before it is stored: a first poll that was not would be made again, and what is
        # more than one answer by then would never be read.
        self._state = state
        if state != self._saved:
            self._store.save(state)
            self._saved = state
        self._forget()

    def _forget(self) -> None:
        """Let go of what no poll and no gap reads again, for the sake of farms of wikis."""
        settled = self._state.settled or self._state.head
        if settled is None:
            return
        oldest = min([settled - self._overlap, *(gap.oldest for gap in self._state.gaps)])
        while self._emitted and next(iter(self._emitted.values())).timestamp < oldest:
            self._emitted.popitem(last=False)

    def _pause_after(self, error: Exception) -> float:
        if self.failure is None:
            _log.warning("wiki cannot be polled, trying again", error=str(error))
        self.failure = str(error)
        self._failures += 1
        pause = min(_LONGEST_PAUSE, self._interval * 2.0 ** min(self._failures, 10))
        if isinstance(error, WikiUnavailableError) and error.retry_after is not None:
            return max(error.retry_after, pause)
        return pause

    def _recovered(self) -> None:
        if self.failure is not None:
            _log.info("wiki is polled again", wiki_id=self._site.wiki_id)
        self.failure = None
        self._failures = 0


_Flags = tuple[bool, bool, bool]
_ALL_VISIBLE: _Flags = (False, False, False)

T = TypeVar("T")


class _Emitted(NamedTuple):
    """What was told of a change; another answer that says the same tells nothing."""

    timestamp: datetime
    flags: _Flags
    tags: tuple[str, ...]


async def _emit_some(events: Sequence[SourceEvent], emit: Emit) -> None:
    if events:
        await emit(events)


def _flags(row: RecentChange) -> _Flags:
    return row.sha1hidden, row.userhidden, row.commenthidden


def _as_emitted(row: RecentChange) -> _Emitted:
    return _Emitted(row.timestamp, _flags(row), row.tags)


def _remember(kept: OrderedDict[int, T], key: int, value: T) -> None:
    kept[key] = value
    kept.move_to_end(key)
    while len(kept) > _REMEMBERED:
        kept.popitem(last=False)


def _moment(position: str) -> datetime:
    return datetime.strptime(position.partition("|")[0], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
