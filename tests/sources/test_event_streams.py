"""Following an EventStreams service: Wikimedia's habits, by script, and our own server."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from starlette.applications import Starlette

from revision_quality.errors import StoreError
from revision_quality.events import streams as names
from revision_quality.events.page_change import PageChange
from revision_quality.events.revision_change import TagsChange
from revision_quality.events.stream_config import stream_configs
from revision_quality.sources.base import SourceEvent
from revision_quality.sources.event_streams import EventStreamsSource, EventStreamsState
from revision_quality.streams.base import Outgoing
from revision_quality.streams.sqlite import SqliteStreams
from revision_quality.web.event_streams import EventStreams
from tests.events.examples import START, raw_change
from tests.events.test_validation import RECORDINGS
from tests.fakes import FakeClock, MemoryStore
from tests.servers.loopback import serving

URL = f"https://stream.example/v2/stream/{names.PAGE_CHANGE}"
SSE = {"content-type": "text/event-stream; charset=utf-8"}


def frame(event: Any, last_id: str) -> bytes:
    data = event if isinstance(event, str) else json.dumps(event, ensure_ascii=False)
    return f"event: message\nid: {last_id}\ndata: {data}\n\n".encode()


def stream(*chunks: bytes, then: Exception | None = None) -> httpx.Response:
    """A connection on which these bytes come, and that then ends, or breaks."""

    async def body() -> AsyncIterator[bytes]:
        yield b":ok\n\n"
        for chunk in chunks:
            yield chunk
        if then:
            raise then

    return httpx.Response(200, headers=SSE, content=body())


class Service:
    """Gives one response a connection; the last one never ends."""

    def __init__(self, *responses: httpx.Response | Exception) -> None:
        self._responses = list(responses)
        self.requests: list[httpx.Request] = []
        self.is_done = asyncio.Event()

    async def answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if not self._responses:
            self.is_done.set()
            await asyncio.Event().wait()
        response = self._responses.pop(0)
        if isinstance(response, Exception):
            raise response
        return response

    @property
    def resumed_at(self) -> list[str | None]:
        return [request.headers.get("last-event-id") for request in self.requests]


class Follower:
    """The source with its surroundings."""

    def __init__(self, *responses: httpx.Response | Exception, **options: Any) -> None:
        self.service = Service(*responses)
        self.clock = FakeClock()
        self.store: MemoryStore[EventStreamsState] = MemoryStore()
        self.emitted: list[SourceEvent] = []
        self.woken: list[str] = []
        self.source = EventStreamsSource(
            httpx.AsyncClient(transport=httpx.MockTransport(self.service.answer)),
            URL,
            self.store,
            wiki_ids=["my_wiki"],
            wake={"enwiki": lambda: self.woken.append("enwiki")},
            clock=self.clock,
            **options,
        )

    async def emit(self, events: Sequence[SourceEvent]) -> None:
        self.emitted += events

    async def run(self) -> "Follower":
        """Run until the service has nothing more."""
        task = asyncio.create_task(self.source.run(self.emit))
        await asyncio.wait_for(self.service.is_done.wait(), 30)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return self

    @property
    def rev_ids(self) -> list[int]:
        return [
            event.revision.rev_id if isinstance(event, PageChange) else event.rev_id
            for event in self.emitted
        ]


async def test_edits_come_in_and_the_position_is_kept_behind_them():
    follower = await Follower(
        stream(frame(raw_change(), "a"), frame(raw_change(rev_id=11), "b"))
    ).run()

    assert follower.rev_ids == [10, 11]
    assert follower.emitted[0].meta.id == raw_change()["meta"]["id"]
    assert follower.store.state == EventStreamsState(last_event_id="b")


async def test_edits_of_a_wiki_that_has_not_said_its_id_yet_come_in():
    change = raw_change(wiki_id="late_wiki")
    change["meta"]["domain"] = "late.example"
    follower = await Follower(
        stream(frame(change, "a"), frame(raw_change(rev_id=11, wiki_id="foreign"), "b")),
        is_awaited=lambda domain: domain == "late.example",
    ).run()

    assert follower.rev_ids == [10]


async def test_a_cut_is_normal_and_the_next_connection_resumes():
    follower = await Follower(
        stream(frame(raw_change(), "a"), b'event: message\nid: b\ndata: {"meta"'),
        stream(frame(raw_change(rev_id=11), "b"), then=httpx.ReadError("reset")),
        stream(frame(raw_change(rev_id=12), "c")),
    ).run()

    assert follower.rev_ids == [10, 11, 12]
    assert follower.service.resumed_at == [None, "a", "b", "c"]
    assert follower.source.failure is None


async def test_a_restart_resumes_at_what_was_kept():
    follower = Follower(stream())
    follower.store.save(EventStreamsState(last_event_id="kept"))
    again = EventStreamsSource(
        httpx.AsyncClient(transport=httpx.MockTransport(follower.service.answer)),
        URL,
        follower.store,
        wiki_ids=[],
        clock=follower.clock,
    )
    follower.source = again
    await follower.run()

    assert follower.service.resumed_at == ["kept", "kept"]


async def test_who_is_cut_before_the_first_event_resumes_at_the_time_of_the_beginning():
    follower = await Follower(stream(), stream(frame(raw_change(), "a"))).run()

    since = str(int(START.timestamp() * 1000))
    asked = [request.url.params.get("since") for request in follower.service.requests]
    assert asked == [since, since, None]
    assert follower.service.resumed_at == [None, None, "a"]


async def test_429_is_waited_out_as_long_as_it_says():
    follower = await Follower(
        httpx.Response(429, headers={"retry-after": "90"}),
        httpx.Response(429, headers={"retry-after": "Mon, 23 Nov 2026 08:11:30 GMT"}),
        stream(frame(raw_change(), "a")),
    ).run()

    assert follower.clock.slept[:2] == [90, 600]
    assert follower.rev_ids == [10]


async def test_pauses_grow_up_to_a_minute_and_the_reason_is_known():
    failures: list[str | None] = []
    follower = Follower(*[httpx.Response(500, text="broken")] * 8)
    answer = follower.service.answer

    async def noting(request: httpx.Request) -> httpx.Response:
        failures.append(follower.source.failure)
        return await answer(request)

    follower.source._client = httpx.AsyncClient(transport=httpx.MockTransport(noting))
    await follower.run()

    assert follower.clock.slept == [1, 2, 4, 8, 16, 32, 60, 60]
    assert failures[0] is None
    assert "answers 500: broken" in str(failures[-1])


@pytest.mark.parametrize(
    "response",
    [
        httpx.ConnectError("refused"),
        httpx.ReadTimeout("nothing came"),
        httpx.Response(400, text="no such position"),
        httpx.Response(302, headers={"location": "/elsewhere"}),
        httpx.Response(200, headers={"content-type": "text/html"}, text="<html>"),
    ],
    ids=repr,
)
async def test_any_other_answer_is_tried_again(response):
    follower = await Follower(response, stream(frame(raw_change(), "a"))).run()

    assert follower.rev_ids == [10]


CANARY = raw_change()
CANARY["meta"]["domain"] = "canary"
WITHOUT_ID = raw_change()
del WITHOUT_ID["meta"]["id"]


@pytest.mark.parametrize(
    "event",
    [
        pytest.param(CANARY, id="canary"),
        pytest.param(raw_change(wiki_id="other_wiki"), id="another wiki"),
        pytest.param(raw_change() | {"meta": {"stream": "mediawiki.page-move"}}, id="another kind"),
        pytest.param(WITHOUT_ID, id="no id"),
        pytest.param("{", id="no JSON"),
        pytest.param("[]", id="no object"),
        pytest.param({"meta": {"stream": names.PAGE_CHANGE, "id": "a"}}, id="no fields"),
    ],
)
async def test_what_is_of_no_use_is_left_out_and_the_rest_goes_on(event):
    error = b'event: error\nid: [{"topic":"x"}]\ndata: {"message":"broker down"}\n\n'
    follower = await Follower(
        stream(frame(event, "a"), error, frame(raw_change(rev_id=11), "b"))
    ).run()

    assert follower.rev_ids == [11]
    assert follower.store.state == EventStreamsState(last_event_id="b")


async def test_a_redacted_performer_is_just_not_there():
    event = raw_change()
    del event["performer"], event["revision"]["editor"]
    (change,) = (await Follower(stream(frame(event, "a"))).run()).emitted

    assert isinstance(change, PageChange)
    assert change.performer is None


async def test_separators_that_are_no_line_breaks_break_no_line():
    """Python's splitlines would break a line at each of them."""
    event = raw_change()
    event["page"]["page_title"] = "A\u2028B\u2029C\x85D\x0bE"
    (change,) = (await Follower(stream(frame(event, "a"))).run()).emitted

    assert isinstance(change, PageChange)
    assert change.page.page_title == event["page"]["page_title"]


async def test_an_id_that_is_no_uuid_gets_one_that_stays():
    event = raw_change()
    event["meta"]["id"] = "page-change-17"
    first, again = (await Follower(stream(frame(event, "a"), frame(event, "b"))).run()).emitted

    assert UUID(first.meta.id)
    assert first.meta.id == again.meta.id


async def test_changes_of_tags_come_as_mediawiki_sends_them():
    """Without dt; the performer is who changed the tags."""
    requests = json.loads((RECORDINGS / "eventbus_requests.json").read_text("utf-8"))
    events = [event for request in requests for event in request["body"] if "tags" in event]
    (event,) = [event for event in events if event["meta"]["stream"] == names.TAGS_CHANGE]
    event |= {"database": "my_wiki", "performer": {"user_text": "Admin"}}
    (change,) = (await Follower(stream(frame(event, "a"))).run()).emitted

    assert isinstance(change, TagsChange)
    assert change.performer is not None
    assert (change.tags, change.performer.user_text) == (("mw-manual-revert",), "Admin")
    assert change.editor is None
    assert change.dt == change.meta.dt


async def test_recent_changes_wake_the_polling_of_their_wiki():
    feed = json.loads((RECORDINGS / "rcfeed.json").read_text("utf-8"))
    meta = {"stream": "mediawiki.recentchange", "id": "a", "domain": "wiki.example"}
    frames = [frame(change | {"meta": meta}, str(n)) for n, change in enumerate(feed.values())]
    canary = frame(feed["edit"] | {"meta": meta | {"domain": "canary"}}, "c")
    unknown = frame(feed["edit"] | {"meta": meta, "wiki": "other_wiki"}, "d")
    follower = await Follower(stream(*frames, canary, unknown)).run()

    assert follower.woken == ["enwiki"] * len(feed)
    assert follower.emitted == []
    assert follower.store.state == EventStreamsState(last_event_id="d")


async def test_a_position_that_cannot_be_kept_only_repeats_events():
    follower = Follower(stream(frame(raw_change(), "a")), stream(frame(raw_change(rev_id=11), "b")))
    save, failures = follower.store.save, [StoreError("full")]

    def failing(state: EventStreamsState) -> None:
        if state.last_event_id and failures:
            raise failures.pop()
        save(state)

    follower.store.save = failing  # type: ignore[method-assign]
    await follower.run()

    assert follower.rev_ids == [10, 11]
    assert follower.store.state == EventStreamsState(last_event_id="b")


async def test_what_is_not_emitted_yet_is_asked_for_again_after_a_crash():
    follower = Follower(stream(frame(raw_change(), "a"), frame(raw_change(rev_id=11), "b")))

    async def crash(events: Any) -> None:
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError):
        await follower.source.run(crash)

    assert follower.store.state.last_event_id is None


@pytest.fixture
async def theirs(tmp_path: Path) -> AsyncIterator[SqliteStreams]:
    async with SqliteStreams(tmp_path / "theirs.sqlite") as opened:
        yield opened


def outgoing(rev_id: int) -> Outgoing:
    event = raw_change(rev_id=rev_id)
    return Outgoing(names.PAGE_CHANGE, event["meta"]["id"], "k", json.dumps(event).encode())


async def test_our_client_follows_our_server_through_cuts_and_restarts(theirs):
    served = EventStreams(theirs, stream_configs(), pause=0.001)
    store: MemoryStore[EventStreamsState] = MemoryStore()
    rev_ids: list[int] = []

    async def emit(events: Sequence[SourceEvent]) -> None:
        rev_ids.extend(event.revision.rev_id for event in events if isinstance(event, PageChange))

    async def reach(holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(30):
            while not holds():  # noqa: ASYNC110
                await asyncio.sleep(0.005)

    async with (
        serving(Starlette(routes=served.routes()), served.close) as address,
        httpx.AsyncClient(timeout=60) as client,
    ):
        for start in (0, 300, 600):
            source = EventStreamsSource(
                client,
                f"{address}/v2/stream/{names.PAGE_CHANGE}",
                store,
                wiki_ids=["my_wiki"],
                clock=FakeClock(),
            )
            task = asyncio.create_task(source.run(emit))
            if start == 0:
                await reach(lambda: served.clients == 1)
            for rev_id in range(start + 1, start + 301):
                await theirs.append([outgoing(rev_id)])
                if rev_id % 100 == 50:
                    for channel in served._channels.values():
                        channel.close()
            await reach(lambda end=start + 300: end in rev_ids)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    assert list(dict.fromkeys(rev_ids)) == list(range(1, 901))
