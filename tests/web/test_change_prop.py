"""ChangeProp drives the scoring by the rule that the documentation gives."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from revision_quality.errors import StoreError, WikiUnavailableError
from revision_quality.events import streams as names
from revision_quality.events.prediction import decode_prediction
from revision_quality.events.prediction_error import decode_prediction_error
from revision_quality.models.base import Unscored
from revision_quality.wiki.reader import Unreadable
from tests.events.examples import raw_change, revision
from tests.scoring.fakes import FakeModel
from tests.web.api_house import ApiHouse, api_house
from tests.web.change_prop import ChangeProp, documented_rule
from tests.web.conftest import WritableView

WIKI = "enwiki"
TALK = {"page_id": 5, "page_title": "Talk", "namespace_id": 1, "is_redirect": False}
REDIRECT = {"page_id": 5, "page_title": "Old", "namespace_id": 0, "is_redirect": True}
CANARY = {"stream": names.PAGE_CHANGE, "domain": "canary", "id": "c", "uri": "u", "request_id": "r"}


@pytest_asyncio.fixture(loop_scope="session")
async def house(tmp_path: Path, view: WritableView) -> AsyncIterator[ApiHouse]:
    async with api_house(tmp_path, view, trusts_events=True) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def change_prop(house: ApiHouse) -> ChangeProp:
    return ChangeProp(house.client, *documented_rule())


def edit(kind: str = "edit", rev_id: int = 10, **fields: Any) -> dict[str, Any]:
    return raw_change(kind, rev_id, **{"wiki_id": WIKI, **fields})


async def published(house: ApiHouse) -> dict[int, float | str]:
    scored = await house.streams.read(names.PREDICTION, 0, 100)
    refused = await house.streams.read(names.PREDICTION_ERROR, 0, 100)
    scores = [decode_prediction(record.value) for record in scored]
    reasons = [decode_prediction_error(record.value) for record in refused]
    return {event.revision.rev_id: event.score for event in scores} | {
        event.revision.rev_id: event.error.reason for event in reasons
    }


@pytest.mark.parametrize(
    ("event", "statuses", "outcome"),
    [
        (edit(), [200], {10: 0.25}),
        (edit("create"), [422], {10: "page_creation"}),
        (edit("move"), [422], {10: "page_move"}),
        (edit(revision=revision(10, is_content_visible=False)), [422], {10: "revision_hidden"}),
        (edit("delete"), [], {}),
        (edit("undelete"), [], {}),
        (edit("visibility_change"), [], {}),
        (edit(page=TALK), [], {}),
        (edit(page=REDIRECT), [], {}),
        (edit(meta=CANARY), [], {}),
        (edit(wiki_id="commonswiki"), [], {}),
        (edit(wiki_id="wikidatawiki"), [], {}),
        (edit(wiki_id="enwiktionary"), [], {}),
        (edit(wiki_id="dewiki"), [400], {}),
    ],
)
async def test_what_matches_is_asked_for_once(
    house: ApiHouse,
    change_prop: ChangeProp,
    event: dict[str, Any],
    statuses: list[int],
    outcome: dict[int, float | str],
) -> None:
    await change_prop.take(event)

    assert change_prop.statuses == statuses
    assert await published(house) == outcome
    assert len(change_prop.errors) == sum(status >= 400 for status in statuses)
    assert change_prop.waited == []


async def test_a_wiki_that_comes_back_is_scored_by_the_retry(
    house: ApiHouse, change_prop: ChangeProp
) -> None:
    house.reader.failure, house.reader.failures_left = WikiUnavailableError("away", 3.0), 2

    await change_prop.take(edit())

    assert change_prop.statuses == [500, 500, 200]
    assert change_prop.waited == [60, 360]
    assert change_prop.errors == []
    assert await published(house) == {10: 0.25}


async def test_an_outage_longer_than_the_retries_is_reported_and_publishes_nothing(
    house: ApiHouse, change_prop: ChangeProp
) -> None:
    house.reader.failure = WikiUnavailableError("away", 3.0)

    await change_prop.take(edit())

    assert change_prop.statuses == [500, 500, 500]
    [error] = change_prop.errors
    assert error["details"]["status"] == 500
    assert "MediaWiki API" in error["details"]["body"]["error"]
    assert await published(house) == {}

    house.reader.failure = None
    await change_prop.take(edit())
    assert await published(house) == {10: 0.25}


async def test_wikimedias_own_rule_does_not_retry_a_silent_wiki(house: ApiHouse) -> None:
    name, rule = documented_rule()
    theirs = ChangeProp(house.client, name, rule | {"retry_on": {"status": [503, 502]}})
    house.reader.failure = WikiUnavailableError("away", 3.0)

    await theirs.take(edit())

    assert (theirs.statuses, len(theirs.errors)) == ([500], 1)


async def test_streams_that_fail_are_tried_again(
    house: ApiHouse, change_prop: ChangeProp, monkeypatch: pytest.MonkeyPatch
) -> None:
    append, failures = house.streams.append, [StoreError("full"), StoreError("full")]

    async def fail_twice(*arguments: Any) -> Any:
        if failures:
            raise failures.pop()
        return await append(*arguments)

    monkeypatch.setattr(house.streams, "append", fail_twice)
    await change_prop.take(edit())

    assert change_prop.statuses == [503, 503, 200]
    assert await published(house) == {10: 0.25}


@pytest.mark.parametrize(
    ("unscored", "statuses"),
    [
        (Unscored("too_long", "The text is too long.", is_final=True), [422]),
        (Unscored("busy", "Come again.", is_final=False), [500, 500, 500]),
    ],
)
async def test_a_model_without_a_score_is_asked_again_if_it_may_help(
    tmp_path: Path, view: WritableView, unscored: Unscored, statuses: list[int]
) -> None:
    model = FakeModel(lambda revisions: [unscored] * len(revisions))
    async with api_house(tmp_path, view, model, trusts_events=True) as house:
        asking = ChangeProp(house.client, *documented_rule())
        await asking.take(edit())
    assert asking.statuses == statuses


async def test_an_event_that_comes_again_is_scored_once(
    house: ApiHouse, change_prop: ChangeProp
) -> None:
    for _ in range(3):
        await change_prop.take(edit())

    assert change_prop.statuses == [200, 200, 200]
    assert house.model.asked == [10]  # type: ignore[attr-defined]
    assert len(await house.streams.read(names.PREDICTION, 0, 100)) == 1


async def test_a_text_hidden_before_the_retry_is_final(
    house: ApiHouse, change_prop: ChangeProp
) -> None:
    house.reader.unreadable[10] = [Unreadable("revision_hidden", "Its text is hidden.")]
    await change_prop.take(edit())
    assert change_prop.statuses == [422]
    assert await published(house) == {10: "revision_hidden"}
