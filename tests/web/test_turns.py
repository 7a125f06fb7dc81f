"""Short work shares the loop's turns with all else."""

import asyncio

import pytest

from revision_quality.web.turns import Turns


class Clock:
    """Goes on by a second with each piece of work."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def turns(clock: Clock) -> Turns:
    return Turns(2.0, clock)


async def test_a_turn_takes_what_there_is_time_for_and_the_next_ones_the_rest(
    turns: Turns, clock: Clock
) -> None:
    done: list[int] = []

    def work(number: int) -> None:
        clock.now += 1
        done.append(number)

    for number in range(5):
        turns.do(lambda number=number: work(number))  # type: ignore[misc]
    seen = [list(done)]
    for _ in range(2):
        await asyncio.sleep(0)
        seen.append(list(done))

    assert seen == [[0, 1], [0, 1, 2, 3], [0, 1, 2, 3, 4]]


async def test_what_comes_later_waits_for_its_turn(turns: Turns, clock: Clock) -> None:
    done: list[str] = []

    def work(name: str) -> None:
        clock.now += 2
        done.append(name)

    turns.do(lambda: work("first"))
    turns.do(lambda: work("second"))
    await asyncio.sleep(0)
    turns.do(lambda: work("third"))

    assert done == ["first", "second"]
    await asyncio.sleep(0)
    assert done == ["first", "second", "third"]
