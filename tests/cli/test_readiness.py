"""Ready is who can reach its stores and has caught up; a dead wiki is told, and harms nobody."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, ClassVar

import pytest

from revision_quality.cli.lease import Free, Holder
from revision_quality.cli.readiness import Watcher
from revision_quality.cli.role import EVERY, Role
from revision_quality.cli.running import Watched
from revision_quality.errors import StoreError
from revision_quality.scoring.backlog import Waiting
from tests.fakes import FakeClock


class Store:
    """Answers, fails or is silent; it is streams and view."""

    def __init__(self) -> None:
        self.error: str | None = None
        self.is_silent = False
        self.asked = 0

    async def end(self, stream: str) -> int:
        self.asked += 1
        return await self.last_seq()

    async def last_seq(self) -> int:
        if self.is_silent:
            await asyncio.sleep(1000)
        if self.error:
            raise StoreError(self.error)
        return 1


class Materialiser:
    is_awaited = True
    has_caught_up = True


class Group:
    waiting: ClassVar[dict[str, Waiting]] = {}
    failures: ClassVar[dict[str, str]] = {"dead": "it does not answer"}


class Polling:
    lag, failure = 2.04, None


class House:
    def __init__(self) -> None:
        self.streams, self.view, self.materialiser = Store(), Store(), Materialiser()
        self.holders = {role: Holder(role, [Free()]) for role in Role if role is not Role.SERVE}

    def watcher(self, roles: frozenset[Role] = EVERY) -> Watcher:
        parts: dict[str, Any] = {
            "streams": self.streams,
            "view": self.view,
            "groups": [Group()],
            "materialisers": [self.materialiser],
        }
        polling: Any = {"my_wiki": Polling()}
        watched = Watched(polling, lambda: {"https://x/api.php": "no answer"})
        clock = FakeClock()
        moment = clock.now().timestamp()
        Group.waiting = {"my_wiki": Waiting(3, moment - 10), "dead": Waiting(9, moment - 90)}
        return Watcher(roles=roles, holders=self.holders, watched=watched, clock=clock, **parts)


async def _for_ever() -> None:
    await asyncio.sleep(1000)


@pytest.fixture
async def house() -> AsyncIterator[House]:
    made = House()
    tasks = [asyncio.create_task(holder.run(_for_ever)) for holder in made.holders.values()]
    while not all(holder.is_working for holder in made.holders.values()):  # noqa: ASYNC110
        await asyncio.sleep(0)
    yield made
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_all_is_well_and_the_lag_of_each_wiki_is_told(house):
    found = await house.watcher().readiness()

    assert found.ready
    assert found.roles == dict.fromkeys(map(str, Role), "working")
    mine, dead = found.wikis["my_wiki"], found.wikis["dead"]
    assert (mine.collecting_seconds, mine.waiting, mine.scoring_seconds) == (2.0, 3, 10.0)
    assert (dead.waiting, dead.scoring_seconds, dead.problem) == (9, 90.0, "it does not answer")
    assert found.unreachable == {"https://x/api.php": "no answer"}


@pytest.mark.parametrize(
    ("which", "what"), [("streams", "the streams"), ("view", "the changes view")]
)
async def test_a_store_that_fails_makes_unready(house, which, what):
    getattr(house, which).error = "it is down"

    found = await house.watcher().readiness()

    assert (found.ready, found.problems) == (False, (f"{what} cannot be reached: it is down",))


async def test_a_store_that_is_silent_makes_unready(house):
    house.view.is_silent = True

    found = await house.watcher().readiness()

    assert found.problems == ("the changes view cannot be reached: no answer within 3 seconds",)


async def test_a_view_that_is_not_awaited_makes_nothing_unready(house):
    house.materialiser.has_caught_up = house.materialiser.is_awaited = False
    watcher = house.watcher(frozenset({Role.MATERIALISE}))

    assert (await watcher.readiness()).ready


async def test_a_view_that_is_behind_makes_unready_until_it_has_caught_up(house):
    house.materialiser.has_caught_up = False
    watcher = house.watcher(frozenset({Role.MATERIALISE}))

    behind = await watcher.readiness()
    house.materialiser.has_caught_up = True

    assert (behind.ready, behind.roles) == (False, {"materialise": "catching up"})
    assert (await watcher.readiness()).ready


async def test_a_standby_is_ready(house):
    house.holders[Role.MATERIALISE] = Holder("materialise", [Free()])
    house.materialiser.has_caught_up = False

    found = await house.watcher().readiness()

    assert (found.ready, found.roles["materialise"]) == (True, "standby")


async def test_who_is_ending_is_not_ready(house):
    watcher = house.watcher()
    watcher.end()

    assert (await watcher.readiness()).problems == ("the process is ending",)


async def test_many_who_ask_at_once_ask_the_stores_once(house):
    watcher = house.watcher()

    await asyncio.gather(*(watcher.readiness() for _ in range(20)))

    assert house.streams.asked == 1
