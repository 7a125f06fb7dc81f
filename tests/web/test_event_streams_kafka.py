"""EventStreams over Kafka: a client's place is one in every partition."""

import json
from collections.abc import AsyncIterator
from uuid import UUID

import httpx
import pytest
import pytest_asyncio
from starlette.applications import Starlette

from revision_quality.events import streams as names
from revision_quality.events.stream_config import stream_configs
from revision_quality.streams.base import Outgoing, page_key
from revision_quality.streams.kafka.streams import KafkaStreams
from revision_quality.streams.search import offset_before
from revision_quality.web.event_streams import EventStreams
from tests.servers.kafka import Broker
from tests.servers.loopback import serving

pytestmark = [
    pytest.mark.kafka,
    pytest.mark.timeout(200),
    pytest.mark.asyncio(loop_scope="session"),
]

PARTITIONS = 3


def event(number: int) -> Outgoing:
    value = {"meta": {"stream": names.PREDICTION, "id": str(number)}, "number": number}
    key = page_key("my_wiki", number % 20)
    return Outgoing(names.PREDICTION, str(UUID(int=number)), key, json.dumps(value).encode())


@pytest_asyncio.fixture(loop_scope="session")
async def streams(broker: Broker) -> AsyncIterator[KafkaStreams]:
    async with KafkaStreams(broker.place(partitions=PARTITIONS)) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def address(streams: KafkaStreams) -> AsyncIterator[str]:
    served = EventStreams(streams, stream_configs(), keep_alive=0.2)
    async with serving(Starlette(routes=served.routes()), served.close) as address:
        yield address


async def received(address: str, number: int, **asked: str) -> tuple[list[dict], str]:
    """Follow until `number` events are there; return them and the id of the last one."""
    headers = {"Last-Event-ID": asked.pop("last")} if "last" in asked else {}
    url = f"{address}/v2/stream/{names.PREDICTION}"
    events, last = [], ""
    async with (
        httpx.AsyncClient(timeout=60) as http,
        http.stream("GET", url, params=asked, headers=headers) as response,
    ):
        async for line in response.aiter_lines():
            last = line.removeprefix("id: ") if line.startswith("id: ") else last
            if line.startswith("data: "):
                events.append(json.loads(line.removeprefix("data: ")))
            if len(events) == number:
                break
    return events, last


def numbers(events: list[dict]) -> list[int]:
    return sorted(event["number"] for event in events)


async def test_all_partitions_are_sent_each_pages_events_in_order(streams, address):
    await streams.append([event(number) for number in range(200)])

    events, last = await received(address, 200, since="0")

    assert numbers(events) == list(range(200))
    assert {event["meta"]["partition"] for event in events} == set(range(PARTITIONS))
    for page in range(20):
        ours = [event["number"] for event in events if event["number"] % 20 == page]
        assert ours == list(range(page, 200, 20))
    places = [(place["partition"], place["offset"] > 0) for place in json.loads(last)]
    assert places == [(number, True) for number in range(PARTITIONS)]


async def test_a_client_goes_on_in_each_partition(streams, address):
    await streams.append([event(number) for number in range(100)])
    first, last = await received(address, 60, since="0")
    await streams.append([event(number) for number in range(100, 120)])

    rest, _ = await received(address, 60, last=last)

    assert numbers(first + rest) == list(range(120))


async def test_since_is_a_time_in_every_partition(streams, address):
    await streams.append([event(number) for number in range(40)])
    ends = [await streams.end(names.PREDICTION, number) for number in range(PARTITIONS)]
    records = [
        record
        for number in range(PARTITIONS)
        for record in await streams.read(names.PREDICTION, 0, 100, number)
    ]
    later = max(record.received for record in records) + 1
    assert [await offset_before(streams, names.PREDICTION, later, n) for n in range(3)] == ends
    await streams.append([event(number) for number in range(40, 60)])

    events, _ = await received(address, 20, since=str(later))

    assert numbers(events) == list(range(40, 60))


async def test_a_partition_that_is_not_there_is_refused_in_words(address):
    last = json.dumps([{"topic": names.PREDICTION, "partition": 7, "offset": 1}])
    async with httpx.AsyncClient(timeout=60) as http:
        answer = await http.get(
            f"{address}/v2/stream/{names.PREDICTION}", headers={"Last-Event-ID": last}
        )

    assert answer.status_code == 400
    assert "partition 7" in answer.text
    assert "has 3 partitions" in answer.text
