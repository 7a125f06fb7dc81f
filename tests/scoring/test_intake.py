"""What is read is kept, up to so much; the rest stays in the stream and is read again."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest

from revision_quality.errors import InvalidEventError
from revision_quality.events import streams as names
from revision_quality.events.page_change import PageChange
from revision_quality.scoring.feed import Feed
from revision_quality.scoring.intake import Intake
from revision_quality.scoring.tally import ScoringTally
from revision_quality.sources.base import outgoing
from revision_quality.streams.base import Outgoing, Record
from revision_quality.streams.sqlite import SqliteStreams
from tests.events.examples import at, page_change
from tests.fakes import FakeClock


class Reading:
    """An intake of streams on disk, what it buried and which wikis are down."""

    def __init__(self, streams: SqliteStreams, feed: Feed, size: int, clock: FakeClock) -> None:
        self.streams = streams
        self.buried: list[int] = []
        self.down: set[str] = set()
        self.tally = ScoringTally(clock=clock)
        self.intake = Intake(
            feed,
            unwanted=lambda change: "a bot" if change.wiki_id == "of_bots" else None,
            bury=self._bury,
            is_answering=lambda wiki_id: wiki_id not in self.down,
            size=size,
            clock=clock,
            tally=self.tally,
        )

    async def _bury(self, record: Record, error: InvalidEventError) -> None:
        self.buried.append(record.offset)

    async def bring(self, *changes: PageChange) -> None:
        await self.streams.append([outgoing(change) for change in changes])

    def waiting(self) -> dict[str, int]:
        return {wiki_id: len(backlog) for wiki_id, backlog in self.intake.backlogs.items()}

    def take(self, wiki_id: str, most: int) -> list[int]:
        """Deal with the newest edits of a wiki; return their revisions."""
        taken = self.intake.backlogs[wiki_id].take(most)
        self.intake.finish({pending.offset for pending in taken})
        return [pending.change.revision.rev_id for pending in taken]


@pytest.fixture
async def reading(tmp_path: Path) -> AsyncIterator[Reading]:
    clock = FakeClock(at(9999))
    async with SqliteStreams(tmp_path / "streams.sqlite") as streams:
        member = await streams.join("scoring", [names.PAGE_CHANGE])
        yield Reading(streams, Feed(streams, member, member.claims[0], clock), 10, clock)


def edits(first: int, last: int, wiki_id: str = "my_wiki") -> list[PageChange]:
    return [
        page_change(rev_id=rev_id, wiki_id=wiki_id, second=rev_id)
        for rev_id in range(first, last + 1)
    ]


async def test_edits_wait_by_wiki_and_what_nobody_wants_is_counted(reading):
    await reading.bring(*edits(101, 103), *edits(201, 202, "other"), *edits(301, 301, "of_bots"))

    assert await reading.intake.read()

    assert reading.waiting() == {"my_wiki": 3, "other": 2}
    assert (reading.intake.pending, reading.tally.skipped["a bot",]) == (5, 1)
    assert not await reading.intake.read()


async def test_what_cannot_be_read_is_buried_and_holds_the_position_until_it_is_finished(reading):
    await reading.streams.append([Outgoing(names.PAGE_CHANGE, str(UUID(int=1)), "", b"{")])
    await reading.bring(*edits(101, 101))
    await reading.intake.read()

    [offset] = reading.buried
    assert reading.intake.position_after({offset + 1}) == offset - 1
    assert reading.intake.position_after({offset}) == offset


async def test_too_much_leaves_the_oldest_in_the_stream_until_there_is_room(reading):
    await reading.bring(*edits(101, 130))
    await reading.intake.read()
    assert reading.intake.pending == 10
    assert reading.intake.left_aside == ("my_wiki",)
    assert reading.intake.position_after(()) < 1

    found = []
    while taken := reading.take("my_wiki", 10):
        found += taken
        await reading.intake.read()

    assert found[:10] == list(range(130, 120, -1))
    assert sorted(found) == list(range(101, 131))
    assert not reading.intake.left_aside


async def test_a_wiki_that_is_down_gets_nothing_again_and_the_others_do(reading):
    reading.down.add("dead")
    await reading.bring(*edits(101, 130, "dead"))
    await reading.intake.read()
    await reading.bring(*edits(201, 203))
    await reading.intake.read()
    assert reading.take("my_wiki", 3) == [203, 202, 201]
    before = reading.waiting()["dead"]

    assert not await reading.intake.read()
    assert reading.waiting()["dead"] == before < 10
    reading.down.clear()
    dealt = 0
    while taken := reading.take("dead", 5):
        dealt += len(taken)
        await reading.intake.read()

    assert dealt == 30
