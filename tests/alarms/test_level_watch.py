"""Levels are measured on counted labels of a real database, and told as other alarms are."""

from collections.abc import AsyncIterator, Mapping

import pytest
from msgspec.structs import replace

from revision_quality.alarms.alarm import Alarm, Kind
from revision_quality.alarms.level_watch import LevelWatch
from revision_quality.alarms.stored import Alarms
from revision_quality.alarms.watch import LEVELS_SECONDS, AlarmWatch
from revision_quality.levels.level import Level
from revision_quality.recent_changes.wiki_levels import WikiLevels
from revision_quality.views.changes import ChangesView
from revision_quality.views.database import Database
from revision_quality.views.positions import ViewPositions
from tests.levels.wikis import MODEL, StillClock, count_edits

HONEST = Level(
    name="likelybad",
    threshold=0.5,
    precision=0.7,
    recall=0.5,
    flag_rate=0.1,
    target="maximum recall @ precision >= 0.6",
)
PROUD = replace(HONEST, target="maximum recall @ precision >= 0.9")


class Following:
    """Levels that a test changes."""

    def __init__(self, **by_wiki: Level) -> None:
        self.now = WikiLevels((), {wiki: (one,) for wiki, one in by_wiki.items()})


class House:
    """A database with two wikis of which the edits from 0.5 on are reverted in some 70 %."""

    def __init__(self, view: ChangesView) -> None:
        self.database = view.database
        self.clock = StillClock()
        self.levels = Following(awiki=HONEST, bwiki=PROUD)
        self.has_labels = True
        self.alarms = Alarms(view)
        self.watch = AlarmWatch(
            self.database,
            ViewPositions(self.database, "alarms"),
            lambda model, wiki_id: 0.5,
            clock=self.clock,
            levels=LevelWatch(
                self.database,
                {MODEL: self.levels},
                has_labels=lambda: self.has_labels,
                clock=self.clock,
            ),
        )

    async def look(self) -> Mapping[str, Alarm]:
        await self.watch.look()
        await self.clock.sleep(LEVELS_SECONDS)
        return {alarm.subject.wiki_id: alarm for alarm in await self.alarms.active()}


@pytest.fixture
async def house(url: str) -> AsyncIterator[House]:
    view = ChangesView(Database(url))
    for wiki_id in ("awiki", "bwiki"):
        await view.database.write(
            lambda connection, wiki_id=wiki_id: count_edits(connection, wiki_id)
        )
    yield House(view)
    await view.close()


async def test_a_level_that_is_less_precise_than_promised_is_told(house: House) -> None:
    (alarm,) = (await house.look()).values()

    about = alarm.subject
    assert (about.kind, about.wiki_id, about.level) == (Kind.PRECISION, "bwiki", "likelybad")
    assert (about.model_name, about.model_version) == (MODEL.name, MODEL.version)
    assert alarm.message.endswith("90.0% were promised.")


async def test_it_ends_when_a_level_promises_less_or_is_withdrawn(house: House) -> None:
    assert list(await house.look()) == ["bwiki"]

    house.levels.now = Following(awiki=PROUD, bwiki=HONEST).now
    assert list(await house.look()) == ["awiki"]
    house.levels.now = Following().now
    assert await house.look() == {}


async def test_edits_whose_labels_are_old_or_not_settled_do_not_count(house: House) -> None:
    house.clock.at = house.clock.at.replace(year=2027)

    assert await house.look() == {}


async def test_nothing_is_said_while_labels_are_still_read(house: House) -> None:
    house.has_labels = False
    assert await house.look() == {}

    house.has_labels = True
    assert list(await house.look()) == ["bwiki"]
