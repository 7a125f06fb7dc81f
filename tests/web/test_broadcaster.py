import asyncio
from collections.abc import Sequence

from revision_quality.views.change import Change
from revision_quality.web.broadcaster import MAX_BACKLOG, Broadcaster, Subscription
from tests.recent_changes.examples import change
from tests.web.conftest import WritableView, until


class CountingView:
    """Hands on to a view and counts the reads."""

    def __init__(self, view: WritableView) -> None:
        self._view = view
        self.reads = 0
        self.last_seq = view.last_seq
        self.wait = view.wait
        self.rows = view.rows
        self.counts = view.counts

    async def since(self, seq: int, limit: int) -> Sequence[Change]:
        self.reads += 1
        return await self._view.since(seq, limit)


async def test_one_read_serves_all(view: WritableView) -> None:
    counted = CountingView(view)
    broadcaster = Broadcaster(counted)
    async with broadcaster.subscribe() as one, broadcaster.subscribe() as other:
        await view.write(change(1), change(2))
        batches = [await one.next(5), await other.next(5)]
    assert [[row.rev_id for row in batch or ()] for batch in batches] == [[1, 2], [1, 2]]
    assert counted.reads == 1


async def test_who_comes_later_gets_what_is_written_later(view: WritableView) -> None:
    broadcaster = Broadcaster(view)
    async with broadcaster.subscribe() as early:
        await view.write(change(1))
        await early.next(5)
        async with broadcaster.subscribe() as late:
            assert late.seq == 1
            await view.write(change(2))
            batch = await late.next(5)
    assert [row.rev_id for row in batch or ()] == [2]


async def test_it_reads_again_after_a_time_without_listeners(view: WritableView) -> None:
    broadcaster = Broadcaster(view)
    for rev_id in (1, 2):
        async with broadcaster.subscribe() as listener:
            await view.write(change(rev_id))
            assert [row.rev_id for row in await listener.next(5) or ()] == [rev_id]


async def test_what_is_too_much_is_left_out_and_said_so(view: WritableView) -> None:
    broadcaster = Broadcaster(view)
    async with broadcaster.subscribe() as listener:
        await view.write(*(change(n) for n in range(MAX_BACKLOG + 1)))
        assert await listener.next(5) == ()


async def test_a_subscription_holds_so_many_batches() -> None:
    subscription = Subscription(0, capacity=2)
    for _ in range(2):
        subscription.offer([change()])
    assert not subscription.over.is_set()
    subscription.offer([change()])
    assert subscription.over.is_set()
    assert await subscription.next(1) is None


async def test_waiting_ends_with_the_subscription() -> None:
    subscription = Subscription(0, capacity=2)
    waiting = asyncio.create_task(subscription.next(30))
    await asyncio.sleep(0)
    subscription.end()
    assert await waiting is None
    assert await subscription.next(0.01) is None


async def test_closing_ends_all_subscriptions(view: WritableView) -> None:
    broadcaster = Broadcaster(view)
    async with broadcaster.subscribe() as listener:
        broadcaster.close()
        assert listener.over.is_set()
        assert broadcaster.is_full
    async with broadcaster.subscribe() as late:
        assert late.over.is_set()


async def test_a_view_that_breaks_down_ends_all_subscriptions(view: WritableView) -> None:
    broadcaster = Broadcaster(view)
    async with broadcaster.subscribe() as listener:
        await view.break_down()
        await until(listener.over.is_set)
