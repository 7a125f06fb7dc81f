"""Many wikis, some of which do not answer: nobody waits for them, they come later."""

import asyncio
from pathlib import Path

import httpx
import pytest
from structlog.testing import capture_logs

from revision_quality.cli.wikis import ConnectedWiki, Wikis
from revision_quality.errors import SettingsError, WikiError, WikiUnavailableError
from revision_quality.settings import Wiki
from tests.fakes import FakeClock

GENERAL = {
    "generator": "MediaWiki 1.43.0",
    "sitename": "W",
    "lang": "en",
    "server": "http://wiki.example",
    "articlepath": "/wiki/$1",
    "scriptpath": "/w",
}


class Farm:
    """Wikis by host: `silent` ones never answer, `down` ones with 503, `refusing` ones with 404."""

    def __init__(self) -> None:
        self.silent: set[str] = set()
        self.down: set[str] = set()
        self.refusing: set[str] = set()
        self.names: dict[str, str] = {}
        self.asked: list[str] = []

    async def answer(self, request: httpx.Request) -> httpx.Response:
        host = request.url.host.removesuffix(".example")
        self.asked.append(host)
        if host in self.silent:
            await asyncio.sleep(1000)
        if host in self.down:
            return httpx.Response(503, headers={"Retry-After": "60"}, text="maintenance")
        if host in self.refusing:
            return httpx.Response(404, text="nothing here")
        general = GENERAL | {"wikiid": self.names.get(host, host)}
        return httpx.Response(200, json={"query": {"general": general, "namespaces": {}}})

    def wikis(self, folder: Path, *hosts: str) -> Wikis:
        client = httpx.AsyncClient(transport=httpx.MockTransport(self.answer))
        settings = [Wiki(api=api(host)) for host in hosts]
        return Wikis(settings, client, folder, FakeClock())


def api(host: str) -> str:
    return f"https://{host}.example/api.php"


@pytest.fixture
def farm() -> Farm:
    return Farm()


async def first(wikis: Wikis, number: int) -> list[str]:
    found: list[str] = []
    async for wiki in wikis.each():
        found.append(wiki.wiki_id)
        if len(found) == number:
            break
    return found


async def test_a_silent_wiki_keeps_nobody_waiting_and_comes_later(farm, tmp_path):
    farm.silent = {"dead"}
    wikis = farm.wikis(tmp_path, "one", "dead", "two")
    told: list[ConnectedWiki] = []
    wikis.on_connect(told.append)

    await wikis.connect(patience=0.1)

    assert sorted(wikis.connected) == ["one", "two"]
    assert wikis.unreachable == {api("dead"): "has not answered yet"}
    await wikis.close()


async def test_a_wiki_that_says_no_is_asked_again_until_it_answers(farm, tmp_path):
    farm.refusing = {"late"}
    wikis = farm.wikis(tmp_path, "one", "late")
    await wikis.connect(patience=1)
    assert "answers HTTP 404" in wikis.unreachable[api("late")]

    wikis.persevere()
    async with asyncio.timeout(60):
        while farm.asked.count("late") < 3:  # noqa: ASYNC110
            await asyncio.sleep(0)
        farm.refusing.clear()
        assert await first(wikis, 2) == ["one", "late"]
    assert wikis.unreachable == {}
    await wikis.close()


async def test_a_start_waits_for_the_only_wiki_and_tells_why(farm, tmp_path):
    farm.down = {"only"}
    wikis = farm.wikis(tmp_path, "only")
    await wikis.connect(patience=1)
    assert "answers HTTP 503" in wikis.unreachable[api("only")]
    assert wikis.is_expected("any.example"), "it may be its public name"

    wikis.persevere()
    farm.down.clear()
    async with asyncio.timeout(60):
        assert await first(wikis, 1) == ["only"]
    assert not wikis.is_expected("any.example")
    await wikis.close()


async def test_what_a_wiki_that_was_down_says_then_is_told(farm, tmp_path):
    farm.down = {"only"}
    wikis = farm.wikis(tmp_path, "only")
    await wikis.connect(patience=1)
    farm.down, farm.refusing = set(), {"only"}

    with capture_logs() as logs:
        wikis.persevere()
        async with asyncio.timeout(60):
            while "HTTP 404" not in wikis.unreachable[api("only")]:  # noqa: ASYNC110
                await asyncio.sleep(0)
            while len(logs) < 2:  # noqa: ASYNC110
                await asyncio.sleep(0)
    assert ["HTTP 503" in logs[0]["error"], "HTTP 404" in logs[1]["error"]] == [True, True]
    await wikis.close()


async def test_one_wiki_that_may_come_is_enough_to_start(farm, tmp_path):
    farm.refusing, farm.down = {"wrong"}, {"down"}
    wikis = farm.wikis(tmp_path, "wrong", "down")

    await wikis.connect(patience=1)
    assert wikis.unreachable.keys() == {api("wrong"), api("down")}
    await wikis.close()


async def test_a_start_without_any_wiki_is_refused_with_the_first_ones_reason(farm, tmp_path):
    farm.refusing = {"one", "two"}
    wikis = farm.wikis(tmp_path, "one", "two")

    with pytest.raises(WikiError, match=r"one\.example/api\.php answers HTTP 404"):
        await wikis.connect(patience=1)
    await wikis.close()


async def test_two_addresses_of_one_wiki_are_refused(farm, tmp_path):
    farm.names = {"other": "one"}
    wikis = farm.wikis(tmp_path, "one", "other")

    with pytest.raises(SettingsError, match="both say that they are one: remove one"):
        await wikis.connect(patience=1)
    await wikis.close()


async def test_two_addresses_of_one_wiki_are_told_when_that_shows_late(farm, tmp_path):
    farm.names, farm.refusing = {"other": "one"}, {"other"}
    wikis = farm.wikis(tmp_path, "one", "other")
    await wikis.connect(patience=1)
    farm.refusing.clear()

    wikis.persevere()
    async with asyncio.timeout(60):
        while "both say that they are one" not in wikis.unreachable[api("other")]:  # noqa: ASYNC110
            await asyncio.sleep(0)
    await wikis.close()


async def test_of_a_silent_wiki_what_it_said_before_is_taken_at_once(farm, tmp_path):
    wikis = farm.wikis(tmp_path, "one", "other")
    await wikis.connect(patience=1)
    await wikis.close()

    farm.silent = {"other"}
    again = farm.wikis(tmp_path, "one", "other")
    await again.connect(patience=0.1)

    assert sorted(again.connected) == ["one", "other"]
    assert again.unreachable == {}
    await again.close()


async def test_who_has_not_answered_yet_is_expected(farm, tmp_path):
    farm.silent, farm.refusing = {"slow", "вики"}, {"broken"}
    wikis = farm.wikis(tmp_path, "one", "slow", "broken", "вики")
    await wikis.connect(patience=0.1)
    assert wikis.is_expected("anything.example")

    await wikis.close()
    assert wikis.is_expected("broken.example")
    assert wikis.is_awaited("slow.example")
    assert wikis.is_awaited("xn--b1amah.example")
    assert not wikis.is_awaited("one.example")
    assert not wikis.is_expected("anything.example")
    assert not wikis.is_expected(None)


async def cut(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("down")


async def no_wiki(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, html="<h1>Welcome to your new server</h1>")


@pytest.mark.parametrize("answer", [cut, no_wiki])
async def test_what_a_wiki_said_before_is_enough(farm, tmp_path, answer):
    wikis = farm.wikis(tmp_path, "one")
    await wikis.connect(patience=1)
    await wikis.close()

    farm.answer = answer
    again = farm.wikis(tmp_path, "one")
    async with asyncio.timeout(60):
        await again.connect(patience=0.1)
    assert list(again.connected) == ["one"]
    with pytest.raises(WikiUnavailableError):
        await again.connected["one"].api.get(action="query")
    await again.close()


async def test_a_wiki_that_says_no_is_not_taken_as_it_was(farm, tmp_path):
    wikis = farm.wikis(tmp_path, "one")
    await wikis.connect(patience=1)
    await wikis.close()

    async def wrong_token(request: httpx.Request) -> httpx.Response:
        error = {"code": "mwoauth-invalid-authorization", "info": "The signature is wrong."}
        return httpx.Response(200, json={"error": error})

    farm.answer = wrong_token
    again = farm.wikis(tmp_path, "one")
    with pytest.raises(WikiError, match="The signature is wrong"):
        await again.connect(patience=1)
    await again.close()
