"""What a wiki tells of its users: in batches, kept for some minutes."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from revision_quality.errors import NotAWikiError
from revision_quality.wiki.users import KEPT_SECONDS, Users
from tests.fakes import FakeClock
from tests.wiki.fake import FakeApi, fixture, parameters, response

RECORDED = fixture("users")


def wiki_of_everyone() -> FakeApi:
    """A wiki on which every asked name is a user."""

    def answer(request: httpx.Request) -> httpx.Response:
        names = parameters(request)["ususers"].split("|")
        users = [{"name": name, "userid": 1, "groups": ["*", "user"]} for name in names]
        return httpx.Response(200, json={"query": {"users": users}})

    return FakeApi(handler=answer)


async def test_the_registered_users_of_a_real_wiki_are_found():
    wiki = FakeApi(response(RECORDED))

    found = await Users(wiki.api(), 50).read(["Admin", "Bot", "127.0.0.1", "Nobody", "Bad#name"])

    assert set(found) == {"Admin", "Bot"}
    admin, bot = found["Admin"], found["Bot"]
    assert (admin.user_id, admin.edit_count, admin.is_bot) == (1, 5, False)
    assert admin.registration_dt == datetime(2026, 11, 23, 8, 35, 1, tzinfo=UTC)
    assert admin.groups is not None
    assert "sysop" in admin.groups
    assert bot.is_bot


@pytest.mark.parametrize("name", ["newcomer", "Newcomer", "newcomer ", "_Newcomer"])
async def test_a_name_is_found_however_it_is_written(name):
    wiki = FakeApi(response(RECORDED))
    users = Users(wiki.api(), 50)

    first = await users.read([name])
    second = await users.read([name])

    assert first[name].user_text == second[name].user_text == "Newcomer"
    assert len(wiki.requests) == 1


async def test_users_are_asked_for_in_batches_and_kept():
    wiki, clock = wiki_of_everyone(), FakeClock()
    users = Users(wiki.api(), 50, clock)
    names = [f"User {number:03}" for number in range(120)]

    assert len(await users.read(names)) == 120
    assert [asked["ususers"].count("|") + 1 for asked in wiki.asked] == [50, 50, 20]
    await users.read([*names[:3], "New one"])
    assert wiki.asked[-1]["ususers"] == "New one"

    await clock.sleep(KEPT_SECONDS)
    await users.read(names[:3])
    assert wiki.asked[-1]["ususers"] == "User 000|User 001|User 002"


async def test_nobody_to_ask_for_asks_nothing():
    wiki = wiki_of_everyone()

    assert await Users(wiki.api(), 50).read([]) == {}
    assert wiki.requests == []


async def test_an_account_without_a_known_past_is_read():
    old: dict[str, Any] = {"name": "Old", "userid": 2, "registration": None}
    temporary = {"name": "~2026-1", "userid": 3, "temp": True, "groups": ["*", "user", "temp"]}
    wiki = FakeApi({"query": {"users": [old, temporary]}})

    found = await Users(wiki.api(), 50).read(["Old", "~2026-1"])

    assert (found["Old"].registration_dt, found["Old"].edit_count) == (None, None)
    assert found["~2026-1"].is_temp


@pytest.mark.parametrize("query", [[], {"users": 1}, {"users": [{"userid": 1}]}])
async def test_an_answer_of_another_shape_is_told(query):
    with pytest.raises(NotAWikiError, match="its users are not as MediaWiki has them"):
        await Users(FakeApi({"query": query}).api(), 50).read(["Alice"])


async def test_users_of_long_ago_are_forgotten():
    wiki, clock = wiki_of_everyone(), FakeClock()
    users = Users(wiki.api(), 50, clock)
    for name in ("Early", "Later"):
        await users.read([name])
        clock.time += timedelta(seconds=KEPT_SECONDS / 2)

    await users.read(["Now"])

    assert users.remembered == 2


@pytest.mark.parametrize("registration", ["-0001-11-30T00:00:00Z", "", None])
async def test_a_registration_that_is_no_time_is_unknown(registration):
    """MediaWiki writes the first where an old table has no time."""
    entry = {"name": "Old", "userid": 3, "groups": ["*", "user"], "registration": registration}
    wiki = FakeApi({"query": {"users": [entry]}})

    found = await Users(wiki.api(), 50).read(["Old"])

    assert (found["Old"].user_id, found["Old"].registration_dt) == (3, None)
