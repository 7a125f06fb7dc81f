"""A wiki's addresses of Special:RecentChanges, read as it reads them.

`tests/e2e/test_same_rows.py` asks a real MediaWiki the same.
"""

import httpx
import pytest

from revision_quality.sites import Site
from revision_quality.web.special_page import query_of

GERMAN = Site(
    wiki_id="dewiki",
    name="Wikipedia",
    lang="de",
    dir="ltr",
    server="https://de.example",
    namespaces={-1: "Spezial", 0: ""},
    recent_changes=("Letzte_Änderungen", "RecentChanges"),
)


@pytest.mark.parametrize(
    ("title", "pairs", "query"),
    [
        ("Special:RecentChanges", [("urlversion", "2")], [("urlversion", "2")]),
        ("Special:RecentChanges", [("hidebots", "0")], [("hidebots", "0")]),
        ("Special:RecentChanges", [], [("hidebots", "1")]),
        ("Special:RecentChanges", [("urlversion", "1")], [("urlversion", "1"), ("hidebots", "1")]),
        ("special:recentchanges", [("hidebots", "")], [("hidebots", "")]),
        ("Spezial:Letzte_Änderungen", [("hidebots", "1")], [("hidebots", "1")]),
        ("spezial:letzte Änderungen", [("hidebots", "1")], [("hidebots", "1")]),
        ("Special:Letzte_Änderungen", [("hidebots", "1")], [("hidebots", "1")]),
        ("Spezial:RecentChanges", [("hidebots", "1")], [("hidebots", "1")]),
        ("Special:RecentChanges/50", [("hidebots", "1")], [("hidebots", "1"), ("limit", "50")]),
        (
            "Special:RecentChanges/bots, hideminor,days=3,namespace=2,what",
            [("days", "7"), ("title", "x"), ("urlversion", "2")],
            [
                *(("days", "3"), ("urlversion", "2")),
                *(("hidebots", "0"), ("hideminor", "1"), ("namespace", "2")),
            ],
        ),
        (
            "Special:RecentChanges",
            [("namespace", "0"), ("hidebots", "1"), ("namespace", "1")],
            [("namespace", "1"), ("hidebots", "1")],
        ),
        (
            "Special:RecentChangesLinked/User:A/b",
            [("urlversion", "2")],
            [("urlversion", "2"), ("target", "User:A/b")],
        ),
        ("Special:Watchlist", [], None),
        ("Talk:RecentChanges", [], None),
        ("RecentChanges", [], None),
        ("Letzte_Änderungen", [], None),
        ("", [], None),
    ],
)
def test_a_title_and_its_parameters_mean_what_they_mean_on_the_wiki(title, pairs, query) -> None:
    assert query_of(title, pairs, [GERMAN]) == query


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("/wiki/Special:RecentChanges?urlversion=2&namespace=0;1", "urlversion=2&namespace=0;1"),
        ("/w/index.php?title=Special:RecentChanges&days=3", "days=3&hidebots=1"),
        ("/w/index.php/Special:RecentChanges/hideminor", "hideminor=1&hidebots=1"),
        ("/w/index.php?title=Spesial:Siste_endringer&hidebots=0", "hidebots=0"),
        (
            "/wiki/Special:RecentChanges?tagfilter=a%20%26|%C3%BC",
            "tagfilter=a+%26%7C%C3%BC&hidebots=1",
        ),
    ],
)
async def test_a_wikis_link_leads_here_with_its_host_changed(
    client: httpx.AsyncClient, address: str, place: str
) -> None:
    answer = await client.get(address)

    assert answer.status_code == 307
    assert answer.headers["location"] == f"/recent-changes?{place}"


@pytest.mark.parametrize("path", ["/wiki/Main_Page", "/w/index.php/Main_Page", "/wiki/"])
async def test_other_pages_of_a_wiki_are_not_here(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(path)).status_code == 404
