"""The newest edit goes first."""

import asyncio

from revision_quality.scoring.backlog import Backlog, Pending
from tests.events.examples import page_change


def pending(offset: int, second: int) -> Pending:
    return Pending(offset, page_change(rev_id=offset, second=second))


def test_the_newest_go_first_up_to_a_number():
    backlog = Backlog()
    for offset, second in ((1, 10), (2, 30), (3, 20), (4, 0)):
        backlog.put(pending(offset, second))

    assert [item.offset for item in backlog.take(3)] == [2, 3, 1]
    assert len(backlog) == 1
    assert [item.offset for item in backlog.take(3)] == [4]
    assert backlog.take(3) == []


def test_edits_of_one_moment_keep_their_order():
    backlog = Backlog()
    for offset in (3, 1, 2):
        backlog.put(pending(offset, 0))

    assert [item.offset for item in backlog.take(9)] == [1, 2, 3]


def test_what_is_dropped_is_the_oldest():
    backlog = Backlog()
    for offset, second in ((1, 10), (2, 30), (3, 20), (4, 0)):
        backlog.put(pending(offset, second))

    assert [item.offset for item in backlog.drop(2)] == [4, 1]
    assert [item.offset for item in backlog.take(9)] == [2, 3]
    assert backlog.drop(1) == []


async def test_who_finds_nothing_waits():
    backlog = Backlog()
    waiting = asyncio.create_task(backlog.filled())
    await asyncio.sleep(0)
    assert not waiting.done()

    backlog.put(pending(1, 0))
    await asyncio.wait_for(waiting, 30)
    await asyncio.wait_for(backlog.filled(), 30)
