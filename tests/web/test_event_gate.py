"""EventGate's table: what is posted, what is answered, what is kept."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette

from revision_quality.errors import StoreError
from revision_quality.events import streams as names
from revision_quality.events.error import decode_error
from revision_quality.events.page_change import decode_page_change
from revision_quality.events.prediction import decode_prediction
from revision_quality.events.revision_change import decode_tags_change, decode_visibility_change
from revision_quality.events.stream_config import stream_configs
from revision_quality.streams.base import START, Outgoing
from revision_quality.streams.sqlite import SqliteStreams
from revision_quality.web.event_gate import EventGate, event_gate_routes
from tests.events.examples import page_change, prediction, raw_change
from tests.events.test_validation import RECORDINGS
from tests.fakes import FakeClock
from tests.servers.loopback import serving

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)

BAD = raw_change(rev_id=66, page={"page_title": "No id"})
UNKNOWN = raw_change(rev_id=77) | {"meta": {"stream": "mediawiki.job.refreshLinks", "id": "j"}}


class FragileStreams(SqliteStreams):
    """The real streams, which a test can break."""

    broken = False

    async def append(self, *arguments: Any, **more: Any) -> list[Outgoing]:
        if self.broken:
            raise StoreError("the disk is full")
        return await super().append(*arguments, **more)

    async def events(self, stream: str = names.PAGE_CHANGE) -> list[Any]:
        return [json.loads(record.value) for record in await self.read(stream, START, 1000)]


@pytest_asyncio.fixture(loop_scope="session")
async def streams(tmp_path: Path) -> AsyncIterator[FragileStreams]:
    async with FragileStreams(tmp_path / "streams.sqlite") as opened:
        yield opened


@pytest.fixture
def app(streams: FragileStreams) -> Starlette:
    gate = EventGate(streams, stream_configs(), clock=FakeClock(NOW))
    return Starlette(routes=event_gate_routes(gate, body_seconds=0.3))


async def post(
    client: httpx.AsyncClient, body: Any, hasty: bool = False, **headers: str
) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    query = "?hasty=true" if hasty else ""
    headers = {"content-type": "application/json"} | headers
    return await client.post(f"/v1/events{query}", content=content, headers=headers)


def rev_ids(events: list[Any]) -> list[int]:
    return [event["revision"]["rev_id"] for event in events]


@pytest.mark.parametrize(
    ("body", "status", "stored", "told"),
    [
        (raw_change(), 201, [10], {}),
        ([raw_change()], 201, [10], {}),
        ([raw_change(), raw_change(rev_id=11)], 201, [10, 11], {}),
        ([raw_change(), BAD], 207, [10], {"invalid": 1, "error": 0}),
        ([UNKNOWN, raw_change(), BAD], 207, [10], {"invalid": 1, "error": 1}),
        (BAD, 400, [], {"invalid": 1}),
        ([BAD, BAD], 400, [], {"invalid": 2}),
        (UNKNOWN, 500, [], {"invalid": 0, "error": 1}),
        ([BAD, UNKNOWN], 500, [], {"invalid": 1, "error": 1}),
    ],
)
async def test_the_answer_says_what_was_accepted(client, streams, *, body, status, stored, told):
    answer = await post(client, body)

    assert answer.status_code == status
    assert rev_ids(await streams.events()) == stored
    found = answer.json() if answer.content else {}
    assert {kind: len(entries) for kind, entries in found.items()} == told


async def test_an_answer_holds_the_event_and_what_is_wrong_with_it(client):
    answer = (await post(client, [BAD, UNKNOWN])).json()

    (invalid,), (error,) = answer["invalid"], answer["error"]
    assert (invalid["status"], invalid["event"]) == ("invalid", BAD)
    assert invalid["context"]["errors"][0]["dataPath"] == ".page"
    assert "page_id" in invalid["context"]["errorsText"]
    assert (error["status"], error["event"]) == ("error", UNKNOWN)
    assert "not a configured stream" in error["context"]["message"]


@pytest.mark.parametrize(
    ("event", "message"),
    [
        (raw_change() | {"meta": {"id": "a"}}, "meta.stream must name it"),
        (raw_change() | {"meta": "page_change"}, "meta.stream must name it"),
        (raw_change() | {"$schema": None}, r"$schema must be a relative URI"),
        (raw_change() | {"$schema": "/mediawiki/page/delete/1.0.0"}, "title must be"),
        (raw_change() | {"$schema": "/mediawiki/page/change/2.0.0"}, "major version 2"),
        (msgspec.to_builtins(prediction(page_change())), "written by this service only"),
    ],
)
async def test_an_event_that_may_be_right_elsewhere_is_an_error(client, streams, event, message):
    answer = await post(client, event)

    assert answer.status_code == 500
    assert message in answer.json()["error"][0]["context"]["message"]
    assert await streams.end(names.DEAD_LETTER) == START


@pytest.mark.parametrize("event", [None, 7, "text", True, [raw_change()]], ids=repr)
async def test_an_element_that_is_no_object_is_invalid(client, streams, event):
    answer = await post(client, [event, raw_change()])

    assert answer.status_code == 207
    assert answer.json()["invalid"][0]["event"] == event
    assert rev_ids(await streams.events()) == [10]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"[]",
        b"{",
        b"[{},",
        b"nonsense",
        b"[1]\n[2]",
        b"\xff",
        b'{"a":NaN}',
        b'{"a":"\xff"}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'[{"a":' + b"[" * 50_000,
    ],
    ids=lambda body: repr(body[:12]),
)
async def test_what_is_no_json_is_a_problem_and_nothing_is_kept(client, streams, body):
    answer = await post(client, body)

    assert answer.status_code == 400
    problem = answer.json()
    assert problem["status"] == 400
    assert (problem["method"], problem["uri"]) == ("post", "/v1/events")
    assert await streams.end(names.PAGE_CHANGE) == START


async def test_a_good_event_is_not_lost_to_an_array_that_breaks_off(client, streams):
    """The array is no JSON as a whole: its sender sends it again."""
    answer = await post(client, json.dumps([raw_change()]).encode()[:-1] + b",{")

    assert answer.status_code == 400
    assert await streams.events() == []


async def test_what_is_missing_in_meta_is_filled_in(client, streams):
    event = raw_change()
    event["meta"] = {"stream": names.PAGE_CHANGE}

    await post(client, event, **{"x-request-id": "from the header"})

    (stored,) = await streams.events()
    assert stored["meta"]["dt"] == "2026-11-23T09:00:00Z"
    assert stored["meta"]["request_id"] == "from the header"
    assert stored["meta"]["id"]


async def test_what_is_there_in_meta_stays_and_so_do_unknown_fields(client, streams):
    event = raw_change(new_field=[1, {"deep": 2.5}], big=2**70)

    await post(client, event, **{"x-request-id": "another"})

    assert await streams.events() == [event]


async def test_an_event_sent_twice_is_there_once(client, streams):
    without_id = raw_change("delete")
    del without_id["meta"]["id"]

    for event in (raw_change(), without_id):
        assert (await post(client, event)).status_code == 201
        assert (await post(client, [event, event])).status_code == 201

    kinds = [event["page_change_kind"] for event in await streams.events()]
    assert kinds == ["edit", "delete"]


async def test_hasty_is_answered_202_whatever_becomes_of_the_events(client, streams):
    for body in (raw_change(), [BAD, UNKNOWN]):
        answer = await post(client, body, hasty=True)
        assert (answer.status_code, answer.content) == (202, b"")

    assert rev_ids(await streams.events()) == [10]
    assert (await post(client, b"{", hasty=True)).status_code == 400


async def test_everything_that_a_real_mediawiki_sends_is_accepted(client, streams):
    requests = json.loads((RECORDINGS / "eventbus_requests.json").read_text("utf-8"))
    for request in requests:
        answer = await client.post(
            request["path"],
            content=json.dumps(request["body"]),
            headers={"x-request-id": request["request_id"], "user-agent": "MediaWiki/1.43.9"},
        )
        assert answer.status_code == 202
        assert (await post(client, request["body"])).status_code == 201

    kinds = [event["page_change_kind"] for event in await streams.events()]
    assert kinds == ["create", "edit", "move", "delete", "undelete", "visibility_change"]
    for record in await streams.read(names.PAGE_CHANGE, START, 10):
        decode_page_change(record.value)
    (tags,) = await streams.read(names.TAGS_CHANGE, START, 10)
    assert decode_tags_change(tags.value).tags == ("mw-manual-revert",)
    (visibility,) = await streams.read(names.VISIBILITY_CHANGE, START, 10)
    hidden = decode_visibility_change(visibility.value)
    assert not hidden.visibility.user
    assert hidden.performer is not None
    assert hidden.editor is None, "the administrator who hid it did not make the edit"
    assert await streams.end("mediawiki.revision-create") == START
    assert await streams.end(names.DEAD_LETTER) == START


async def test_an_invalid_event_is_kept_as_a_dead_letter(client, streams):
    await post(client, BAD, hasty=True)
    await post(client, BAD)

    (record,) = await streams.read(names.DEAD_LETTER, START, 10)
    letter = decode_error(record.value)
    assert json.loads(letter.raw_event) == BAD
    assert letter.errored_stream_name == names.PAGE_CHANGE
    assert "page_id" in letter.message


async def test_an_event_that_passes_the_schema_but_cannot_be_read_is_invalid(client, streams):
    """A leap second is a valid time of RFC 3339, and no time that Python knows."""
    answer = await post(client, raw_change(dt="2026-12-31T23:59:60Z"))

    assert answer.status_code == 400
    assert await streams.events() == []


async def test_while_nothing_can_be_stored_every_event_is_an_error(client, streams):
    streams.broken = True
    answer = await post(client, [raw_change(), BAD, UNKNOWN])

    assert answer.status_code == 500
    told = answer.json()
    assert told["invalid"][0]["event"] == BAD
    assert {entry["event"]["meta"]["stream"] for entry in told["error"]} == {
        names.PAGE_CHANGE,
        "mediawiki.job.refreshLinks",
    }
    assert (await client.get("/v1/_test/events")).status_code == 500

    streams.broken = False
    assert (await post(client, [raw_change()])).status_code == 201
    assert (await client.get("/v1/_test/events")).status_code == 201


async def test_one_event_may_have_nearly_4_mib_and_a_body_10_mb(client, streams):
    too_large = raw_change(rev_id=11, padding="x" * 4 * 1024 * 1024)
    answer = await post(client, [raw_change(), too_large])

    assert answer.status_code == 207
    assert "4128768" in answer.json()["invalid"][0]["context"]["errorsText"]
    assert rev_ids(await streams.events()) == [10]
    (letter,) = await streams.read(names.DEAD_LETTER, START, 10)
    assert len(letter.value) < 100_000

    answer = await post(client, b" " * 10_000_001)
    assert answer.status_code == 413
    assert "10,000,000" in answer.json()["detail"]


async def test_a_request_has_10_000_events_at_most(client, streams):
    """Tiny ones that are invalid would be answered, and kept, a hundred times as large."""
    answer = await post(client, b"[" + b"0," * 10_000 + b"0]")
    assert answer.status_code == 413
    assert "10,000" in answer.json()["detail"]
    assert await streams.end(names.DEAD_LETTER) == START

    answer = await post(client, json.dumps([UNKNOWN] * 10_000).encode())
    assert answer.status_code == 500
    assert len(answer.json()["error"]) == 10_000


async def test_a_web_page_cannot_post_events(client, streams):
    answer = await post(
        client, raw_change(), origin="https://evil.example", **{"content-type": "text/plain"}
    )

    assert answer.status_code == 403
    assert await streams.events() == []


async def test_a_slow_body_is_given_up(app):
    async with serving(app) as address:
        host, port = address.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port), family=socket.AF_INET)
        writer.write(b"POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n[")
        answer = await asyncio.wait_for(reader.readuntil(b"\r\n"), 30)
        writer.close()

    assert answer.startswith(b"HTTP/1.1 408")


async def test_an_instance_that_keeps_scores_has_each_once(streams):
    gate = EventGate(streams, stream_configs(accepts_scores=True))
    first = prediction(page_change(), 0.25)
    again = msgspec.structs.replace(first, meta=msgspec.structs.replace(first.meta, id="another"))

    for event in (first, again):
        assert (await gate.receive(msgspec.json.encode(event))).status == 201

    (record,) = await streams.read(names.PREDICTION, START, 10)
    assert decode_prediction(record.value).score == 0.25


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([*raw_change(), *raw_change()["meta"]]), inner, max_size=4
        )
    ),
    max_leaves=8,
)


def damaged(field: str, value: Any) -> dict[str, Any]:
    """An edit in one of whose objects a field has another value."""
    event = raw_change()
    for part in (event, event["meta"], event["page"], event["revision"], event["performer"]):
        if field in part:
            part[field] = value
    return event


FIELDS = sorted({*raw_change(), *raw_change()["meta"], *raw_change()["page"], "rev_id", "rev_dt"})
DAMAGED = st.builds(damaged, st.sampled_from(FIELDS), ANY_JSON)
BODIES = st.one_of(
    st.binary(max_size=50),
    ANY_JSON.map(lambda value: json.dumps(value).encode()),
    st.lists(DAMAGED, max_size=3).map(lambda value: json.dumps(value).encode()),
)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(BODIES)
async def test_any_body_has_an_answer_of_the_table(client, streams, body):
    """400 and 500 only with a body that says which events are not accepted."""
    answer = await post(client, body)

    assert answer.status_code in (201, 207, 400, 500)
    if answer.status_code == 500:
        assert answer.json()["error"]
    for record in await streams.read(names.PAGE_CHANGE, START, 100):
        decode_page_change(record.value)
