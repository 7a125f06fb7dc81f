"""A recording is replayed at the pace of a clock, and goes on where it was."""

from collections.abc import Sequence

import pytest

from revision_quality.errors import StoreError
from revision_quality.events.page_change import PageChange
from revision_quality.sources.base import SourceEvent
from revision_quality.sources.replay import TICK, ReplaySource, ReplayState
from tests.events.examples import at, page_change
from tests.fakes import FakeClock, MemoryStore

EDITS = [page_change(rev_id=10 + number, second=60 * number) for number in range(5)]


class Listener:
    """Keeps the edits, each with the second at which it came."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.begun = clock.now()
        self.heard: list[tuple[int, float]] = []
        self.events: list[PageChange] = []

    async def emit(self, events: Sequence[SourceEvent]) -> None:
        for event in events:
            assert isinstance(event, PageChange)
            self.events.append(event)
            second = (self.clock.now() - self.begun).total_seconds()
            self.heard.append((event.revision.rev_id, second))


async def replay(speed: float, state: int = 0, edits: Sequence[PageChange] = EDITS) -> Listener:
    clock = FakeClock(at(10**6))
    listener = Listener(clock)
    source = ReplaySource(edits, speed, MemoryStore(ReplayState(state)), clock)
    await source.run(listener.emit)
    assert source.emitted == source.total
    return listener


@pytest.mark.parametrize("speed", [1, 60, 600])
async def test_edits_come_at_their_pace_times_the_speed(speed):
    listener = await replay(speed)

    assert [rev_id for rev_id, _ in listener.heard] == [10, 11, 12, 13, 14]
    for number, (_, second) in enumerate(listener.heard):
        due = 60 * number / speed
        assert due - 0.001 <= second <= due + TICK + 0.001


async def test_speed_0_waits_for_nothing():
    listener = await replay(0)

    assert [second for _, second in listener.heard] == [0] * 5
    assert listener.clock.slept == []


async def test_edits_are_received_when_they_are_emitted():
    listener = await replay(60)

    assert [event.dt for event in listener.events] == [edit.dt for edit in EDITS]
    assert listener.events[0].meta.dt == at(10**6)
    assert listener.events[0].meta.id == EDITS[0].meta.id


async def test_a_restart_goes_on_at_once_with_the_next_edit():
    listener = await replay(1, state=3)

    assert [rev_id for rev_id, _ in listener.heard] == [13, 14]
    assert listener.heard[0][1] == 0


@pytest.mark.parametrize("state", [5, 99])
async def test_a_finished_recording_has_nothing_more(state):
    assert (await replay(1, state=state)).heard == []
    assert (await replay(0, edits=[])).heard == []


async def test_the_position_is_stored_behind_what_was_emitted():
    store: MemoryStore[ReplayState] = MemoryStore()
    edits = [page_change(rev_id=number, second=number) for number in range(1, 1201)]
    listener = Listener(FakeClock())

    await ReplaySource(edits, 0, store, FakeClock()).run(listener.emit)

    assert [state.emitted for state in store.saved] == [500, 1000, 1200]


async def test_a_position_that_cannot_be_stored_does_not_end_the_replay():
    class FullDisk(MemoryStore[ReplayState]):
        def save(self, state: ReplayState) -> None:
            raise StoreError("the disk is full")

    listener = Listener(FakeClock())
    await ReplaySource(EDITS, 0, FullDisk(), FakeClock()).run(listener.emit)

    assert len(listener.heard) == 5
