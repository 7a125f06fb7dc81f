"""In one look: whether each wiki is well, what waits where, what is on."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest
from starlette.applications import Starlette

from revision_quality.web.status import (
    AlarmStatus,
    LevelStatus,
    ModelStatus,
    Status,
    StatusPage,
    ViewStatus,
    WikiStatus,
    span,
)

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
HOUR_AGO = NOW - timedelta(hours=1)
ALARM = AlarmStatus(kind="coverage", wiki_id="w", message="Too few.", since=HOUR_AGO)


def status(**fields):
    known = {
        "version": "1.0",
        "begun": HOUR_AGO,
        "now": NOW,
        "ready": True,
        "roles": {"score": "working"},
        "wikis": {"mywiki": WikiStatus(name="My <wiki>", state="healthy", since=HOUR_AGO)},
        "models": [
            ModelStatus(
                name="a-model",
                version="7",
                stream="scores",
                group="scoring",
                is_paused=True,
                waiting=1234,
                outcomes={"scored": 5},
                levels=[LevelStatus(name="maybebad", threshold=0.25, flag_rate=0.1)],
            )
        ],
        "views": [ViewStatus(name="changes", has_caught_up=True, behind=0)],
    }
    return Status(**{**known, **fields})


async def get(found, path):
    async def ask():
        return found

    app = Starlette(routes=StatusPage(ask).routes)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://revq") as asking:
        return await asking.get(path)


async def test_the_page_says_that_all_is_well():
    answer = await get(status(), "/status")

    assert answer.headers["content-type"].startswith("text/html")
    assert "All is well." in answer.text
    assert "My &lt;wiki&gt;" in answer.text
    for told in ("1,234", "a-model", "paused", "maybebad ≥ 0.250", "in step", "1 h"):
        assert told in answer.text


async def test_the_page_begins_with_the_wiki_that_needs_a_look():
    wikis = {
        "a_wiki": WikiStatus(name="A", state="healthy", since=NOW),
        "z_wiki": WikiStatus(name="Z", state="failing", since=NOW, problem="it is down"),
    }
    answer = await get(status(wikis=wikis), "/status")

    assert "Something needs a look." in answer.text
    assert answer.text.index("z_wiki") < answer.text.index("a_wiki")
    assert "it is down" in answer.text


@pytest.mark.parametrize(("role", "is_linked"), [("serve", True), ("score", False)])
async def test_it_leads_to_levels_and_models_where_these_are_served(role, is_linked):
    page = (await get(status(roles={role: "working"}), "/status")).text

    assert [f'href="{path}"' in page for path in ("/levels", "/models")] == [is_linked] * 2


async def test_a_problem_of_a_process_that_is_ready_needs_a_look():
    answer = await get(status(problems=["nothing is dropped by age: the clock"]), "/status")

    assert "Something needs a look." in answer.text
    assert "nothing is dropped by age: the clock" in answer.text


async def test_an_alarm_that_is_on_is_told():
    answer = await get(status(alarms=[ALARM]), "/status")

    assert "Something needs a look." in answer.text
    assert "Too few." in answer.text


async def test_programs_get_json():
    answer = await get(status(), "/status.json")

    found = answer.json()
    assert found["wikis"]["mywiki"]["state"] == "healthy"
    assert found["models"][0]["is_paused"] is True


@pytest.mark.parametrize(
    ("fields", "is_well"),
    [
        ({}, True),
        ({"ready": False}, False),
        ({"alarms": [ALARM]}, False),
        ({"unreachable": {"https://x/api.php": "no answer"}}, False),
        ({"wikis": {"w": WikiStatus(name="w", state="paused", since=NOW)}}, True),
        ({"wikis": {"w": WikiStatus(name="w", state="behind", since=NOW)}}, False),
    ],
)
def test_who_has_to_look(fields, is_well):
    assert status(**fields).is_well is is_well


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (None, "\N{EN DASH}"),
        (-1, "0 s"),
        (59.4, "59 s"),
        (60, "1 min"),
        (7200, "2 h"),
        (200_000, "2 d"),
    ],
)
def test_spans_are_told_in_their_largest_unit(seconds, told):
    assert span(seconds) == told
