"""Old events and rows are dropped by age, and not by a clock that leapt ahead."""

from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from revision_quality.cli.purging import Purging
from revision_quality.cli.stores import Stores
from revision_quality.events import streams as names
from revision_quality.levels.labels_view import LabelsView
from revision_quality.settings import Settings, Wiki
from revision_quality.sources.base import outgoing
from revision_quality.streams.base import START
from revision_quality.streams.sqlite import SqliteStreams
from revision_quality.views.age import LEAP_SECONDS, newest_time
from revision_quality.views.changes import ChangesView
from revision_quality.views.database import Database
from tests.events.examples import START as FIRST
from tests.events.examples import page_change
from tests.fakes import FakeClock
from tests.views.examples import records

SETTINGS = Settings(wikis=(Wiki(api="https://wiki.example/w/api.php"),))
KEPT = timedelta(days=SETTINGS.changes_view.keep_days)
LEAP = timedelta(seconds=LEAP_SECONDS)
YEARS, MINUTE = timedelta(days=3650), timedelta(minutes=1)


class World:
    """A store on a machine whose clock can be set, and the age of what is in it."""

    def __init__(self, streams, view, clock):
        self.streams, self.view, self.clock = streams, view, clock
        self.steady, self._offset = 0.0, 0
        self.start()

    def start(self):
        """Begin a process."""
        labels = LabelsView(self.view.database, self.view.bell)
        stores = Stores(streams=self.streams, view=self.view, labels=labels, levels=(), scores=None)
        self.purging = Purging(SETTINGS, stores, self.clock, lambda: self.steady)

    async def edit(self, after=timedelta()):
        """Have an edit collected that was made some time after the first one could be."""
        self._offset += 1
        made = page_change(rev_id=self._offset, second=after.total_seconds())
        await self.streams.append([outgoing(made)])
        await self.view.apply(records([made], self._offset))

    def goes_on(self, time):
        self.clock.time += time
        self.steady += time.total_seconds()

    async def kept(self):
        """Tell how many events and rows are left."""
        events = await self.streams.read(names.PAGE_CHANGE, START, 99)
        return len(events), sum((await self.view.counts()).values())


@pytest.fixture
async def world(tmp_path, url):
    clock = FakeClock()
    view = ChangesView(Database(url))
    async with SqliteStreams(tmp_path / "streams.sqlite", clock) as streams:
        yield World(streams, view, clock)
    await view.close()


async def test_what_is_old_is_dropped_while_edits_come(world):
    await world.edit()
    for _ in range(14):
        world.goes_on(LEAP)
        await world.edit(world.clock.now() - FIRST)
        await world.purging.step()

    assert await world.kept() == (5, 13)


async def test_a_clock_that_leaps_ahead_drops_nothing_and_that_is_told_once(world):
    await world.edit()
    await world.purging.step()
    world.clock.time += YEARS
    with capture_logs() as logs:
        for _ in range(3):
            assert await world.purging.step() == 0
            await world.edit(MINUTE)
            world.steady += LEAP_SECONDS / 2

    assert await world.kept() == (4, 4)
    assert [log["event"] for log in logs] == [
        "nothing is dropped by age: this machine's clock says 2036-11-20T08:00:00Z, 3,650 days"
        " after the newest edit and the last drop; set it if it is wrong, or else wait for the"
        " next edit"
    ]
    world.clock.time -= YEARS
    await world.purging.step()
    assert world.purging.problem is None


async def test_a_clock_that_is_ahead_at_a_start_drops_nothing(world):
    await world.edit()
    world.clock.time += YEARS
    world.start()

    assert await world.purging.step() == 0
    assert world.purging.problem.startswith("nothing is dropped by age: this machine's clock says")
    assert await world.kept() == (1, 1)


async def test_a_store_in_which_nothing_happens_is_purged_too(world):
    await world.edit()
    for _ in range(KEPT // LEAP + 1):
        await world.purging.step()
        world.goes_on(LEAP)
    await world.purging.step()

    assert await world.kept() == (0, 0)
    assert world.purging.problem is None


async def test_after_a_long_stop_the_next_edit_lets_it_go_on(world):
    await world.edit()
    world.goes_on(2 * KEPT)
    world.start()
    assert await world.purging.step() == 0

    await world.edit(2 * KEPT)

    assert await world.purging.step() == 2
    assert await world.kept() == (1, 1)


async def test_after_a_long_stop_no_edit_for_as_long_as_a_leap_lets_it_go_on_too(world):
    await world.edit()
    world.goes_on(2 * KEPT)
    world.start()
    assert await world.purging.step() == 0
    world.goes_on(LEAP)
    assert await world.purging.step() == 0
    world.goes_on(MINUTE)

    await world.purging.step()

    assert await world.kept() == (0, 0)


async def test_a_time_that_was_believed_wrongly_is_believed_no_longer(world):
    world.clock.time += YEARS
    await world.purging.step()
    world.clock.time -= YEARS
    await world.edit()
    await world.purging.step()

    assert await world.view.read(newest_time) == FIRST.timestamp()
