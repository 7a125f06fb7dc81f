"""A bell wakes those who wait, and lets go of those who must stop waiting."""

import asyncio

import pytest

from revision_quality.bell import Bell


@pytest.fixture
def bell():
    return Bell()


async def _listening(bell, seconds=30.0):
    task = asyncio.create_task(bell.wait(bell.rings, seconds))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return task


async def test_a_ring_wakes_all_who_wait(bell):
    tasks = [await _listening(bell) for _ in range(3)]
    bell.ring()
    await asyncio.gather(*tasks)


async def test_a_ring_that_came_before_is_not_waited_for(bell):
    rings = bell.rings
    bell.ring()
    await bell.wait(rings, 30)


async def test_patience_ends(bell):
    await bell.wait(bell.rings, 0.01)


async def test_a_cancellation_that_comes_with_the_ring_is_not_lost(bell):
    task = await _listening(bell)
    bell.ring()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
