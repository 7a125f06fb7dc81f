"""Each place is looked at; each failure says what to do."""

import socket
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from revision_quality.cli.doctor_places import (
    disk,
    event_gate,
    port,
    streams_file,
    streams_section,
    view_findings,
)
from revision_quality.cli.doctor_wiki import rights_and_clock
from revision_quality.settings import Settings, Streams, Web
from revision_quality.wiki.client import ActionApi
from tests.fakes import FakeClock
from tests.views.examples import open_view

EVENTS = "https://gate.example/v1/events"


def answering(status=200, json=None, seen=None):
    def answer(request: httpx.Request) -> httpx.Response:
        if seen is not None:
            seen.append(request.content)
        return httpx.Response(status, json=json)

    return httpx.AsyncClient(transport=httpx.MockTransport(answer))


def test_a_folder_that_is_not_there_yet_is_looked_for_above(tmp_path):
    assert disk(tmp_path / "a/b", needed=1).wrong is None


def test_too_little_room_is_told_with_what_helps(tmp_path):
    found = disk(tmp_path, needed=10**18)

    assert found.wrong is not None
    assert "make room, lower streams.keep_days" in found.wrong


async def test_a_port_that_another_program_has_is_told():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        web = Web(port=taken.getsockname()[1])
        found = await port(Settings(web=web), answering(404))
        ours = await port(Settings(web=web), answering(json={"alive": True}))

    assert found.wrong is not None
    assert "choose another with --host and --port" in found.wrong
    assert (ours.wrong, ours.what.endswith("a revq serves there")) == (None, True)


@pytest.mark.parametrize(("status", "is_well"), [(400, True), (404, False), (201, False)])
async def test_an_event_gate_is_sent_no_event(status, is_well):
    seen = []
    found = await event_gate(EVENTS, answering(status, seen=seen))

    assert (found.wrong is None) is is_well
    assert seen == [b"[]"]


async def test_the_rights_in_the_database_are_tried_and_leave_nothing(url):
    async with open_view(url):
        pass
    first, second = await view_findings(url), await view_findings(url)

    assert first == second
    assert [finding.wrong for finding in first] == [None] * 9


async def test_a_file_that_is_not_there_yet_is_not_made(tmp_path):
    (found,) = await view_findings(f"sqlite:///{tmp_path / 'changes.sqlite'}")

    assert (found.wrong, "the first start makes" in found.what) == (None, True)
    assert list(tmp_path.iterdir()) == []


async def test_a_database_that_cannot_be_reached_is_told_without_its_password():
    url = "postgresql://revq:hunter2@127.0.0.1:1/revq"
    (found,) = await view_findings(url)

    assert found.wrong is not None
    assert "check the address, the user and the password" in found.wrong
    assert "hunter2" not in found.what + found.wrong


async def test_views_of_a_newer_revq_are_told(tmp_path):
    url = f"sqlite:///{tmp_path / 'changes.sqlite'}"
    async with open_view(url) as view:
        newer = text("UPDATE views_schema SET version_num = '99'")
        await view.database.write(lambda connection: connection.execute(newer))
    (found,) = await view_findings(url)

    assert found.wrong is not None
    assert "schema 99, this revq knows" in found.wrong
    assert "password" not in found.wrong


@pytest.mark.parametrize(
    ("made", "told"),
    [
        ("PRAGMA user_version = 99", "schema 99, this revq knows 1: install the revq that wrote"),
        (None, "file is not a database: restore a backup"),
        ("PRAGMA user_version = 1", None),
    ],
)
def test_a_streams_file_that_cannot_be_read_is_told(tmp_path, made, told):
    file = tmp_path / "streams.sqlite"
    if made is None:
        file.write_bytes(b"rubbish" * 1000)
    else:
        with closing(sqlite3.connect(file)) as streams, streams:
            streams.execute("CREATE TABLE event (value)")
            streams.execute(made)
    found = streams_file(file)

    assert (told or "") in (found.wrong or "")
    assert (found.wrong is None) is (told is None)


def test_a_streams_file_that_is_not_there_yet_is_not_made(tmp_path):
    found = streams_file(tmp_path / "streams.sqlite")

    assert (found.wrong, "the first start makes" in found.what) == (None, True)
    assert list(tmp_path.iterdir()) == []


async def test_a_kafka_that_does_not_answer_is_told():
    streams = Streams(url="kafka://127.0.0.1:1")
    (found,) = (await streams_section(Settings(streams=streams))).findings

    assert found.wrong is not None
    assert "advertised listeners" in found.wrong


@pytest.mark.parametrize(
    ("user", "moment", "wrong"),
    [
        ({"name": "Revq", "rights": ["read", "apihighlimits"]}, 0, (None, None)),
        ({"name": "192.0.2.1", "anon": True, "rights": ["read"]}, 25, (None, None)),
        ({"name": "x", "anon": True, "rights": []}, 0, ("access_token_env", None)),
        ({"name": "Revq", "rights": ["read"]}, 90, (None, "seconds behind the wiki's")),
        ({"name": "Revq", "rights": ["read"]}, -90, (None, "seconds ahead of the wiki's")),
    ],
)
async def test_a_wikis_rights_and_clock(user, moment, wrong):
    clock = FakeClock()
    there = clock.now().timestamp() + moment
    stamp = datetime.fromtimestamp(there, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    answer = {"curtimestamp": stamp, "query": {"userinfo": user}}
    async with answering(json=answer) as client:
        found = await rights_and_clock(ActionApi("https://w.example/api.php", client), clock)

    for finding, part in zip(found, wrong, strict=True):
        assert (finding.wrong is None) if part is None else part in (finding.wrong or "")


def test_a_folder_that_belongs_to_somebody_else_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr("os.access", lambda *_: False)

    assert "give it to the user of revq" in (disk(Path(tmp_path)).wrong or "")
