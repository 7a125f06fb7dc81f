"""Edits in from a recording, at the pace of a clock that runs faster."""

from collections.abc import Sequence
from typing import Protocol

import structlog
from msgspec import Struct
from msgspec.structs import replace

from revision_quality.clock import Clock, system_clock
from revision_quality.errors import StoreError
from revision_quality.events.page_change import PageChange
from revision_quality.sources.base import Emit

TICK = 0.05
"""Seconds of the listener's time whose edits are emitted together."""

_MOST_AT_ONCE = 500

_log = structlog.get_logger()


class ReplayState(Struct, frozen=True):
    """How many of the recorded edits are in the stream."""

    emitted: int = 0


class ReplayStateStore(Protocol):
    """Keeps the state over a restart."""

    def load(self) -> ReplayState | None: ...  # noqa: D102
    def save(self, state: ReplayState) -> None: ...  # noqa: D102


class ReplaySource:
    """Emits recorded edits, oldest first, `speed` times as fast as they happened.

    `speed` 0 stands for as fast as possible. The first edit comes at once, whenever it was made,
    and so does the first after a restart.
    """

    name = "replay"

    def __init__(
        self,
        changes: Sequence[PageChange],
        speed: float,
        store: ReplayStateStore,
        clock: Clock = system_clock,
    ) -> None:
        self._changes = changes
        self._speed = speed
        self._store = store
        self._clock = clock
        state = store.load() or ReplayState()
        self.emitted = min(state.emitted, len(changes))

    @property
    def total(self) -> int:
        """How many edits the recording has."""
        return len(self._changes)

    async def run(self, emit: Emit) -> None:
        """Emit what is left, then return."""
        if self.emitted == self.total:
            return
        begun, first = self._clock.now(), self._changes[self.emitted].dt
        while self.emitted < self.total:
            wall_time = (self._clock.now() - begun).total_seconds()
            due = self._due(first.timestamp() + wall_time * self._speed)
            if due:
                await self._send(due, emit)
            elif self._speed:
                await self._clock.sleep(TICK)

    def _due(self, until: float) -> Sequence[PageChange]:
        some = self._changes[self.emitted : self.emitted + _MOST_AT_ONCE]
        if not self._speed:
            return some
        return [change for change in some if change.dt.timestamp() <= until]

    async def _send(self, changes: Sequence[PageChange], emit: Emit) -> None:
        received = self._clock.now()
        await emit([replace(change, meta=replace(change.meta, dt=received)) for change in changes])
        self.emitted += len(changes)
        try:
            self._store.save(ReplayState(self.emitted))
        except StoreError as error:
            _log.error("the position is not stored, edits may come twice", error=str(error))
