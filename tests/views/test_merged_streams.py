"""Events that a view has not got yet: nothing lost or doubled, those of one time together."""

from collections import defaultdict
from typing import cast

from hypothesis import given
from hypothesis import strategies as st

from revision_quality.streams.base import Record, Streams
from revision_quality.views.merged_streams import MergedStreams, Place


class Log:
    """Partitions in memory, each with events of the given times at the offsets 1, 2, 3, …"""

    def __init__(self, times: dict[Place, list[int]]) -> None:
        self.records = {
            place: [
                Record(place[0], offset, received, b"", place[1])
                for offset, received in enumerate(received_at, start=1)
            ]
            for place, received_at in times.items()
        }

    async def read(self, stream: str, after: int, limit: int, partition: int) -> list[Record]:
        return self.records[stream, partition][after : after + limit]


def merged(log: Log) -> MergedStreams:
    return MergedStreams(cast(Streams, log))


async def read_all(log: Log, number: int) -> list[list[Record]]:
    streams, batches = merged(log), []
    positions = dict.fromkeys(log.records, 0)
    while batch := await streams.next(positions, number):
        batches.append(batch)
        positions |= {(record.stream, record.partition): record.offset for record in batch}
    return batches


async def test_two_events_of_one_edit_come_together_though_both_streams_are_long():
    edits = 1000
    log = Log({("edit", 0): list(range(edits)), ("score", 0): [n + 3 for n in range(edits)]})

    batches = await read_all(log, 100)
    assert sum(map(len, batches)) == 2 * edits
    assert max(map(len, batches)) <= 200
    parted = 0
    for batch in batches:
        seen = defaultdict(set)
        for record in batch:
            seen[record.stream].add(record.offset)
        parted += len(seen["edit"] ^ seen["score"])
    assert parted <= 2 * 3 * len(batches)


async def test_a_stream_that_begins_later_waits_for_its_time():
    log = Log({("edit", 0): list(range(500)), ("score", 0): list(range(400, 500))})

    batches = await read_all(log, 50)
    first = next(n for n, batch in enumerate(batches) if any(r.stream == "score" for r in batch))
    assert first >= 400 / 100
    assert sum(map(len, batches)) == 600


async def test_what_is_not_far_behind_does_not_wait():
    log = Log({("edit", 0): list(range(500)), ("hiding", 0): [999]})

    first, *_ = await read_all(log, 50)
    assert "hiding" in {record.stream for record in first}


async def test_what_was_not_applied_is_read_again():
    log = Log({("a", 0): list(range(100)), ("b", 0): list(range(50, 150))})
    streams = merged(log)
    positions = dict.fromkeys(log.records, 0)

    first = await streams.next(positions, 20)
    streams.forget()
    assert await streams.next(positions, 20) == first


@given(
    times=st.dictionaries(
        st.tuples(st.sampled_from("abc"), st.integers(0, 1)),
        st.lists(st.integers(0, 20), max_size=30),
        min_size=1,
    ),
    number=st.integers(1, 20),
)
async def test_each_event_comes_once_in_the_order_of_its_partition(times, number):
    log = Log(times)

    batches = await read_all(log, number)
    assert all(len(batch) < 2 * number + len(times) for batch in batches)
    came = defaultdict(list)
    for record in (record for batch in batches for record in batch):
        came[record.stream, record.partition].append(record)
    assert came == {place: records for place, records in log.records.items() if records}
