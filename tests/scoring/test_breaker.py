"""Who does not answer is asked by one at a time, ever less."""

import asyncio

import pytest

from revision_quality.errors import WikiUnavailableError
from revision_quality.scoring.breaker import Breaker
from tests.fakes import FakeClock

DOWN = WikiUnavailableError("down")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


async def test_while_it_answers_all_may_ask_at_once(clock):
    breaker = Breaker(clock)
    async with breaker.turn(), breaker.turn():
        breaker.answered()
    assert (breaker.is_open, breaker.failure, clock.slept) == (False, "", [])


async def test_pauses_double_up_to_a_minute_and_begin_anew(clock):
    breaker = Breaker(clock)
    breaker.failed(DOWN)
    for _ in range(8):
        async with breaker.turn():
            breaker.failed(DOWN)
    assert clock.slept == [1, 2, 4, 8, 16, 32, 60, 60]
    assert breaker.failure == "down (failed 9 times, asked every 60 s)"

    breaker.answered()
    breaker.failed(DOWN)
    async with breaker.turn():
        assert clock.slept[-1] == 1
    assert breaker.failure == "down (failed once, asked every 1 s)"


async def test_a_longer_pause_that_the_wiki_asks_for_is_kept(clock):
    breaker = Breaker(clock)
    breaker.failed(WikiUnavailableError("busy", retry_after=77))
    async with breaker.turn():
        pass
    assert clock.slept == [77]


async def test_one_probe_at_a_time_and_its_answer_lets_the_others_through(clock):
    breaker, asking, most, gate = Breaker(clock), 0, 0, asyncio.Event()
    breaker.failed(DOWN)

    async def ask() -> None:
        nonlocal asking, most
        async with breaker.turn():
            asking += 1
            most = max(most, asking)
            await gate.wait()
            asking -= 1
            breaker.answered()

    tasks = [asyncio.create_task(ask()) for _ in range(3)]
    for _ in range(5):
        await asyncio.sleep(0)
    assert asking == 1
    gate.set()
    await asyncio.wait_for(asyncio.gather(*tasks), 30)
    assert (most, clock.slept) == (1, [1])
