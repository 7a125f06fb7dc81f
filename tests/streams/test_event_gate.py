"""Publishing to an EventGate: whatever it answers, each score arrives once or is a dead letter."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette

from revision_quality.errors import StoreError
from revision_quality.events import streams as names
from revision_quality.events.error import decode_error
from revision_quality.events.stream_config import stream_configs
from revision_quality.streams.base import START, Outgoing
from revision_quality.streams.event_gate import EventGateSink
from revision_quality.streams.sqlite import SqliteStreams
from revision_quality.web.event_gate import EventGate, event_gate_routes
from tests.events.examples import page_change, prediction
from tests.fakes import FakeClock

URL = "https://eventgate.example/v1/events"


@pytest.fixture
async def streams(tmp_path: Path) -> AsyncIterator[SqliteStreams]:
    async with SqliteStreams(tmp_path / "streams.sqlite") as opened:
        yield opened


def score(rev_id: int) -> Outgoing:
    event = prediction(page_change(rev_id=rev_id))
    return Outgoing(names.PREDICTION, str(event.meta.id), "my_wiki:5", msgspec.json.encode(event))


class FaultyGate:
    """An EventGate that answers by a script, then accepts everything; keeps what it accepted."""

    def __init__(self, *script: Any) -> None:
        self.script = list(script)
        self.requests: list[list[int]] = []
        self.accepted: list[int] = []

    def answer(self, request: httpx.Request) -> httpx.Response:
        events = json.loads(request.content)
        self.requests.append([event["revision"]["rev_id"] for event in events])
        step = self.script.pop(0) if self.script else 201
        if isinstance(step, Exception):
            raise step
        if callable(step):
            return step(self, events)
        response = step if isinstance(step, httpx.Response) else httpx.Response(step)
        if response.status_code in (200, 201, 202):
            self.accepted += self.requests[-1]
        return response


def results(
    status: int,
    *,
    invalid: Sequence[int] = (),
    error: Sequence[int] = (),
    named: Callable[[Any], Any] = lambda event: event,
) -> Callable[[FaultyGate, list[Any]], httpx.Response]:
    """An answer that names the events of these revisions, and accepts the others if it is 207."""

    def answer(gate: FaultyGate, events: list[Any]) -> httpx.Response:
        by_rev = {event["revision"]["rev_id"]: event for event in events}
        if status == 207:
            gate.accepted += [rev for rev in by_rev if rev not in (*invalid, *error)]
        body = {
            "invalid": [
                {"status": "invalid", "event": named(by_rev[rev]), "context": {"errorsText": "bad"}}
                for rev in invalid
                if rev in by_rev
            ],
            "error": [
                {"status": "error", "event": named(by_rev[rev]), "context": {"message": "busy"}}
                for rev in error
                if rev in by_rev
            ],
        }
        return httpx.Response(status, json=body)

    return answer


def sink(
    streams: SqliteStreams, answer: Callable[[httpx.Request], httpx.Response], clock: FakeClock
) -> EventGateSink:
    client = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    return EventGateSink(streams, names.PREDICTION, client, URL, clock=clock)


async def run_until(sink: EventGateSink, streams: SqliteStreams) -> None:
    """Run the sink until it has dealt with everything."""
    running = asyncio.create_task(sink.run())
    end = await streams.end(names.PREDICTION)
    async with asyncio.timeout(30):
        while await streams.position("event_gate", names.PREDICTION) < end:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def dead(streams: SqliteStreams) -> dict[int, str]:
    """The reasons of the dead letters, by revision."""
    letters = map(decode_error, [r.value for r in await streams.read(names.DEAD_LETTER, START, 99)])
    return {
        json.loads(letter.raw_event)["revision"]["rev_id"]: letter.message for letter in letters
    }


@pytest.mark.parametrize(
    ("script", "requests", "given_up"),
    [
        pytest.param([201], [[1, 2, 3]], [], id="all accepted"),
        pytest.param([202], [[1, 2, 3]], [], id="accepted hastily"),
        pytest.param([503, 201], [[1, 2, 3]] * 2, [], id="unavailable"),
        pytest.param([404, 302, 401, 201], [[1, 2, 3]] * 4, [], id="a wrong address"),
        pytest.param([httpx.ConnectError("refused"), 201], [[1, 2, 3]] * 2, [], id="down"),
        pytest.param([httpx.ReadTimeout("slow"), 201], [[1, 2, 3]] * 2, [], id="too slow"),
        pytest.param([results(207, error=[2])], [[1, 2, 3], [2]], [], id="one error"),
        pytest.param([results(207, invalid=[2])], [[1, 2, 3]], [2], id="one invalid"),
        pytest.param(
            [results(207, invalid=[1], error=[3])], [[1, 2, 3], [3]], [1], id="one of each"
        ),
        pytest.param([results(400, invalid=[1, 2, 3])], [[1, 2, 3]], [1, 2, 3], id="all invalid"),
        pytest.param(
            [results(500, invalid=[1], error=[2, 3])], [[1, 2, 3], [2, 3]], [1], id="none accepted"
        ),
        pytest.param(
            [results(500, error=[1, 2, 3])] * 3, [[1, 2, 3]] * 4, [], id="an unknown stream"
        ),
        pytest.param([500, 201], [[1, 2, 3]] * 2, [], id="an error without a body"),
        pytest.param(
            [httpx.Response(400, text="<html>")] * 2, [[1, 2, 3]] * 3, [], id="no EventGate at all"
        ),
        pytest.param([httpx.Response(207, text="{"), 201], [[1, 2, 3]] * 2, [], id="a broken 207"),
        pytest.param([413], [[1, 2, 3], [1], [2], [3]], [], id="too large together"),
        pytest.param([413, 413], [[1, 2, 3], [1], [2], [3]], [1], id="one too large alone"),
        pytest.param(
            [results(207, invalid=[2], named=lambda _: {}), 201, results(400, invalid=[2])],
            [[1, 2, 3], [1], [2], [3]],
            [2],
            id="an entry that names nothing",
        ),
    ],
)
async def test_whatever_eventgate_answers_nothing_is_lost(streams, *, script, requests, given_up):
    await streams.append([score(rev_id) for rev_id in (1, 2, 3)])
    gate, clock = FaultyGate(*script), FakeClock()
    published = sink(streams, gate.answer, clock)

    await run_until(published, streams)

    letters = await dead(streams)
    assert sorted(letters) == given_up
    assert {*gate.accepted, *letters} == {1, 2, 3}
    assert published.published == 3 - len(given_up)
    assert published.refused == len(given_up)
    assert published.failure is None
    assert gate.requests == requests


async def test_a_dead_letter_has_the_event_whole_and_the_reason(streams):
    await streams.append([score(1)])

    await run_until(
        sink(streams, FaultyGate(results(400, invalid=[1])).answer, FakeClock()), streams
    )

    (record,) = await streams.read(names.DEAD_LETTER, START, 10)
    letter = decode_error(record.value)
    assert letter.raw_event.encode() == score(1).value
    assert letter.errored_stream_name == names.PREDICTION
    assert letter.message == f"{URL} refuses it: bad"


async def test_pauses_grow_and_follow_retry_after(streams):
    await streams.append([score(1)])
    gate = FaultyGate(*[503] * 8, httpx.Response(429, headers={"retry-after": "600"}))
    clock = FakeClock()

    await run_until(sink(streams, gate.answer, clock), streams)

    assert clock.slept == [1, 2, 4, 8, 16, 32, 60, 60, 600]


async def test_while_it_fails_the_reason_is_known(streams):
    await streams.append([score(1)])
    failures = []
    published = sink(
        streams,
        lambda request: (
            (failures.append(published.failure), httpx.Response(503 - len(failures)))[1]
            if len(failures) < 2
            else httpx.Response(201)
        ),
        FakeClock(),
    )

    await run_until(published, streams)

    assert failures[0] is None
    assert "answers 502" in str(failures[1])


async def test_a_restart_goes_on_behind_what_was_answered(streams):
    await streams.append([score(rev_id) for rev_id in range(1, 251)])
    gate = FaultyGate()
    await run_until(sink(streams, gate.answer, FakeClock()), streams)
    await streams.append([score(251)])
    await run_until(sink(streams, gate.answer, FakeClock()), streams)

    assert [len(request) for request in gate.requests] == [100, 100, 50, 1]
    assert gate.accepted == list(range(1, 252))


async def test_a_request_has_a_size_that_eventgate_takes(streams):
    for rev_id in (1, 2, 3):
        event = json.loads(score(rev_id).value) | {"comment": "x" * 1_500_000}
        value = json.dumps(event).encode()
        await streams.append([msgspec.structs.replace(score(rev_id), value=value)])
    gate = FaultyGate()

    await run_until(sink(streams, gate.answer, FakeClock()), streams)

    assert gate.requests == [[1, 2], [3]]


async def test_a_full_disk_delays_and_loses_nothing(streams, monkeypatch):
    await streams.append([score(1)])
    append, failures = streams.append, [StoreError("full"), StoreError("full")]

    async def failing(*arguments: Any) -> Any:
        if failures:
            raise failures.pop()
        return await append(*arguments)

    monkeypatch.setattr(streams, "append", failing)
    gate = FaultyGate(results(400, invalid=[1]))

    await run_until(sink(streams, gate.answer, FakeClock()), streams)

    assert list(await dead(streams)) == [1]


async def test_our_own_eventgate_takes_our_scores_once(streams, tmp_path):
    await streams.append([score(rev_id) for rev_id in range(1, 131)])
    async with SqliteStreams(tmp_path / "other.sqlite") as theirs:
        gate = EventGate(theirs, stream_configs(accepts_scores=True))
        app = Starlette(routes=event_gate_routes(gate))
        client = httpx.AsyncClient(transport=httpx.ASGITransport(app))
        for group in ("event_gate", "again"):
            published = EventGateSink(streams, names.PREDICTION, client, URL, group=group)
            await published.publish(await streams.read(names.PREDICTION, START, 1000))

        ours = await streams.read(names.PREDICTION, START, 1000)
        kept = await theirs.read(names.PREDICTION, START, 1000)
        assert [record.value for record in kept] == [record.value for record in ours]
        assert await streams.position("again", names.PREDICTION) == ours[-1].offset


async def test_an_eventgate_that_refuses_scores_is_waited_for(streams, tmp_path):
    """Its operator forgot to let it accept scores: they come when that is mended."""
    await streams.append([score(1)])
    async with SqliteStreams(tmp_path / "other.sqlite") as theirs:
        configs = [stream_configs(), stream_configs(accepts_scores=True)]

        async def answer(request: httpx.Request) -> httpx.Response:
            gate = EventGate(theirs, configs.pop(0))
            app = Starlette(routes=event_gate_routes(gate))
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as inner:
                response = await inner.post(URL, content=request.content)
            return httpx.Response(response.status_code, content=response.content)

        await run_until(sink(streams, answer, FakeClock()), streams)

        assert await theirs.end(names.PREDICTION) > START


STEPS = st.one_of(
    st.sampled_from([200, 201, 301, 400, 404, 413, 429, 500, 502, 503]),
    st.builds(
        results,
        st.sampled_from([207, 400, 500]),
        invalid=st.lists(st.integers(1, 6), max_size=2, unique=True),
        error=st.lists(st.integers(1, 6), max_size=3, unique=True),
    ),
    st.just(httpx.ReadError("cut")),
)


@settings(max_examples=60)
@given(st.lists(STEPS, max_size=6))
async def test_any_script_ends_with_every_event_accepted_or_given_up(tmp_path_factory, script):
    path = tmp_path_factory.mktemp("script") / "streams.sqlite"
    async with SqliteStreams(path) as streams:
        await streams.append([score(rev_id) for rev_id in range(1, 7)])
        gate = FaultyGate(*script)

        await run_until(sink(streams, gate.answer, FakeClock()), streams)

        assert {*gate.accepted, *await dead(streams)} == set(range(1, 7))
