"""Edits of the past, read from a wiki's API: the newest first, from now back to a day.

First its recent changes, which tell most of an edit (tags, bots) and end where the wiki drops them
($wgRCMaxAge); from there on its revisions, which tell neither. Edits of deleted pages are in
neither.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Protocol

import structlog
from msgspec import Struct
from msgspec.structs import replace

from revision_quality.clock import Clock, system_clock
from revision_quality.errors import WikiUnavailableError
from revision_quality.events.identity import with_log_id
from revision_quality.sources.base import Emit
from revision_quality.sources.recent_change import (
    PROPERTIES,
    RecentChange,
    page_change,
    read_rows,
)
from revision_quality.sources.revision_rows import PROPERTIES as REVISION_PROPERTIES
from revision_quality.sources.revision_rows import row_of
from revision_quality.wiki.client import ActionApi, reading
from revision_quality.wiki.siteinfo import SiteInfo
from revision_quality.wiki.users import Users

ROWS = 500
_EDITS = ("edit", "new")
_FIRST_PAUSE, _LONGEST_PAUSE = 5.0, 300.0

_log = structlog.get_logger()


class Stage(StrEnum):
    """What is read."""

    RECENT = "recent"
    REVISIONS = "revisions"
    DONE = "done"


class HistoryState(Struct, frozen=True):
    """How far it is read: from `begun` down to `reached`, on to `oldest`.

    `more` is the API's own mark of where the next answer begins.
    """

    begun: datetime
    oldest: datetime
    reached: datetime
    stage: Stage = Stage.RECENT
    more: str | None = None


class HistoryStateStore(Protocol):
    """Keeps the state over a restart."""

    def load(self) -> HistoryState | None: ...  # noqa: D102
    def save(self, state: HistoryState) -> None: ...  # noqa: D102


class History:
    """The edits of one wiki since `oldest`; one that was begun and not ended goes on as it was."""

    def __init__(
        self,
        api: ActionApi,
        info: SiteInfo,
        store: HistoryStateStore,
        oldest: datetime,
        clock: Clock = system_clock,
    ) -> None:
        self._api = api
        self._info = info
        self._users = Users(api, info.batch, clock)
        self._store = store
        self._clock = clock
        now = clock.now()
        known = store.load()
        is_open = known is not None and known.stage is not Stage.DONE
        self.state = known if known and is_open else HistoryState(now, oldest, now)
        self.edits = 0

    @property
    def total(self) -> float:
        """How much of the wiki's time is to be read, in seconds."""
        return (self.state.begun - self.state.oldest).total_seconds()

    @property
    def done(self) -> float:
        """How much of it is read."""
        if self.state.stage is Stage.DONE:
            return self.total
        return (self.state.begun - self.state.reached).total_seconds()

    async def run(self, emit: Emit) -> None:
        """Emit all edits, the newest first; wait as long as the wiki does not answer.

        Raises WikiError where it answers that it will not, StoreError.
        """
        pause = _FIRST_PAUSE
        while self.state.stage is not Stage.DONE:
            try:
                await self.step(emit)
            except WikiUnavailableError as error:
                _log.warning("the wiki does not answer, trying again", error=str(error))
                await self._clock.sleep(max(pause, error.retry_after or 0.0))
                pause = min(2 * pause, _LONGEST_PAUSE)
            else:
                pause = _FIRST_PAUSE

    async def step(self, emit: Emit) -> None:
        """Emit the edits of one more answer, then store the position behind them."""
        is_recent = self.state.stage is Stage.RECENT
        rows, more = await (self._recent() if is_recent else self._revisions())
        await self._emit(rows, emit)
        reached = min((row.timestamp for row in rows), default=self.state.reached)
        state = replace(self.state, reached=min(reached, self.state.reached), more=more)
        if more is None:
            state = replace(state, stage=Stage.REVISIONS if is_recent else Stage.DONE)
        self._store.save(state)
        self.state = state

    async def _recent(self) -> tuple[list[RecentChange], str | None]:
        answer = await self._api.get(
            action="query",
            list="recentchanges",
            rcdir="older",
            rccontinue=self.state.more,
            rcstart=None if self.state.more else _stamp(self.state.begun),
            rcend=_stamp(self.state.oldest),
            rcprop=PROPERTIES,
            rctype=_EDITS,
            rclimit=ROWS,
        )
        with reading(self._api.api_url, "recent changes"):
            rows = read_rows(answer.get("query", {}).get("recentchanges", []))
            return rows, answer.get("continue", {}).get("rccontinue")

    async def _revisions(self) -> tuple[list[RecentChange], str | None]:
        answer = await self._api.get(
            action="query",
            list="allrevisions",
            arvdir="older",
            arvcontinue=self.state.more,
            arvstart=None if self.state.more else _stamp(self.state.reached),
            arvend=_stamp(self.state.oldest),
            arvprop=REVISION_PROPERTIES,
            arvlimit=ROWS,
        )
        with reading(self._api.api_url, "revisions"):
            pages = answer.get("query", {}).get("allrevisions", [])
            rows = read_rows(
                [row_of(page, revision) for page in pages for revision in page["revisions"]]
            )
            return rows, answer.get("continue", {}).get("arvcontinue")

    async def _emit(self, rows: Sequence[RecentChange], emit: Emit) -> None:
        names = {row.user for row in rows if row.user and row.userid and not row.temp}
        users = await self._users.read(names)
        received = self._clock.now()
        changes = [page_change(row, self._info.site, users, received) for row in rows]
        events = [with_log_id(change) for change in changes if change]
        if events:
            await emit(events)
        self.edits += len(events)


def _stamp(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y%m%d%H%M%S}"
