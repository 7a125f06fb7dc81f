"""Levels of every wiki: chosen on what is settled, kept with their history, told to who asks."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from revision_quality.levels.choosing import BY_HAND
from revision_quality.levels.counts_table import Day, settled_day, window_of
from revision_quality.levels.keeper import LevelsKeeper
from revision_quality.levels.level import Level, MeasuredLevel
from revision_quality.levels.level_set import AUTOMATIC, changes_of, log_of
from revision_quality.levels.levels_store import current_set, current_sets, history
from revision_quality.levels.target import DEFAULT_TARGETS
from revision_quality.recent_changes.live_levels import LiveLevels
from revision_quality.views.changes import ChangesView
from revision_quality.views.database import Database
from tests.levels.wikis import MODEL, NOW, RULES, SETTLED, StillClock, count_edits

HOUR = 3600
DEFAULT = (
    Level(name="likelybad", threshold=0.6, precision=0.5, recall=0.5, flag_rate=0.1, target="t"),
)


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    view = ChangesView(Database(url))
    yield view.database
    await view.close()


def keeper(database: Database) -> LevelsKeeper:
    return LevelsKeeper(database, [MODEL], RULES, StillClock())


async def test_a_wiki_gets_levels_of_its_own_that_whoever_follows_sees(database):
    live = LiveLevels(database, MODEL, DEFAULT)
    await live.refresh()
    assert live.now.of("awiki") == DEFAULT
    await database.write(lambda connection: count_edits(connection, "awiki"))

    assert await keeper(database).choose_all(MODEL) == 1
    await live.refresh()

    levels = live.now.of("awiki")
    assert [level.name for level in levels] == list(DEFAULT_TARGETS)
    assert all(isinstance(level, MeasuredLevel) and level.n == 56 * 60 for level in levels)
    assert live.now.of("other") == DEFAULT
    stored = await database.read(lambda connection: current_set(connection, "awiki", MODEL.number))
    assert (stored.chosen_by, stored.since) == (AUTOMATIC, int(NOW.timestamp()))


async def test_a_wiki_with_too_few_edits_keeps_the_models_levels_and_says_why(database):
    await database.write(lambda connection: count_edits(connection, "awiki", a_day=2))
    live = LiveLevels(database, MODEL, DEFAULT)

    await keeper(database).choose_all(MODEL)
    await live.refresh()

    assert live.now.of("awiki") == DEFAULT
    stored = await database.read(lambda connection: current_set(connection, "awiki", MODEL.number))
    assert "reverted edits of awiki have a settled label, 100 are needed" in stored.chosen.note


async def test_a_small_wiki_is_pooled_with_those_like_it(database):
    for number in range(4):
        name = f"wiki{number}"
        await database.write(
            lambda connection, name=name, seed=number: count_edits(connection, name, seed=seed)
        )
    await database.write(lambda connection: count_edits(connection, "small", days=20, a_day=3))

    await keeper(database).choose_all(MODEL)

    sets = await database.read(lambda connection: current_sets(connection, MODEL.number))
    assert sets["small"].chosen.levels
    assert all(len(level.pooled) == 4 for level in sets["small"].chosen.levels)
    assert all(level.edits_a_day < 3 for level in sets["small"].chosen.levels)
    assert all(not level.pooled for level in sets["wiki0"].chosen.levels)


async def test_edits_whose_label_is_not_settled_do_not_count(database):
    await database.write(lambda connection: count_edits(connection, "awiki", last=NOW, days=2))

    assert await keeper(database).choose_all(MODEL) == 0
    picture = await keeper(database).picture("awiki", MODEL)
    assert picture.days == []


async def test_the_same_levels_again_are_no_change_and_others_are_logged(database):
    await database.write(lambda connection: count_edits(connection, "awiki"))
    await keeper(database).choose_all(MODEL)
    assert await keeper(database).choose_all(MODEL) == 0

    await database.write(lambda connection: count_edits(connection, "awiki", seed=5, a_day=200))
    assert await keeper(database).choose_all(MODEL) == 1

    newer, older = await database.read(
        lambda connection: history(connection, "awiki", MODEL.number)
    )
    assert (newer.number, older.number) == (2, 1)
    changes = list(changes_of(newer, older))
    assert changes
    assert all(change.before != change.after and change.by == AUTOMATIC for change in changes)


class SetClock(StillClock):
    """Wrong at first, and set right while somebody sleeps."""

    def __init__(self, wrong: datetime) -> None:
        self.at, self.slept, self.later = wrong, 0.0, asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        self.slept += seconds
        self.at = NOW + timedelta(seconds=self.slept)
        if self.slept > HOUR:
            self.later.set()
            await asyncio.Event().wait()


@pytest.mark.parametrize("wrong", [datetime(1970, 1, 1, tzinfo=UTC), NOW + timedelta(days=3650)])
async def test_levels_that_a_wrong_clock_has_withdrawn_are_back_soon_after_it_is_set(
    database, wrong
):
    await database.write(lambda connection: count_edits(connection, "awiki"))
    clock, live = SetClock(wrong), LiveLevels(database, MODEL, DEFAULT)

    running = asyncio.create_task(LevelsKeeper(database, [MODEL], RULES, clock).run())
    await asyncio.wait_for(clock.later.wait(), 60)
    running.cancel()
    await asyncio.wait([running])

    await live.refresh()
    assert [level.name for level in live.now.of("awiki")] == list(DEFAULT_TARGETS)


async def test_a_level_set_by_hand_stays_until_it_is_cleared(database):
    await database.write(lambda connection: count_edits(connection, "awiki"))
    await keeper(database).choose_all(MODEL)

    await keeper(database).fix("awiki", MODEL, "likelybad", 0.7, "Ana")
    assert await keeper(database).choose_all(MODEL) == 0

    live = LiveLevels(database, MODEL, DEFAULT)
    await live.refresh()
    (level,) = [level for level in live.now.of("awiki") if level.name == "likelybad"]
    assert (level.threshold, level.target) == (0.7, BY_HAND)
    await keeper(database).fix("awiki", MODEL, "likelybad", None, "Ben")
    sets = await database.read(lambda connection: history(connection, "awiki", MODEL.number))
    log = log_of(sets)
    assert [(each.by, each.is_fixed) for each in log if each.level == "likelybad"] == [
        ("Ben", False),
        ("Ana", True),
        (AUTOMATIC, False),
    ]


async def test_a_level_set_by_hand_holds_on_a_wiki_without_edits_too(database):
    await keeper(database).fix("new", MODEL, "maybebad", 0.2, "Ana")
    live = LiveLevels(database, MODEL, DEFAULT)
    await live.refresh()

    assert {level.name: level.threshold for level in live.now.of("new")} == {
        "maybebad": 0.2,
        "likelybad": 0.6,
    }


def test_a_day_is_settled_when_its_last_edit_has_waited():
    assert settled_day(NOW, 48 * 3600) == int(SETTLED.timestamp() // 86400)


def test_a_window_grows_until_enough_were_reverted():
    busy = [Day(day, 100, 10) for day in range(100)]
    calm = [Day(day, 100, 1) for day in range(150)]

    assert (window_of(busy).first, window_of(busy).days) == (44, 56)
    assert window_of(calm).days == 100
