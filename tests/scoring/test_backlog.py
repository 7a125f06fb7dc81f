"""The newest edit goes first."""

import asyncio

from revision_quality.scoring.backlog import Backlog, Pending
from tests.events.examples import page_change


def pending(offset: int, second: int) -> Pending:
    return Pending(offset, page_change(rev_id=offset, second=second))


async def test_the_newest_go_first_up_to_a_number():
    backlog = Backlog()
    for offset, second in ((1, 10), (2, 30), (3, 20), (4, 0)):
        backlog.put(pending(offset, second))

    assert [item.offset for item in await backlog.take(3)] == [2, 3, 1]
    assert len(backlog) == 1


async def test_edits_of_one_moment_keep_their_order():
    backlog = Backlog()
    for offset in (3, 1, 2):
        backlog.put(pending(offset, 0))

    assert [item.offset for item in await backlog.take(9)] == [1, 2, 3]


async def test_who_finds_nothing_waits_and_each_edit_goes_to_one():
    backlog = Backlog()
    takers = [asyncio.create_task(backlog.take(1)) for _ in range(2)]
    await asyncio.sleep(0)
    assert not any(taker.done() for taker in takers)

    backlog.put(pending(1, 0))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert sum(taker.done() for taker in takers) == 1
    backlog.put(pending(2, 0))

    taken = await asyncio.wait_for(asyncio.gather(*takers), 1)
    assert sorted(item.offset for batch in taken for item in batch) == [1, 2]
