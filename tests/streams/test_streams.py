"""What every durable log does, whatever keeps it: the same stories on SQLite and on Kafka."""

import asyncio
from uuid import UUID

import pytest

from revision_quality.streams.base import (
    START,
    Claim,
    Consumed,
    Member,
    Outgoing,
    Record,
    Streams,
    Work,
    page_key,
)
from revision_quality.streams.search import offset_before
from tests.servers.logs import Open


def event(number: int, stream: str = "edits", page: int = 1) -> Outgoing:
    key = page_key("my_wiki", page)
    return Outgoing(stream, str(UUID(int=number + 1)), key, f"event {number}".encode())


@pytest.fixture
async def streams(opening: Open) -> Streams:
    return await opening()


async def all_records(streams: Streams, stream: str = "edits") -> list[Record]:
    records = []
    for partition in range(await streams.partitions(stream)):
        after = START
        while part := await streams.read(stream, after, 7, partition):
            records += part
            after = part[-1].offset
    return records


async def values(streams: Streams, stream: str = "edits") -> list[str]:
    return [record.value.decode() for record in await all_records(streams, stream)]


async def partition_of(streams: Streams, stream: str = "edits") -> int:
    [partition] = {record.partition for record in await all_records(streams, stream)}
    return partition


async def claimed(member: Member, number: int) -> dict[int, Claim]:
    async with asyncio.timeout(30):
        while len(member.claims) < number:
            await member.wait(member.changes(), 0.1)
    return {claim.partition.number: claim for claim in member.claims}


async def test_a_pages_events_are_read_in_the_order_they_were_appended_in(streams):
    await streams.append([event(number) for number in (3, 1, 2)])

    records = await all_records(streams)

    assert [record.value for record in records] == [b"event 3", b"event 1", b"event 2"]
    assert len({record.partition for record in records}) == 1
    assert START < records[0].offset < records[1].offset < records[2].offset


async def test_events_of_many_pages_are_all_there_each_pages_in_order(streams):
    await streams.append([event(number, page=number % 20) for number in range(200)])

    records = await all_records(streams)

    numbers = [int(record.value.split()[1]) for record in records]
    assert sorted(numbers) == list(range(200))
    for page in range(20):
        assert [n for n in numbers if n % 20 == page] == list(range(page, 200, 20))


async def test_reading_goes_on_behind_any_offset_as_often_as_is_wished(streams):
    await streams.append([event(number) for number in range(5)])
    partition = await partition_of(streams)
    offsets = [record.offset for record in await all_records(streams)]

    for _ in range(2):
        for number, after in enumerate([START, *offsets]):
            found = await streams.read("edits", after, 2, partition)
            assert [record.offset for record in found] == offsets[number : number + 2]


async def test_who_is_far_behind_goes_back_to_the_start(streams):
    await streams.append([event(number) for number in range(3000)])
    partition = await partition_of(streams)
    begun = await streams.read("edits", START, 10, partition)
    await asyncio.sleep(0.2)
    [tenth] = await streams.read("edits", begun[8].offset, 1, partition)

    records = await all_records(streams)

    assert tenth.value == b"event 9"
    assert [record.value for record in records] == [b"event %d" % n for n in range(3000)]


async def test_several_read_one_stream_at_their_own_pace(streams):
    await streams.append([event(number) for number in range(60)])
    partition = await partition_of(streams)

    async def read_all(limit: int) -> list[bytes]:
        found, after = [], START
        while part := await streams.read("edits", after, limit, partition):
            found += [record.value for record in part]
            after = part[-1].offset
        return found

    everybody = await asyncio.gather(*(read_all(limit) for limit in range(1, 9)))

    assert everybody == [[b"event %d" % number for number in range(60)]] * 8


async def test_streams_do_not_mix(streams):
    await streams.append([event(1, "edits"), event(1, "scores"), event(2, "edits")])

    assert await values(streams, "edits") == ["event 1", "event 2"]
    assert await values(streams, "scores") == ["event 1"]
    assert await values(streams, "nothing") == []


async def test_an_event_brought_again_is_appended_once(streams):
    assert await streams.append([event(1), event(2), event(1)]) == [event(1), event(2)]
    assert await streams.append([event(2), event(3)]) == [event(3)]

    assert await values(streams) == ["event 1", "event 2", "event 3"]


async def test_an_end_has_all_events_before_it(streams):
    assert await streams.end("edits") == START
    await streams.append([event(1), event(2)])
    partition = await partition_of(streams)

    end = await streams.end("edits", partition)

    assert end == (await all_records(streams))[-1].offset
    assert await streams.read("edits", end, 10, partition) == []


async def test_a_group_goes_on_where_it_was(opening):
    first = await opening()
    await first.append([event(number) for number in range(3)])
    partition = await partition_of(first)
    assert await first.position("sink", "edits", partition) == START
    await first.append([], [Consumed("sink", "edits", 2, partition)])
    await first.append([], [Consumed("other", "edits", 1, partition)])

    second = await opening()

    assert await second.position("sink", "edits", partition) == 2
    assert await second.position("other", "edits", partition) == 1
    assert await second.position("sink", "scores", 0) == START


async def test_what_another_process_appends_is_seen(opening):
    reader, writer = await opening(), await opening()
    assert await values(reader) == []

    await writer.append([event(1)])

    async with asyncio.timeout(30):
        while await values(reader) != ["event 1"]:
            await reader.wait(reader.appended(), 1)


async def test_who_waits_wakes_when_something_is_appended(streams):
    appended = streams.appended()
    await streams.append([event(1)])

    assert streams.appended() > appended
    await asyncio.wait_for(streams.wait(appended, 60), 30)


async def test_a_moment_is_found(streams):
    await streams.append([event(1), event(2)])
    await asyncio.sleep(0.05)
    await streams.append([event(3)])
    partition = await partition_of(streams)
    first, second, third = await all_records(streams)

    async def before(moment: int) -> int:
        return await offset_before(streams, "edits", moment, partition)

    assert await before(0) == START
    assert await before(first.received) < first.offset
    assert await before(third.received) == second.offset
    assert await before(third.received + 1) == third.offset


async def test_a_member_has_every_partition_where_it_is_alone(streams):
    member = await streams.join("scoring", ["edits", "retries"], ["scores"])
    number = await streams.partitions("edits") + await streams.partitions("retries")

    async with asyncio.timeout(30):
        while len(member.claims) < number:
            await member.wait(member.changes(), 0.1)

    assert {claim.partition.stream for claim in member.claims} == {"edits", "retries"}
    assert {claim.position for claim in member.claims} == {START}


async def test_outcomes_and_position_are_there_together_and_known(opening):
    streams = await opening()
    await streams.append([event(1), event(2)])
    [first, _] = await all_records(streams)
    member = await streams.join("scoring", ["edits"], ["scores"])
    claims = await claimed(member, await streams.partitions("edits"))
    claim = claims[first.partition]

    assert await member.known("scores", [event(1).id]) == set()
    assert await member.publish(Work(claim, (event(1, "scores"),), first.offset))
    assert await member.known("scores", [event(1).id, event(2).id]) == {event(1).id}
    await member.close()

    successor = await (await opening()).join("scoring", ["edits"], ["scores"])
    claims = await claimed(successor, await streams.partitions("edits"))
    assert claims[first.partition].position == first.offset
    assert await successor.known("scores", [event(1).id, event(2).id]) == {event(1).id}
    assert await values(streams, "scores") == ["event 1"]
    await successor.close()


async def test_an_outcome_published_again_is_there_once(opening):
    streams = await opening()
    await streams.append([event(1)])
    [record] = await all_records(streams)
    outcome = event(1, "scores")
    for _ in range(2):
        member = await streams.join("scoring", ["edits"], ["scores"])
        claim = (await claimed(member, await streams.partitions("edits")))[record.partition]
        for _ in range(2):
            assert await member.publish(Work(claim, (outcome, outcome), record.offset))
        await member.close()

    assert await values(streams, "scores") == ["event 1"]


def test_the_key_of_a_page_is_written_as_eventgate_writes_it():
    assert page_key("my_wiki", 5) == '{"wiki_id":"my_wiki","page_id":5}'
