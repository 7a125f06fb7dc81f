"""What is read of one partition and waits to be scored.

Reading never waits for a wiki. What is more than can be kept at once is left in the stream, the
oldest edits of whoever has most waiting, and read again when that wiki answers and has room; the
position stays before all of it.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping

import msgspec
import structlog
from msgspec import Struct

from revision_quality.clock import Clock
from revision_quality.errors import InvalidEventError, StoreError
from revision_quality.events.page_change import PageChange, decode_page_change
from revision_quality.scoring.aside import Aside
from revision_quality.scoring.backlog import Backlog, Pending, Waiting
from revision_quality.scoring.feed import Feed
from revision_quality.scoring.tally import UNREADABLE, ScoringTally
from revision_quality.scoring.window import Window
from revision_quality.streams.base import Record

READ = 500

_PAUSE = 1.0

_log = structlog.get_logger()


class _Head(Struct, frozen=True):
    wiki_id: str = ""


class Intake:
    """Keeps the edits under way, `size` at most in the long run, a backlog for each wiki.

    `unwanted` tells why an event asks for no score, None if it does; `tally` counts those. `bury`
    is given what cannot be read. Of a wiki that is not `is_answering` nothing is read again.
    """

    def __init__(
        self,
        feed: Feed,
        *,
        unwanted: Callable[[PageChange], str | None],
        bury: Callable[[Record, InvalidEventError], Awaitable[None]],
        is_answering: Callable[[str], bool],
        size: int,
        clock: Clock,
        tally: ScoringTally,
    ) -> None:
        self.backlogs: dict[str, Backlog] = {}
        """By wiki_id; a wiki stays here."""
        self._feed = feed
        self._unwanted = unwanted
        self._bury = bury
        self._is_answering = is_answering
        self._size = size
        self._clock = clock
        self._tally = tally
        self._window = Window(size, feed.position)
        self._aside = Aside()

    @property
    def pending(self) -> int:
        """How many events are under way, without those left in the stream."""
        return len(self._window)

    @property
    def left_aside(self) -> tuple[str, ...]:
        """The wikis that have edits left in the stream."""
        return self._aside.wiki_ids

    @property
    def waiting(self) -> Mapping[str, Waiting]:
        """What waits of each wiki, without what is left in the stream."""
        return {
            wiki_id: Waiting(len(backlog), backlog.oldest)
            for wiki_id, backlog in self.backlogs.items()
        }

    def position_after(self, offsets: Collection[int]) -> int:
        """Return the position that may be committed once `offsets` are finished too."""
        position = self._window.position_after(offsets)
        aside = self._aside.position
        return position if aside is None else min(position, aside)

    def finish(self, offsets: Collection[int]) -> None:
        """Let go of events that have their outcome."""
        self._window.finish(offsets)

    async def read(self) -> bool:
        """Read what is new, and again what was left in the stream; False if there was nothing."""
        new = await self._read_new()
        again = await self._read_again()
        return new or again

    async def _read_new(self) -> bool:
        records = await self._read(self._window.read_up_to) or []
        for record in records:
            self._window.pass_by(record.offset)
            try:
                change = decode_page_change(record.value)
            except InvalidEventError as error:
                self._tally.skipped.add(UNREADABLE)
                self._window.begin(record.offset)
                await self._bury(record, error)
            else:
                self._take_in(record.offset, change)
        self._make_room()
        return bool(records)

    def _take_in(self, offset: int, change: PageChange) -> None:
        reason = self._unwanted(change)
        if reason is None:
            self._begin(offset, change)
        else:
            self._tally.skipped.add(reason)

    async def _read_again(self) -> bool:
        """Take up again what was left in the stream, of wikis that answer and have room."""
        ready = set(filter(self._is_ready, self._aside.wiki_ids)) if self._has_room else set()
        after = self._aside.position_of(ready)
        records = None if after is None else await self._read(after)
        if records is None:
            return False
        if not records:
            self._forget(ready)
            return False
        for record in records:
            wiki_id = _wiki_id(record)
            if wiki_id in ready:
                self._take_up(wiki_id, record)
                if len(self.backlogs[wiki_id]) >= self._share:
                    ready.discard(wiki_id)
        for wiki_id in ready:
            self._aside.read_up_to(wiki_id, records[-1].offset)
        self._make_room()
        return True

    def _forget(self, wiki_ids: Collection[str]) -> None:
        """Forget what was dropped by age while it was left in the stream."""
        for wiki_id in wiki_ids:
            self._aside.read_up_to(wiki_id, self._window.read_up_to)

    def _take_up(self, wiki_id: str, record: Record) -> None:
        if not self._aside.has(wiki_id, record.offset):
            return
        self._aside.read_up_to(wiki_id, record.offset)
        if record.offset in self._window:
            return
        try:
            change = decode_page_change(record.value)
        except InvalidEventError:
            # It was buried when it was read first.
            return
        if self._unwanted(change) is None:
            self._begin(record.offset, change)

    def _begin(self, offset: int, change: PageChange) -> None:
        self._window.begin(offset)
        self.backlogs.setdefault(change.wiki_id, Backlog()).put(Pending(offset, change))

    @property
    def _share(self) -> int:
        """How many edits a wiki has read again at once: half of the window is for new ones."""
        return max(1, self._size // (2 * max(1, len(self.backlogs))))

    @property
    def _has_room(self) -> bool:
        """Whether the window is not full, or somebody in it has more than a share."""
        longest = max(map(len, self.backlogs.values()), default=0)
        return self.pending < self._size or longest > self._share

    def _is_ready(self, wiki_id: str) -> bool:
        return self._is_answering(wiki_id) and len(self.backlogs[wiki_id]) <= self._share // 2

    def _make_room(self) -> None:
        """Leave in the stream what is too much: the oldest of the wiki that has most waiting."""
        while excess := self._window.excess:
            wiki_id, backlog = max(self.backlogs.items(), key=lambda item: len(item[1]))
            # Half of them, so that the next one may have become the longest.
            dropped = backlog.drop(min(excess, len(backlog) // 2 + 1))
            if not dropped:
                return
            for pending in dropped:
                self._aside.add(wiki_id, pending.offset)
            self._window.finish({pending.offset for pending in dropped})

    async def _read(self, after: int) -> list[Record] | None:
        """Read what comes behind `after`, nothing at the end; None if that cannot be told now."""
        try:
            return await self._feed.read(after, READ)
        except StoreError as error:
            _log.error("edits cannot be read, trying again", error=str(error))
            await self._clock.sleep(_PAUSE)
            return None


def _wiki_id(record: Record) -> str:
    """Return the wiki of an event, nothing for one that cannot be read."""
    try:
        return msgspec.json.decode(record.value, type=_Head).wiki_id
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
