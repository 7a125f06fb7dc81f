"""What is ready while a transaction runs goes into the next one, and scoring goes on meanwhile."""

import asyncio

from revision_quality.scoring.outbox import Outbox, Ready
from revision_quality.streams.base import Outgoing


def ready(*offsets: int) -> Ready:
    outgoing = tuple(Outgoing("scores", f"id {offset}", "", b"") for offset in offsets)
    return Ready(outgoing, (), frozenset(offsets))


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_what_was_put_in_is_taken_together_and_in_order():
    outbox = Outbox()
    for offset in (3, 1, 2):
        await outbox.put(ready(offset))

    taken = await outbox.take()

    assert [event.id for event in taken.outgoing] == ["id 3", "id 1", "id 2"]
    assert taken.offsets == {1, 2, 3}


async def test_who_takes_waits_until_there_is_something():
    outbox = Outbox()
    taking = asyncio.create_task(outbox.take())
    await settle()
    assert not taking.done()

    await outbox.put(ready(7))

    assert (await taking).offsets == {7}


async def test_what_is_here_or_being_published_is_known_until_more_is_asked_for():
    outbox = Outbox()
    await outbox.put(ready(1))
    await outbox.take()
    await outbox.put(ready(2))
    assert outbox.known(["id 1", "id 2", "id 3"]) == {"id 1", "id 2"}

    await outbox.take()

    assert outbox.known(["id 1", "id 2", "id 3"]) == {"id 2"}


async def test_a_full_outbox_holds_up_who_puts_more_in_until_that_is_published():
    outbox = Outbox(room=2)
    await outbox.put(ready(1, 2))
    putting = asyncio.create_task(outbox.put(ready(3)))
    await settle()
    await outbox.take()
    await settle()
    assert not putting.done()

    taking = asyncio.create_task(outbox.take())
    await putting

    await outbox.put(ready(4))
    assert (await taking).offsets == {4}


async def test_edits_without_an_event_are_finished_with_the_others():
    outbox = Outbox()
    await outbox.put(ready(1))
    await outbox.put(Ready((), (), frozenset({4})))

    assert (await outbox.take()).offsets == {1, 4}
