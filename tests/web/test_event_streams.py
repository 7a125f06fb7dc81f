"""EventStreams: from the end, from a position, from a time; nothing lost, nothing twice."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st
from playwright.async_api import async_playwright
from sseclient import SSEClient
from starlette.applications import Starlette

from revision_quality.errors import StoreError
from revision_quality.events import streams as names
from revision_quality.events.stream_config import stream_configs
from revision_quality.streams.base import Outgoing, Partition, Record
from revision_quality.streams.search import offset_before
from revision_quality.streams.sqlite import SqliteStreams
from revision_quality.web.event_streams import EventStreams
from revision_quality.web.stream_channel import SSE, Listener
from revision_quality.web.stream_frames import line_frames, sse_frames
from revision_quality.web.stream_positions import InvalidPositionError, event_id, parse_moment
from tests.fakes import FakeClock
from tests.servers.loopback import serving
from tests.web.conftest import ARGUMENTS, CHROMIUM, until

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
ALL = f"{names.PAGE_CHANGE},{names.PREDICTION}"


def event(number: int, stream: str = names.PREDICTION, **fields: Any) -> Outgoing:
    value = {"meta": {"stream": stream, "id": str(number)}, "number": number} | fields
    return Outgoing(stream, str(UUID(int=number)), "my_wiki:1", json.dumps(value).encode())


class FragileStreams(SqliteStreams):
    """The real streams, which a test can break."""

    broken = False

    async def read(self, stream: str, after: int, limit: int, partition: int = 0) -> list[Record]:
        if self.broken:
            raise StoreError("the disk is gone")
        return await super().read(stream, after, limit, partition)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOW)


@pytest_asyncio.fixture(loop_scope="session")
async def streams(tmp_path: Path, clock: FakeClock) -> AsyncIterator[FragileStreams]:
    async with FragileStreams(tmp_path / "streams.sqlite", clock) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def served(streams: FragileStreams) -> AsyncIterator[EventStreams]:
    served = EventStreams(streams, stream_configs(), max_clients=20, keep_alive=0.2, pause=0.01)
    yield served
    served.close()
    await until(lambda: not served.clients)


@pytest_asyncio.fixture(loop_scope="session")
async def address(served: EventStreams) -> AsyncIterator[str]:
    app = Starlette(routes=served.routes())
    async with serving(app, served.close) as address:
        yield address


class Client:
    """An open stream, read as it comes."""

    def __init__(self, response: httpx.Response) -> None:
        self._lines = response.aiter_lines()
        self.response = response
        self.ids: list[str] = []

    async def line(self) -> str:
        return await asyncio.wait_for(anext(self._lines), 30)

    async def next(self) -> Any:
        """The data of the next event."""
        while not (line := await self.line()).startswith("data: "):
            if line.startswith("id: "):
                self.ids.append(line.removeprefix("id: "))
        return json.loads(line.removeprefix("data: "))

    async def numbers(self, count: int) -> list[int]:
        return [(await self.next())["number"] for _ in range(count)]

    async def rest(self) -> list[str]:
        return [line async for line in self._lines]


@pytest_asyncio.fixture(loop_scope="session")
async def follow(address: str, served: EventStreams) -> AsyncIterator[Callable[..., Any]]:
    async with httpx.AsyncClient(timeout=30) as http:
        opened: list[Any] = []

        async def follow(
            streams: str = names.PREDICTION, since: str = "", **headers: str
        ) -> Client:
            query = {"since": since} if since else None
            headers = {name.replace("_", "-"): value for name, value in headers.items()}
            context = http.stream(
                "GET", f"{address}/v2/stream/{streams}", params=query, headers=headers
            )
            response = await context.__aenter__()
            opened.append(context)
            client = Client(response)
            if response.status_code == 200:
                assert await client.line() in (":ok", "")
                await until(
                    lambda: any(channel._listeners for channel in served._channels.values())
                )
            return client

        yield follow
        for context in opened:
            await context.__aexit__(None, None, None)


async def test_a_client_is_sent_what_is_new_with_its_place(streams, follow):
    await streams.append([event(1)])
    client = await follow()
    await streams.append([event(2), event(3, names.PAGE_CHANGE), event(4)])

    received = await client.next()
    assert received["number"] == 2
    assert received["meta"] == {
        "stream": names.PREDICTION,
        "id": "2",
        "topic": names.PREDICTION,
        "partition": 0,
        "offset": 2,
    }
    assert await client.numbers(1) == [4]
    assert json.loads(client.ids[-1]) == [
        {
            "topic": names.PREDICTION,
            "partition": 0,
            "offset": await streams.end(names.PREDICTION) + 1,
        }
    ]
    assert client.response.headers["content-type"].startswith("text/event-stream")
    assert client.response.headers["access-control-allow-origin"] == "*"


async def test_several_streams_come_as_one(streams, follow):
    client = await follow(ALL)
    await streams.append([event(1), event(2, names.PAGE_CHANGE), event(3, names.TAGS_CHANGE)])

    assert sorted(await client.numbers(2)) == [1, 2]
    assert [place["topic"] for place in json.loads(client.ids[-1])] == ALL.split(",")


async def test_a_client_goes_on_behind_its_last_event(streams, follow):
    await streams.append([event(number) for number in range(1, 4)])
    first = await follow(since="0")
    assert await first.numbers(2) == [1, 2]

    again = await follow(last_event_id=first.ids[-1])
    await streams.append([event(4)])

    assert await again.numbers(2) == [3, 4]


async def test_a_client_of_several_streams_goes_on_in_each(streams, follow):
    await streams.append([event(1), event(2, names.PAGE_CHANGE), event(3)])
    first = await follow(ALL, since="0")
    assert await first.numbers(1) == [2]

    again = await follow(ALL, last_event_id=first.ids[-1])
    await streams.append([event(4, names.PAGE_CHANGE)])

    assert await again.numbers(3) == [1, 3, 4]


async def test_a_place_that_is_the_end_is_the_end(streams, follow):
    await streams.append([event(1)])
    client = await follow(
        last_event_id=json.dumps([{"topic": names.PREDICTION, "partition": 0, "offset": -1}])
    )
    await streams.append([event(2)])

    assert await client.numbers(1) == [2]


@pytest.mark.parametrize("form", ["%Y-%m-%dT%H:%M:%SZ", "%a, %d %b %Y %H:%M:%S +0000", "ms"])
async def test_since_is_a_time(streams, clock, follow, form):
    for number in range(1, 8):
        await streams.append([event(number), event(100 + number, names.PAGE_CHANGE)])
        clock.time += timedelta(seconds=10)
    moment = NOW + timedelta(seconds=30)
    since = str(int(moment.timestamp() * 1000)) if form == "ms" else f"{moment:{form}}"

    client = await follow(since=since)
    assert await client.numbers(4) == [4, 5, 6, 7]

    place = {"topic": names.PREDICTION, "timestamp": int(moment.timestamp() * 1000)}
    assert await (await follow(last_event_id=json.dumps([place]))).numbers(1) == [4]


@pytest.mark.parametrize(
    "text",
    [
        "Mon Nov 23 2026 09:00:30 GMT+0100 (Central European Standard Time)",
        "Mon Nov 23 2026 09:00:30 GMT 0100 (CET)",
        "Mon Nov 23 2026 03:00:30 GMT-0500",
        "Mon, 23 Nov 2026 08:00:30 GMT",
        "2026-11-23T09:00:30+01:00",
    ],
)
def test_the_zone_of_a_time_counts(text):
    assert parse_moment(text) == 1_795_420_830_000


async def test_last_event_id_goes_before_since(streams, follow):
    await streams.append([event(1), event(2)])
    place = {"topic": names.PREDICTION, "partition": 0, "offset": 2}

    client = await follow(since="0", last_event_id=json.dumps([place]))

    assert await client.numbers(1) == [2]


def at_wikimedia(**place: int) -> str:
    """The id that Wikimedia's EventStreams gives: edits are made in one datacenter at a time."""
    topics = (f"eqiad.{names.PREDICTION}", f"codfw.{names.PREDICTION}")
    others = {"partition": 0, "offset": -1}
    return json.dumps([{"topic": topics[0], "partition": 3} | place, {"topic": topics[1]} | others])


async def test_a_client_of_wikimedias_goes_on_at_the_time_where_it_was(streams, clock, follow):
    for number in range(1, 5):
        await streams.append([event(number)])
        clock.time += timedelta(seconds=10)
    moment = int((NOW + timedelta(seconds=20)).timestamp() * 1000)

    client = await follow(since="0", last_event_id=at_wikimedia(timestamp=moment))
    assert await client.numbers(2) == [3, 4]
    client = await follow(last_event_id=at_wikimedia(timestamp=moment, offset=5_500_000_000))
    assert await client.numbers(2) == [3, 4]
    assert json.loads(client.ids[-1])[0]["topic"] == names.PREDICTION


async def test_an_offset_of_wikimedias_tells_nothing_here(streams, follow):
    await streams.append([event(1)])

    client = await follow(last_event_id=at_wikimedia(offset=1))
    again = await follow(since="0", last_event_id=at_wikimedia(offset=1))
    await streams.append([event(2)])
    assert await client.numbers(1) == [2]
    assert await again.numbers(2) == [1, 2]


async def test_who_is_far_behind_misses_nothing_that_comes_meanwhile(streams, follow):
    await streams.append([event(number) for number in range(1, 1001)])
    client = await follow(since="0")
    for number in range(1001, 1101):
        await streams.append([event(number)])

    assert await client.numbers(1100) == list(range(1, 1101))


async def test_lines_of_json_for_who_accepts_json(streams, follow):
    client = await follow(accept="application/json")
    await streams.append([event(1, text="two\nlines"), event(2)])

    received = []
    while len(received) < 2:
        if line := await client.line():
            received.append(json.loads(line))
    assert [item["number"] for item in received] == [1, 2]
    assert received[0]["text"] == "two\nlines"
    assert client.response.headers["content-type"].startswith("application/json")


async def test_canary_events_are_passed_as_they_are(streams, follow):
    client = await follow()
    canary = {"stream": names.PREDICTION, "id": "c", "domain": "canary"}
    await streams.append([event(1, meta=canary)])

    assert (await client.next())["meta"]["domain"] == "canary"


async def test_a_sign_of_life_comes_while_nothing_happens(follow):
    client = await follow()

    while (line := await client.line()) != ":keep-alive":
        assert line == ""


@pytest.mark.parametrize(
    ("streams_asked", "query", "last_event_id", "said"),
    [
        ("mediawiki.unknown", "", "", "'mediawiki.unknown' is not served here"),
        (f"{names.PREDICTION},", "", "", "'' is not served here"),
        (names.DEAD_LETTER, "", "", "is not served here"),
        ("mediawiki.revision-create", "", "", "is not served here"),
        (names.PREDICTION, "since=yesterday", "", "since is no time"),
        (names.PREDICTION, "since=9999-99-99", "", "since is no time"),
        (names.PREDICTION, "", "17", "no array of positions"),
        (names.PREDICTION, "", "[", "no array of positions"),
        (names.PREDICTION, "", "[]", "no array of positions"),
        (names.PREDICTION, "", '[{"partition":0}]', "no array of positions"),
        (names.PREDICTION, "", '[{"topic":"other"}]', "which is not asked for"),
        (names.PREDICTION, "", '[{"topic":"eqiad.other"}]', "which is not asked for"),
        (names.PREDICTION, "", f'[{{"topic":"{names.PREDICTION}","partition":1}}]', "partition"),
    ],
)
async def test_what_cannot_be_served_is_refused(
    address, *, streams_asked, query, last_event_id, said
):
    headers = {"last-event-id": last_event_id} if last_event_id else {}
    async with httpx.AsyncClient(timeout=60) as http:
        answer = await http.get(f"{address}/v2/stream/{streams_asked}?{query}", headers=headers)

    assert answer.status_code == 400
    assert said in answer.json()["detail"]
    assert answer.headers["access-control-allow-origin"] == "*"


async def test_head_and_options_are_answered_at_once(address):
    async with httpx.AsyncClient(timeout=30) as http:
        head = await http.head(f"{address}/v2/stream/{names.PREDICTION}")
        options = await http.options(f"{address}/v2/stream/{names.PREDICTION}")

    assert head.headers["content-type"].startswith("text/event-stream")
    assert "Last-Event-ID" in options.headers["access-control-allow-headers"]


async def test_there_is_a_limit_of_clients(served, follow):
    clients = [await follow() for _ in range(20)]
    refused = await follow()

    assert {client.response.status_code for client in clients} == {200}
    assert refused.response.status_code == 503
    assert refused.response.headers["retry-after"] == "30"


async def test_all_who_listen_at_the_end_share_one_reader(streams, follow, monkeypatch):
    reads = []
    read = streams.read

    async def counted(stream: str, after: int, limit: int, partition: int) -> list[Record]:
        found = await read(stream, after, limit, partition)
        reads.extend(record.offset for record in found)
        return found

    monkeypatch.setattr(streams, "read", counted)
    clients = [await follow() for _ in range(10)]
    await streams.append([event(1)])

    for client in clients:
        assert await client.numbers(1) == [1]
    assert reads == [1]


async def test_a_client_that_goes_is_forgotten(served, address):
    async with httpx.AsyncClient(timeout=60) as http:
        async with http.stream("GET", f"{address}/v2/stream/{names.PREDICTION}") as response:
            await anext(response.aiter_lines())
            assert served.clients == 1
        await until(lambda: served.clients == 0)


async def test_a_slow_client_is_dropped_and_the_others_go_on(streams, served, address, follow):
    host, port = address.removeprefix("http://").split(":")
    slow_reader, slow = await asyncio.open_connection(host, int(port), limit=1024)
    slow.write(f"GET /v2/stream/{names.PREDICTION} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    await slow_reader.readuntil(b":ok")
    slow.transport.pause_reading()
    quick = await follow()
    assert served.clients == 2

    text = "x" * 100_000
    for number in range(1, 161):
        await streams.append([event(number, text=text)])
        assert await quick.numbers(1) == [number]

    await until(lambda: served.clients == 1)
    slow.close()


async def test_while_the_streams_cannot_be_read_clients_wait(streams, follow, monkeypatch):
    monkeypatch.setattr("revision_quality.web.stream_channel._STORE_PAUSE", 0.01)
    client = await follow()
    streams.broken = True
    await streams.append([event(1)])
    await asyncio.sleep(0.05)
    refused = await follow(since="1")
    streams.broken = False

    assert await client.numbers(1) == [1]
    assert refused.response.status_code in (200, 503)


async def test_the_end_of_the_server_ends_the_streams(served, follow):
    client = await follow()
    served.close()

    await asyncio.wait_for(client.rest(), 30)
    assert (await follow()).response.status_code == 503


async def test_sseclient_of_pypi_follows_and_resumes(streams, address):
    await streams.append([event(number) for number in (1, 2, 3)])

    def read(**options: Any) -> tuple[list[int], str]:
        client = SSEClient(f"{address}/v2/stream/{names.PREDICTION}?since=0", **options)
        # It makes a message of every comment, too.
        messages = list(islice((message for message in client if message.data), 2))
        client.resp.close()
        return [json.loads(message.data)["number"] for message in messages], messages[-1].id

    numbers, last_id = await asyncio.to_thread(read)
    assert numbers == [1, 2]

    await streams.append([event(4)])
    assert (await asyncio.to_thread(read, last_id=last_id))[0] == [3, 4]


@pytest.mark.browser
async def test_the_event_source_of_a_browser_follows_and_resumes(streams, served):
    """The browser connects again by itself, after the server has ended, and loses nothing."""
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is missing: apt-get install --no-install-recommends chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = await browser.new_page()
        cut = EventStreams(streams, stream_configs(), pause=0.01)
        app = Starlette(routes=cut.routes())
        async with serving(app, cut.close) as address:
            await page.evaluate(
                """url => {
                    window.numbers = [];
                    window.source = new EventSource(url);
                    source.onmessage = message => numbers.push(JSON.parse(message.data).number);
                    return new Promise(resolve => { source.onopen = resolve; });
                }""",
                f"{address}/v2/stream/{names.PREDICTION}",
            )
            await streams.append([event(1)])
            await page.wait_for_function("numbers.length === 1")
            for channel in cut._channels.values():
                channel.close()
            await streams.append([event(2), event(3)])
            await page.wait_for_function("numbers.length === 3", timeout=30_000)
            assert await page.evaluate("numbers") == [1, 2, 3]
            await page.evaluate("source.close()")
        await browser.close()


class TestFrames:
    def test_an_event_on_several_lines_goes_out_on_one(self):
        record = Record("s", 7, 0, b'{"meta": {"id": "a"},\n "text":\r\n "b\\nc"}')

        (line,) = line_frames([record]).splitlines()
        assert json.loads(line)["text"] == "b\nc"
        assert sse_frames([record], [Partition("s")], {}).count(b"\n") == 4

    def test_what_is_no_event_is_left_out(self):
        bad = [Record("s", number, 0, value) for number, value in enumerate((b"{", b"[]", b"{}"))]
        good = Record("s", 9, 0, b'{"meta":{}}')

        assert line_frames([*bad, good]).count(b"\n") == 1
        assert sse_frames([*bad, good], [Partition("s")], {}).count(b"data:") == 1

    def test_the_id_has_a_place_for_every_partition(self):
        a, second_a, b = Partition("a"), Partition("a", 1), Partition("b")

        assert json.loads(event_id([a, second_a, b], {a: 4, b: 0})) == [
            {"topic": "a", "partition": 0, "offset": 5},
            {"topic": "a", "partition": 1, "offset": -1},
            {"topic": "b", "partition": 0, "offset": 1},
        ]


class TestPositions:
    @given(st.text(max_size=30))
    def test_any_text_is_a_time_or_refused(self, text):
        with suppress(InvalidPositionError):
            assert parse_moment(text) >= 0

    @pytest.mark.parametrize(
        ("text", "moment"),
        [
            ("1785578400000", 1_785_578_400_000),
            ("2026-08-01T10:00:00Z", 1_785_578_400_000),
            ("2026-08-01T12:00:00.5+02:00", 1_785_578_400_500),
            ("2026-08-01", 1_785_542_400_000),
            ("Sat, 01 Aug 2026 10:00:00 GMT", 1_785_578_400_000),
        ],
    )
    def test_times_are_read_as_browsers_read_them(self, text, moment):
        assert parse_moment(text) == moment

    async def test_a_place_is_found_by_time(self, streams, clock):
        assert await offset_before(streams, "s", 0) == 0
        for number in range(1, 50):
            await streams.append([event(number, "s"), event(number, "other")])
            clock.time += timedelta(milliseconds=number % 3)
        records = await streams.read("s", 0, 100)

        for moment in range(records[0].received - 1, records[-1].received + 2):
            after = await offset_before(streams, "s", moment)
            found = await streams.read("s", after, 100)
            assert found == [record for record in records if record.received >= moment]


class TestListener:
    async def test_it_is_dropped_when_it_is_too_far_behind(self):
        dropped = []
        listener = Listener(SSE, {}, 10, lambda: dropped.append(True))
        listener.offer(b"12345")
        listener.offer(b"12345")
        assert not dropped
        listener.offer(b"1")

        assert dropped == [True]
        assert [chunk async for chunk in listener] == []

    async def test_one_piece_of_any_size_has_room(self):
        listener = Listener(SSE, {}, 10, lambda: None)
        listener.offer(b"x" * 100)

        assert await anext(listener) == b"x" * 100

    async def test_a_sign_of_life_is_not_added_to_what_waits(self):
        listener = Listener(SSE, {}, 100, lambda: None)
        listener.offer(b"data")
        listener.keep_alive()

        assert await anext(listener) == b"data"
        listener.keep_alive()
        assert await anext(listener) == b":keep-alive\n\n"
