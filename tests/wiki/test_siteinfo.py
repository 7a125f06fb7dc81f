"""A wiki says who it is, and what it can."""

from copy import deepcopy
from typing import Any

import httpx
import pytest

from revision_quality.errors import NotAWikiError, WikiRefusedError
from revision_quality.wiki.siteinfo import BATCH, HIGH_BATCH, read_siteinfo
from tests.wiki.fake import FakeApi, fixture, response

ENGLISH = fixture("siteinfo")["body"]


def body(**general: Any) -> dict[str, Any]:
    changed = deepcopy(ENGLISH)
    changed["query"]["general"] |= general
    return changed


async def test_a_real_wiki_is_known():
    info = await read_siteinfo(FakeApi(response(fixture("siteinfo"))).api())

    assert (info.site.wiki_id, info.site.name, info.site.lang) == (
        *("my_wiki", "Loopback Wiki", "en"),
    )
    assert info.site.page_url("A b") == "http://127.0.0.1:8480/wiki/A_b"
    assert info.site.namespaces[3] == "User talk"
    assert (info.generator, info.batch, info.site.dir) == ("MediaWiki 1.39.17", BATCH, "ltr")


async def test_a_wiki_may_be_written_from_right_to_left():
    info = await read_siteinfo(FakeApi(response(fixture("siteinfo_rtl"))).api())

    assert (info.site.dir, info.site.lang, info.site.wiki_id) == ("rtl", "he", "hewiki")
    assert info.site.namespaces[1] == "שיחה"


async def test_a_wiki_has_names_of_its_own_for_its_recent_changes():
    answer = body()
    answer["query"]["specialpagealiases"] = [
        {"realname": "Watchlist", "aliases": ["Beobachtungsliste"]},
        {"realname": "Recentchanges", "aliases": ["Letzte_Änderungen", "RecentChanges"]},
    ]

    site = (await read_siteinfo(FakeApi(answer).api())).site
    assert site.recent_changes == ("Letzte_Änderungen", "RecentChanges")
    assert (await read_siteinfo(FakeApi(body()).api())).site.recent_changes == ()


async def test_the_right_to_high_limits_makes_batches_larger():
    answer = body()
    answer["query"]["userinfo"] = {"id": 1, "rights": ["read", "apihighlimits"]}

    assert (await read_siteinfo(FakeApi(answer).api())).batch == HIGH_BATCH


async def test_a_server_without_a_scheme_gets_that_of_the_api():
    info = await read_siteinfo(FakeApi(body(server="//wiki.example")).api())

    assert info.site.server == "https://wiki.example"


@pytest.mark.parametrize("generator", ["MediaWiki 1.34.4", "MediaWiki 1.5.8", "MediaWiki 0.9"])
async def test_an_old_mediawiki_is_refused(generator):
    with pytest.raises(NotAWikiError, match=f"runs {generator}; revq needs MediaWiki 1.35"):
        await read_siteinfo(FakeApi(body(generator=generator)).api())


@pytest.mark.parametrize("generator", ["MediaWiki 1.35.0", "MediaWiki 2.0", "MediaWiki 1.47-alpha"])
async def test_a_newer_mediawiki_is_taken(generator):
    assert (await read_siteinfo(FakeApi(body(generator=generator)).api())).generator == generator


@pytest.mark.parametrize("wiki_id", ["../../etc", "a/b", "", ".hidden", "a\0b", "x" * 65, "a b"])
async def test_a_wiki_id_that_is_no_name_is_refused(wiki_id):
    with pytest.raises(NotAWikiError, match=r"says that its wiki id is .*, which cannot be one"):
        await read_siteinfo(FakeApi(body(wikiid=wiki_id)).api())


@pytest.mark.parametrize("wiki_id", ["enwiki", "be_x_oldwiki", "my-wiki", "wiki-en_", "a.b$c"])
async def test_a_wiki_id_as_mediawiki_has_it_is_taken(wiki_id):
    assert (await read_siteinfo(FakeApi(body(wikiid=wiki_id)).api())).site.wiki_id == wiki_id


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"query": {}},
        {"query": []},
        {"query": {"general": {}}},
        {"query": {"general": 5, "namespaces": {}}},
        {**ENGLISH, "query": {**ENGLISH["query"], "namespaces": []}},
        {**ENGLISH, "query": {**ENGLISH["query"], "namespaces": {"x": {"name": ""}}}},
        {"query": {"general": {"generator": 5, "wikiid": "x"}}},
    ],
)
async def test_an_answer_without_siteinfo_is_told(answer):
    with pytest.raises(NotAWikiError, match="its siteinfo are not as MediaWiki has them"):
        await read_siteinfo(FakeApi(answer).api())


async def test_a_private_wiki_is_told_what_to_do():
    with pytest.raises(
        WikiRefusedError, match=r"may only be read by its users: .*access_token_env"
    ):
        await read_siteinfo(FakeApi(response(fixture("errors")["private"])).api())


async def test_a_page_instead_of_an_api_is_told():
    page = httpx.Response(200, html="<!DOCTYPE html>")

    with pytest.raises(NotAWikiError, match="does not answer as a MediaWiki API"):
        await read_siteinfo(FakeApi(page).api())
