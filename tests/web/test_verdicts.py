"""Giving verdicts: stored, told, and taken from nobody who should not give them."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from revision_quality.events.streams import VERDICT
from revision_quality.events.verdict import Shown, decode_verdict
from revision_quality.streams.sqlite import SqliteStreams
from revision_quality.views.change import Change
from revision_quality.views.changes import STREAMS
from revision_quality.views.materialiser import Materialiser
from revision_quality.views.verdicts import GivenVerdicts
from revision_quality.web.api import Extra
from revision_quality.web.verdicts import OPERATIONS, Verdicts
from tests.events.examples import at
from tests.fakes import FakeClock
from tests.recent_changes.examples import change as row
from tests.scoring.fakes import FakeModel
from tests.web.api_house import ApiHouse, api_house
from tests.web.conftest import WritableView

ASKED: dict[str, Any] = {"wiki_id": "enwiki", "rev_id": 10, "verdict": "false_positive"}


@pytest_asyncio.fixture(loop_scope="session")
async def house(tmp_path: Path, view: WritableView) -> AsyncIterator[ApiHouse]:
    streams = SqliteStreams(tmp_path / "verdicts.sqlite")
    clock = FakeClock(at(3600))
    taking = Verdicts(streams, view, GivenVerdicts(view), per_minute=5, clock=clock)
    extra = [Extra(taking.routes, OPERATIONS)]
    async with api_house(tmp_path, view, FakeModel(), extra=extra) as opened:
        opened.streams = streams
        await view.write(row(10, score=0.75, model_name="m", model_version="2"))
        yield opened
        await streams.close()


async def give(house: ApiHouse, headers: Any = None, **said: Any) -> httpx.Response:
    return await house.client.post("/v1/verdicts", json=ASKED | said, headers=headers)


async def brought_in(house: ApiHouse, view: WritableView) -> None:
    await Materialiser(house.streams, view, STREAMS).step()


async def test_a_verdict_is_in_the_stream_with_the_score_that_was_shown(house: ApiHouse) -> None:
    answer = await give(house, by="Some_Body", comment=" two\nlines ")

    assert answer.status_code == 201
    (record,) = await house.streams.read(VERDICT, 0, 9)
    event = decode_verdict(record.value)
    assert (event.by, event.comment) == ("Some Body", "two lines")
    assert event.shown == Shown(model_name="m", model_version="2", score=0.75)
    assert (event.page_id, event.rev_dt) == (7, datetime.fromtimestamp(1_700_000_010, UTC))
    assert answer.json()["id"] == event.meta.id


async def test_a_verdict_is_told_by_the_list_and_beside_its_edit(
    house: ApiHouse, view: WritableView
) -> None:
    given = (await give(house, by="A")).json()
    await brought_in(house, view)

    path = "/v1/verdicts?wiki_id=enwiki&rev_id=10"
    assert (await house.get(path)).json() == {"verdicts": [given]}
    assert (await house.get("/v1/verdicts")).json() == {"verdicts": [given]}
    (change,) = (await house.get("/recent-changes.json")).json()["changes"]
    assert (change["verdicts"], change["verdict"]) == (1, "false_positive")


async def test_the_same_verdict_given_again_is_no_other(
    house: ApiHouse, view: WritableView
) -> None:
    first = await give(house)
    assert (await give(house)).status_code == 201
    await brought_in(house, view)
    again = await give(house)

    assert (again.status_code, again.json()) == (200, first.json())
    assert len(await house.streams.read(VERDICT, 0, 9)) == 1


async def test_a_later_verdict_of_the_same_author_takes_the_place_of_the_earlier(
    house: ApiHouse, view: WritableView
) -> None:
    for says in ("fine", "damaging", "fine"):
        assert (await give(house, verdict=says)).status_code == 201
        await brought_in(house, view)

    events = [decode_verdict(one.value) for one in await house.streams.read(VERDICT, 0, 9)]
    assert [event.replaces for event in events] == [None, events[0].meta.id, events[1].meta.id]


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {"Origin": "http://["},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://test"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
async def test_a_page_of_another_site_gives_none(house: ApiHouse, headers: dict[str, str]) -> None:
    assert (await give(house, headers)).status_code == 403
    assert await house.streams.read(VERDICT, 0, 9) == []


@pytest.mark.parametrize("headers", [{"Origin": "http://test"}, {"Sec-Fetch-Site": "same-origin"}])
async def test_our_own_page_may(house: ApiHouse, headers: dict[str, str]) -> None:
    assert (await give(house, headers)).status_code == 201


@pytest.mark.parametrize("media", ["text/plain", "application/x-www-form-urlencoded", ""])
async def test_a_form_gives_none(house: ApiHouse, media: str) -> None:
    body = b'{"wiki_id":"enwiki","rev_id":10,"verdict":"fine"}'
    headers = {"Content-Type": media}
    answer = await house.client.post("/v1/verdicts", content=body, headers=headers)

    assert answer.status_code == 415


async def test_no_other_site_is_allowed_to_ask_first(house: ApiHouse) -> None:
    headers = {"Origin": "https://a.example", "Access-Control-Request-Method": "POST"}
    answer = await house.client.options("/v1/verdicts", headers=headers)

    assert "POST" not in answer.headers.get("access-control-allow-methods", "")


@pytest.mark.parametrize(
    ("said", "status", "told"),
    [
        ({"rev_id": 99}, 404, "No edit 99 of enwiki is here."),
        ({"verdict": "bad"}, 400, "$.verdict"),
        ({"by": "x" * 256}, 400, "$.by"),
        ({"by": "ä" * 128}, 400, "up to 255 bytes"),
        ({"by": "a\u202eb"}, 400, "$.by"),
        ({"comment": "x" * 501}, 400, "$.comment"),
        ({"other": 1}, 400, "other"),
        ({"comment": "x" * 9000}, 413, "8,000 bytes"),
    ],
)
async def test_what_is_wrong_is_told(
    house: ApiHouse, said: dict[str, Any], status: int, told: str
) -> None:
    answer = await give(house, **said)

    assert answer.status_code == status
    assert told in answer.json()["detail"]


async def test_no_verdict_on_what_is_deleted(house: ApiHouse, view: WritableView) -> None:
    await view.delete(Change(wiki_id="enwiki", rev_id=10, seq=0))

    assert (await give(house)).status_code == 404


@pytest.mark.parametrize("query", ["rev_id=10", "wiki_id=enwiki&rev_id=x"])
async def test_a_list_of_nothing_is_refused(house: ApiHouse, query: str) -> None:
    assert (await house.get(f"/v1/verdicts?{query}")).status_code == 400


async def test_who_gives_too_many_is_told_to_wait(house: ApiHouse) -> None:
    statuses = [(await give(house, comment=str(number))).status_code for number in range(6)]

    assert statuses == [201] * 5 + [429]


async def test_the_store_that_fails_is_told(house: ApiHouse, view: WritableView) -> None:
    await view.break_down()

    assert (await give(house)).status_code == 503
