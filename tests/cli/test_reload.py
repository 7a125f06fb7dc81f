"""The settings change while the service runs: wikis come, go and go on; nothing else stops."""

import asyncio

import httpx
import pytest
from msgspec.structs import replace

from revision_quality.cli.reload import Reloading, difference
from revision_quality.cli.wikis import Wikis
from revision_quality.errors import SettingsError
from revision_quality.mediawiki_tables_block import MediaWikiTablesBlock
from revision_quality.settings import Settings, Web, Wiki

ONE, TWO = "https://one.example/w/api.php", "https://two.example/w/api.php"


def siteinfo(request: httpx.Request) -> httpx.Response:
    host = request.url.host.partition(".")[0]
    general = {
        "wikiid": f"{host}wiki",
        "sitename": host,
        "lang": "en",
        "generator": "MediaWiki 1.43.0",
        "server": f"https://{host}.example",
        "articlepath": "/wiki/$1",
        "script": "/w/index.php",
        "scriptpath": "/w",
        "mainpage": "Main Page",
        "base": f"https://{host}.example/wiki/Main_Page",
        "case": "first-letter",
        "timezone": "UTC",
        "rtl": False,
    }
    namespaces = {"0": {"id": 0, "name": "", "case": "first-letter", "content": True}}
    query = {"general": general, "namespaces": namespaces, "userinfo": {"id": 0, "rights": []}}
    return httpx.Response(200, json={"batchcomplete": True, "query": query})


def settings(*wikis: Wiki, **fields) -> Settings:
    return Settings(wikis=wikis, **fields)


def test_what_is_different_is_told():
    table = MediaWikiTablesBlock(database="sqlite:///x.sqlite")
    old = settings(Wiki(api=ONE), Wiki(api=TWO))
    new = settings(Wiki(api=ONE, slots=4, mediawiki_tables=table), web=Web(port=1))

    found = difference(old, new)

    assert (found.added, found.removed, found.changed) == ((), (TWO,), (ONE,))
    assert found.restart == ("web", f"mediawiki_tables of {ONE}")
    assert difference(old, old) == difference(new, new)


@pytest.fixture
async def wikis(tmp_path):
    async with httpx.AsyncClient(transport=httpx.MockTransport(siteinfo)) as client:
        made = Wikis([Wiki(api=ONE)], client, tmp_path)
        await made.connect()
        made.persevere()
        yield made
        await made.close()


async def until(check):
    async with asyncio.timeout(60):
        while not check():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_a_wiki_comes_and_another_goes(wikis):
    gone = wikis.connected["onewiki"]
    told = []
    wikis.on_connect(told.append, told.append)

    wikis.change([Wiki(api=TWO)])
    await until(lambda: "twowiki" in wikis.connected)

    assert list(wikis.connected) == ["twowiki"]
    assert gone.ended.is_set()
    assert told == [gone, wikis.connected["twowiki"]]
    assert wikis.unreachable == {}


async def test_a_wiki_with_other_settings_goes_on_without_a_gap(wikis):
    old = wikis.connected["onewiki"]
    each = wikis.each()
    assert await anext(each) is old

    wikis.change([Wiki(api=ONE, slots=7)])
    new = wikis.connected["onewiki"]

    assert (new.settings.slots, new.info, old.ended.is_set()) == (7, old.info, True)
    assert await anext(each) is new
    await each.aclose()


async def test_settings_that_cannot_be_meant_leave_all_as_it_was(wikis):
    old = settings(Wiki(api=ONE))
    new = {"read": old}

    def read():
        if isinstance(new["read"], Exception):
            raise new["read"]
        return new["read"]

    reloading = Reloading(old, read, wikis)
    for wrong in (
        SettingsError("web.port: expected int"),
        settings(),
        settings(Wiki(api=TWO, access_token_env="REVQ_NOT_SET")),
    ):
        new["read"] = wrong
        assert reloading.reload() is None
        assert list(wikis.connected) == ["onewiki"]

    new["read"] = replace(old, stop_seconds=1.0)
    found = reloading.reload()
    assert found is not None
    assert found.restart == ("stop_seconds",)
