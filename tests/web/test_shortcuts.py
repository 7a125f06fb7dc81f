"""A request gets the same answer ahead of the application as by way of it."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
import pytest_asyncio
import uvicorn
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from uvicorn.server import ServerState

from revision_quality.models.base import Prediction, Unscored
from revision_quality.web.lift_wing_requests import RefusedRequestError, read_request, read_text
from revision_quality.web.rate_limit import RateLimit
from revision_quality.web.server import Server, server_config
from revision_quality.web.shortcut_protocol import (
    HELD_BYTES,
    HELD_SECONDS,
    ShortcutProtocol,
)
from revision_quality.web.shortcuts import Shortcut, shortcuts_of
from revision_quality.web.turns import Turns
from revision_quality.web.wiki_names import WikiNames
from revision_quality.wiki.revision import Revision
from tests.scoring.fakes import FakeModel
from tests.web.api_house import LIFT_WING, ApiHouse, api_house
from tests.web.conftest import WritableView
from tests.web.test_lift_wing import DATA

PATH = f"/v1/models/{LIFT_WING}:predict"
NAMES = WikiNames(("my_wiki", "mediawiki", "intranet", "enwiki"))
FOREIGN = {"Origin": "https://en.wikipedia.org"}


class PromptFake(FakeModel):
    """Answers at once what its rule scores, and counts how often."""

    at_once = 0

    def predict_at_once(self, revision: Revision) -> Prediction | None:
        self.at_once += 1
        [answer] = self._rule([revision])
        return answer if isinstance(answer, Prediction) else None


@pytest.fixture
def model() -> PromptFake:
    return PromptFake()


@pytest_asyncio.fixture(loop_scope="session")
async def house(tmp_path: Path, view: WritableView, model: PromptFake) -> AsyncIterator[ApiHouse]:
    async with api_house(tmp_path, view, model) as opened:
        yield opened


@asynccontextmanager
async def served(app: Starlette, shortcuts: Mapping[bytes, Shortcut]) -> AsyncIterator[int]:
    """Serve an application with shortcuts; give the port."""
    server = Server(server_config(app, shortcuts, port=0), lambda: None)
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 (uvicorn rings no bell)
        await asyncio.sleep(0.01)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await serving


def told(answer: httpx.Response) -> tuple[int, bytes, list[tuple[str, str]]]:
    """What is compared: all but what differs with every request."""
    own = ("server", "date", "x-request-id")
    headers = [one for one in answer.headers.multi_items() if one[0] not in own]
    return answer.status_code, answer.content, sorted(headers)


@pytest.mark.parametrize("headers", [{}, FOREIGN])
@pytest.mark.parametrize(
    ("body", "is_short"),
    [
        pytest.param({"revision_data": DATA}, True, id="a text"),
        pytest.param({"revision_data": DATA | {"lang": "xx"}}, True, id="of an unknown wiki"),
        pytest.param({"revision_data": {}}, False, id="a text that lacks all"),
        pytest.param({"revision_data": DATA, "instances": 1}, False, id="instances no list"),
        pytest.param({"rev_id": 10, "lang": "en"}, False, id="a revision"),
        pytest.param({"instances": [{"rev_id": 10, "lang": "en"}]}, False, id="a batch"),
        pytest.param([], False, id="no object"),
    ],
)
async def test_both_ways_give_one_answer(
    house: ApiHouse,
    model: PromptFake,
    body: Any,
    is_short: bool,
    headers: dict[str, str],
) -> None:
    async with (
        served(house.app, shortcuts_of(house.app.routes)) as port,
        httpx.AsyncClient(timeout=60) as us,
    ):
        short = await us.post(f"http://127.0.0.1:{port}{PATH}", json=body, headers=headers)
    assert model.at_once == int(is_short and not headers)
    plain = await house.client.post(PATH, json=body, headers=headers)
    assert told(short) == told(plain)


async def test_a_refusal_of_the_model_is_told_by_the_route(
    tmp_path: Path, view: WritableView
) -> None:
    refusal = Unscored("text_too_large", "The text is too large.", is_final=True)
    model = PromptFake(lambda revisions: [refusal] * len(revisions))
    async with (
        api_house(tmp_path, view, model) as house,
        served(house.app, shortcuts_of(house.app.routes)) as port,
        httpx.AsyncClient(timeout=60) as client,
    ):
        url = f"http://127.0.0.1:{port}{PATH}"
        answer = await client.post(url, json={"revision_data": DATA})
    assert answer.status_code == 422
    assert "The text is too large." in answer.text


async def echo(request: Request) -> Response:
    return PlainTextResponse(b"<app " + await request.body() + b">")


def short(body: bytes) -> bytes | None:
    """Answer all but what says no, and fail where it says so."""
    if body == b"fail":
        raise ValueError
    return None if body == b"no" else b"<short " + body + b">"


ECHO = Starlette(routes=[Route("/echo", echo, methods=["POST"])])
SHORTCUTS = {b"/echo": short}


def post(body: bytes, *headers: bytes, start: bytes = b"POST /echo HTTP/1.1") -> bytes:
    lines = [start, b"Host: revq", b"Content-Length: %d" % len(body), *headers, b"", body]
    return b"\r\n".join(lines)


LATE = b""
"""No piece, but a wait until what came is the application's."""

LARGE = bytes(HELD_BYTES + 3)
CHUNKED = post(b"", b"Transfer-Encoding: chunked").replace(b"Content-Length: 0\r\n", b"")


@pytest.mark.parametrize(
    ("pieces", "answers"),
    [
        ([post(b"1")], [b"<short 1>"]),
        ([post(b"no")], [b"<app no>"]),
        ([post(b"fail")], [b"<app fail>"]),
        ([post(b"1") + post(b"2") + post(b"3")], [b"<short 1>", b"<short 2>", b"<short 3>"]),
        ([post(b"1") + post(b"no") + post(b"3")], [b"<short 1>", b"<app no>", b"<app 3>"]),
        ([post(b"two")[:-2], b"wo"], [b"<short two>"]),
        ([post(b"two")[:-2], LATE, b"wo"], [b"<app two>"]),
        ([post(LARGE)[:-2], LARGE[-2:]], [b"<app " + LARGE + b">"]),
        ([post(b"two")[:-3], b"two" + post(b"3")], [b"<short two>", b"<short 3>"]),
        ([post(b"no")[:-1], b"o" + post(b"3")], [b"<app no>", b"<app 3>"]),
        ([post(b"two")[:20], post(b"two")[20:]], [b"<short two>"]),
        ([CHUNKED + b"2\r\non\r\n1\r\ne\r\n0\r\n\r\n"], [b"<short one>"]),
        ([CHUNKED + b"2\r\non\r\n", b"1\r\ne\r\n0\r\n\r\n"], [b"<short one>"]),
        ([post(b"1", b"Connection: close")], [b"<app 1>"]),
        ([post(b"1", b"X-Forwarded-For: 192.0.2.1")], [b"<app 1>"]),
        ([post(b"1", b"X-Request-Id: 1")], [b"<app 1>"]),
        ([post(b"1", start=b"POST /echo HTTP/1.0")], [b"<app 1>"]),
        ([post(b"1", start=b"POST /echo?x HTTP/1.1")], [b"<app 1>"]),
        ([post(b"1", start=b"PUT /echo HTTP/1.1")], [b"Method Not Allowed"]),
        ([post(b"1", b"Connection: upgrade", b"Upgrade: h2c")], [b"<app "]),
        ([post(b"1", b"Expect: 100-continue")], [b"100 Continue", b"<app 1>"]),
    ],
)
async def test_every_request_gets_its_answer_in_its_turn(
    pieces: list[bytes], answers: list[bytes]
) -> None:
    async with served(ECHO, SHORTCUTS) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=4 * HELD_BYTES)
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.05 if piece else HELD_SECONDS + 0.2)
        seen = b""
        async with asyncio.timeout(60):
            for answer in answers:
                seen += await reader.readuntil(answer)
        writer.close()
    assert [seen.count(answer) for answer in answers] == [1] * len(answers)
    assert seen.count(b"<short") == sum(answer.startswith(b"<short") for answer in answers)


async def test_what_takes_long_leaves_room_for_all_else() -> None:
    """Thirty requests come at once: a page is made between them, and each has its answer."""
    ended: list[bytes] = []

    def slow(body: bytes) -> bytes:
        time.sleep(0.02)
        return body

    async def asks(client: httpx.AsyncClient, path: str, body: bytes) -> None:
        answer = await client.post(path, content=body)
        ended.append(answer.content)

    bodies = [b"%d" % number for number in range(30)]
    async with served(ECHO, {b"/short": slow}) as port:
        limits = httpx.Limits(max_connections=100)
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}", limits=limits, timeout=60
        ) as client:
            short = [asks(client, "/short", body) for body in bodies]
            await asyncio.gather(*short, asks(client, "/echo", b"page"))

    assert set(ended) == {*bodies, b"<app page>"}
    assert ended.index(b"<app page>") < 25


async def test_a_connection_that_is_open_takes_no_shortcut_that_was_taken_away() -> None:
    shortcuts = dict(SHORTCUTS)
    async with served(ECHO, shortcuts) as port, httpx.AsyncClient(timeout=60) as client:
        url = f"http://127.0.0.1:{port}/echo"
        assert (await client.post(url, content=b"1")).content == b"<short 1>"
        shortcuts.clear()
        assert (await client.post(url, content=b"1")).content == b"<app 1>"


class Connection(asyncio.Transport):
    """A connection of a client somewhere; `written` is rung by the first answer."""

    def __init__(self, client: str) -> None:
        super().__init__({"peername": (client, 50_000), "sockname": ("192.0.2.2", 8080)})
        self.seen = b""
        self.written = asyncio.Event()
        self.closed = asyncio.Event()

    def write(self, data: Any) -> None:
        self.seen += data
        self.written.set()

    def is_closing(self) -> bool:
        return self.closed.is_set()

    def close(self) -> None:
        self.closed.set()


def connected(config: uvicorn.Config, connection: Connection) -> Any:
    """Return the protocol of a connection that is made."""
    kind: Any = config.http_protocol_class
    protocol = kind(config=config, server_state=ServerState(), app_state={})
    protocol.connection_made(connection)
    return protocol


async def test_a_client_that_goes_away_in_the_midst_leaves_nothing() -> None:
    asked = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        asked.append((scope, receive, send))

    config = server_config(app, SHORTCUTS)
    config.load()
    protocol = connected(config, Connection("127.0.0.1"))
    protocol.data_received(post(b"two")[:-1])
    protocol.connection_lost(ConnectionError())
    await asyncio.sleep(HELD_SECONDS + 0.2)
    assert not asked


BEGUN = b"POST /echo HTTP/1.1\r\nHost: revq\r\n"


@pytest.mark.parametrize("head", [b"", BEGUN, post(b"1") + BEGUN])
async def test_a_head_that_does_not_end_ends_the_connection(head: bytes) -> None:
    config = server_config(ECHO, SHORTCUTS)
    config.load()
    connection = Connection("198.51.100.7")
    options = {"config": config, "server_state": ServerState(), "app_state": {}}
    protocol = ShortcutProtocol(**options, shortcuts=SHORTCUTS, turns=Turns(), head_seconds=0.05)
    protocol.connection_made(connection)
    if head:
        protocol.data_received(head)
    await asyncio.wait_for(connection.closed.wait(), 60)


@pytest.mark.parametrize(
    ("client", "statuses"), [("198.51.100.7", [b"200", b"429"]), ("127.0.0.1", [b"200", b"200"])]
)
async def test_who_asks_too_often_gets_round_no_limit(
    client: str, statuses: Sequence[bytes]
) -> None:
    app = Starlette(routes=ECHO.routes, middleware=[Middleware(RateLimit, rate=0.5)])
    config = server_config(app, SHORTCUTS, is_limited=True)
    config.load()
    found = []
    for _ in statuses:
        connection = Connection(client)
        protocol = connected(config, connection)
        protocol.data_received(post(b"1"))
        await asyncio.wait_for(connection.written.wait(), 60)
        found.append(connection.seen.split()[1])
        protocol.connection_lost(ConnectionError())
    assert found == statuses


def edited(data: dict[str, Any], path: tuple[str, ...], value: Any) -> dict[str, Any]:
    """Return `data` with one more or another field somewhere in it."""
    first, *rest = path
    inner = data.get(first)
    if rest and isinstance(inner, dict):
        return data | {first: edited(inner, tuple(rest), value)}
    return data | {first: value}


FIELDS = st.sampled_from(
    [(name,) for name in (*DATA, "wiki_id", "unknown")]
    + [(name, inner) for name in ("page", "parent", "user") for inner in DATA[name]]
    + [("user", "groups"), ("user", "registration_dt"), ("parent", "user_text")]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=5)
    | st.sampled_from(["2026-08-01T10:00:00Z", "2026-08-01T10:00:00", "en", "my_", "1", 1.0]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=4,
)  # fmt: skip


@given(FIELDS, VALUES, st.sampled_from([None, "my_wiki"]))
def test_the_short_way_reads_what_the_long_way_reads(
    field: tuple[str, ...], value: Any, wiki_id: str | None
) -> None:
    body = msgspec.json.encode({"revision_data": edited(DATA, field, value)})
    short = read_text(body, NAMES, wiki_id)
    try:
        whole = read_request(body, NAMES, wiki_id, is_json=True)
    except RefusedRequestError:
        assert short is None
    else:
        assert short == whole
