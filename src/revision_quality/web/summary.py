"""How many edits are in which state, and the newest that has a score."""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping

from msgspec import Struct
from sqlalchemy import select

from revision_quality.views.change import State
from revision_quality.views.tables import changes
from revision_quality.web.view import View


class Summary(Struct, frozen=True):
    """Counts of edits by state and by wiki_id; the newest scored edit's time, in Unix seconds."""

    states: Mapping[str, int]
    wikis: Mapping[str, int]
    newest_scored: int | None

    @property
    def total(self) -> int:
        """Number of edits."""
        return sum(self.states.values())


class Summarizer:
    """Gives a view's summary, read at most once in `seconds`."""

    def __init__(self, view: View, seconds: float = 1.0) -> None:
        self._view = view
        self._seconds = seconds
        self._lock = asyncio.Lock()
        self._read_at = float("-inf")
        self._summary = Summary({}, {}, None)

    async def summary(self) -> Summary:
        """Return the summary. Raises StoreError."""
        async with self._lock:
            if time.monotonic() - self._read_at >= self._seconds:
                self._summary = await self._read()
                self._read_at = time.monotonic()
            return self._summary

    async def _read(self) -> Summary:
        states = Counter(dict.fromkeys(State, 0))
        wikis: Counter[str] = Counter()
        for (wiki_id, state), number in (await self._view.counts()).items():
            states[State(state)] += number
            wikis[wiki_id] += number
        newest = await self._newest_scored() if states[State.SCORED] else None
        return Summary(
            {state.value: number for state, number in states.items()}, dict(wikis), newest
        )

    async def _newest_scored(self) -> int | None:
        table = changes.c
        newest_first = select(changes).order_by(table.timestamp.desc(), table.rev_id.desc())
        scored = newest_first.where(table.deleted == False, table.state == State.SCORED.value)  # noqa: E712 (SQL)
        rows = await self._view.rows(scored.limit(1))
        return rows[0].timestamp if rows else None
