"""A link of a real Special:RecentChanges lists the same edits here with its host changed."""

import json
import re
import sqlite3
import time
from contextlib import closing
from datetime import UTC, datetime
from urllib.parse import urljoin

import httpx
import pytest

from tests.e2e.service import Service, settings_file
from tests.servers.mediawiki import ADMIN, BOT, NEWER, RealWiki

pytestmark = pytest.mark.mediawiki

MINUTE, DAY = 60, 86400
NOW = int(time.time())
AGES = {"Old": 3 * DAY, "Talk:Old": 2 * DAY}
"""Of the edits of a page, in seconds; the others are minutes old."""

SETTINGS = """
$wgDefaultUserOptions['usenewrc'] = 0;
$wgExtraNamespaces = [ 3000 => 'Lab', 3001 => 'Lab_talk' ];
"""


def time_of(seconds_ago: float) -> str:
    return f"{datetime.fromtimestamp(NOW - seconds_ago, UTC):%Y%m%d%H%M%S}"


EXPERIENCE = {ADMIN: (600, 60 * DAY), "Learner": (50, 10 * DAY)}
"""Edits and age of an account; others are new."""


@pytest.fixture(scope="module")
def wiki(start_wiki) -> RealWiki:
    wiki = start_wiki(code=NEWER)
    wiki.configure(SETTINGS)
    made = []
    for name in ("Learner", "Newcomer"):
        wiki.create_user(name)
    for title in ("Old", "Talk:Old", "Page", "Talk:Page", "User:Admin", "User talk:Admin"):
        made += [(title, wiki.edit(title, "one", user=None)), (title, wiki.edit(title, "one two"))]
    for title in (
        "Project:Rules",
        "Template:Box",
        "Template talk:Box",
        "Lab:Page",
        "Lab talk:Page",
    ):
        made.append((title, wiki.edit(title, "x", user="Newcomer")))
        made.append((title, wiki.edit(title, "x and y", user="Learner", minor=True)))
    for number, user in enumerate((ADMIN, BOT, "Learner", "Newcomer", None)):
        made.append(("Page", wiki.edit("Page", f"one two {number}", user=user)))
        # Of an account in the group of bots every edit is a bot's here, flagged or not.
        if user != BOT:
            made.append(("Page", wiki.undo("Page", made[-1][1], user=user)))
    made.append(("Page", wiki.edit("Page", "", user=None)))
    made.append(("Page", wiki.edit("Page", "minor by a bot", user=BOT, minor=True)))
    wiki.run_jobs()
    _put_back(wiki, made)
    return wiki


def _put_back(wiki: RealWiki, made: list[tuple[str, int]]) -> None:
    """Give every edit a time of its own, and the accounts their experience."""
    with closing(sqlite3.connect(wiki.database)) as database, database:
        for place, (title, rev_id) in enumerate(made):
            moment = time_of(AGES.get(title, 0) + (len(made) - place) * MINUTE)
            times = (moment, rev_id)
            database.execute(
                "UPDATE recentchanges SET rc_timestamp = ? WHERE rc_this_oldid = ?", times
            )
            database.execute("UPDATE revision SET rev_timestamp = ? WHERE rev_id = ?", times)
        for user, (edits, age) in EXPERIENCE.items():
            database.execute(
                "UPDATE user SET user_editcount = ?, user_registration = ? WHERE user_name = ?",
                (edits, time_of(age), user),
            )


@pytest.fixture(scope="module")
def revq(wiki, tmp_path_factory):
    with Service("run", settings_file(tmp_path_factory.mktemp("revq"), wiki.api_url)) as service:
        service.all_dealt_with(len(there(wiki, "limit=500&hidebots=0")))
        yield service


def there(wiki: RealWiki, query: str, path: str = "/wiki/Special:RecentChanges") -> list[int]:
    """Return the revisions that the wiki lists, newest first."""
    answer = wiki.page(f"{path}{'&' if '?' in path else '?'}{query}")
    while answer.is_redirect:
        answer = wiki.page(answer.headers["location"].removeprefix(str(answer.url.join("/"))[:-1]))
    assert answer.status_code in (200, 404), answer
    return [int(rev_id) for rev_id in re.findall(r'<li data-mw-revid="(\d+)"', answer.text)]


def here(revq: Service, query: str, path: str = "/wiki/Special:RecentChanges") -> list[int]:
    """Return the revisions that our page lists at the same address."""
    answer = httpx.get(
        urljoin(revq.url, f"{path}{'&' if '?' in path else '?'}{query}"),
        headers={"Accept": "application/json"},
        follow_redirects=True,
    )
    return [row["rev_id"] for row in answer.raise_for_status().json()["changes"]]


QUERIES = """
hidebots=1
hidebots=0
hidehumans=1
hidehumans=1&hidebots=0
hidehumans=1&hidebots=1
urlversion=2
urlversion=2&hidebots=1
urlversion=1
namespace=0
hidebots=true
hidebots=2
hideminor=1
hidemajor=1
hideminor=1&hidemajor=1
hidemajor=1&hidepageedits=1
hidenewpages=1
hidepageedits=1
hidenewpages=1&hidepageedits=1
hidenewpages=1&hidepageedits=1&hidenewuserlog=1
hidenewpages=1&hidepageedits=1&hidelog=1&hidenewuserlog=1&hidecategorization=1&hideWikibase=1
hidelog=1&hidecategorization=1&hidenewuserlog=1
hidecategorization=1
hideanons=1
hideliu=1
hideanons=1&hideliu=1
hideanons=1&hideliu=1&hidebots=0
hideanons=1&userExpLevel=newcomer
hideliu=1&userExpLevel=newcomer
userExpLevel=unregistered
userExpLevel=registered
userExpLevel=newcomer
userExpLevel=learner
userExpLevel=experienced
userExpLevel=newcomer;learner
userExpLevel=newcomer;learner;experienced
userExpLevel=unregistered;experienced
userExpLevel=unregistered;newcomer;learner;experienced
userExpLevel=registered;newcomer
userExpLevel=unregistered;registered
userExpLevel=all
userExpLevel=all;newcomer
userExpLevel=Newcomer;LEARNER
userExpLevel=expert;learner
userExpLevel=expert
userExpLevel=newcomer&userExpLevel=learner
namespace=0&namespace=1
hidebots=0&hidebots=1
hidebots=1&hidebots=0
userExpLevel=
namespace=0;1
namespace=0;1&invert=1
namespace=0&associated=1
namespace=3;3000&associated=1
namespace=0&invert=1&associated=1
namespace=0&invert=0
namespace=0&invert=
namespace=all-contents
namespace=all-discussions
namespace=all-contents;1
namespace=all-discussions;0;3000
namespace=all-contents;all-discussions
namespace=all-contents&invert=1
namespace=all-discussions&invert=1
namespace=all-discussions;4&invert=1
namespace=all-contents&associated=1
namespace=all-discussions&associated=1&invert=1
namespace=all-contents;all-discussions&invert=1
namespace=
namespace=all
namespace=abc
namespace=abc;4
namespace=-1
namespace=-1;0
namespace=3001
namespace=0,1
namespace=0|1
invert=1
tagfilter=mw-undo
tagfilter=mw-undo|mw-blank
tagfilter=mw-undo&inverttags=1
tagfilter=mw-undo|mw-blank&inverttags=1
tagfilter=mw-reverted
tagfilter=mw-reverted|mw-undo&inverttags=1&hidebots=0
tagfilter=nobody-knows
tagfilter=nobody-knows|mw-blank
tagfilter=nobody-knows&inverttags=1
tagfilter=MW-undo
tagfilter=
inverttags=1
limit=3&hidelog=1&hidenewuserlog=1
limit=1&hidelog=1&hidenewuserlog=1
days=1
days=2.5
days=0.0069
days=2.5&from={2d}
days=1&from={2d}
from={20m}
from={20m}&days=30
from={20m}&hidebots=0&limit=5&hidelog=1&hidenewuserlog=1
from=
enhanced=0&hidebots=0
highlight=1&automated__hidebots_color=c4&hidebots=0
peek=0
rcfilters=1
""".split()  # noqa: SIM905


@pytest.mark.parametrize(
    "query",
    [
        *("tagfilter=mw-reverted", "tagfilter=mw-blank", "hidemajor=1", "hidehumans=1&hidebots=0"),
        *("userExpLevel=experienced", "userExpLevel=learner", "namespace=3001", "days=0.0069"),
    ],
)
def test_the_wiki_has_some_edits_of_each_kind_and_others(wiki, query: str) -> None:
    assert 0 < len(there(wiki, query)) < len(there(wiki, "")) - 5


@pytest.mark.parametrize("query", QUERIES)
def test_the_same_edits_are_listed(wiki, revq, query: str) -> None:
    query = query.replace("{2d}", time_of(2 * DAY)).replace("{20m}", time_of(20 * MINUTE))

    assert here(revq, query) == there(wiki, query)


PATHS = """
/wiki/Special:RecentChanges
/wiki/Special:Recentchanges
/wiki/special:recentchanges
/w/index.php?title=Special:RecentChanges
/w/index.php?title=Special:Recentchanges
/w/index.php/Special:RecentChanges
/wiki/Special:RecentChanges/5
/wiki/Special:RecentChanges/hideminor,namespace=0
/wiki/Special:RecentChanges/bots,limit=5
/wiki/Special:RecentChanges/days=1,tagfilter=mw-undo
""".split()  # noqa: SIM905


@pytest.mark.parametrize("path", PATHS)
def test_the_same_addresses_lead_to_them(wiki, revq, path: str) -> None:
    query = "hidelog=1&hidenewuserlog=1"

    assert here(revq, query, path) == there(wiki, query, path)


NOT_HERE = {
    *("authorship__hidemyself", "authorship__hidebyothers"),
    *("lastRevision__hidelastrevision", "lastRevision__hidepreviousrevisions"),
}
OTHER_CHANGES = {"changeType__hidelog", "changeType__hidenewuserlog"}


def test_the_same_edits_are_highlighted(wiki, revq) -> None:
    page = wiki.page("/wiki/Special:RecentChanges?urlversion=2&limit=500").text
    groups, _ = json.JSONDecoder().raw_decode(page.partition('"wgStructuredChangeFilters":')[2])
    classes = {
        f"{group['name']}__{one['name']}": one["cssClass"]
        for group in groups
        for one in group["filters"]
        if one["cssClass"]
    }
    # Of namespaces and tags the page's scripts make the filters (mediawiki.rcfilters).
    classes |= {f"namespace__{n}": f"mw-changeslist-ns-{n}" for n in (0, 1, 4, 3000)}
    classes["namespace__all-contents"] = "mw-changeslist-ns-subject"
    classes["namespace__all-discussions"] = "mw-changeslist-ns-talk"
    classes["tagfilter__mw-undo"] = "mw-tag-mw-undo"
    rows = dict(re.findall(r'<li data-mw-revid="(\d+)"[^>]* class="([^"]*)"', page))
    expected = {
        name: {rev_id for rev_id, own in rows.items() if css in own.split()}
        for name, css in classes.items()
        if name not in NOT_HERE | OTHER_CHANGES
    }
    assert len(expected) > 15

    found = {}
    for name in expected:
        html = revq.page(f"{name}_color=c1")
        assert 'class="notice"' not in html
        found[name] = set(re.findall(r'<li id="my_wiki:(\d+)" class="[^"]* c1"', html))
    assert found == expected
    for name in NOT_HERE:
        assert "needs what is not known here" in revq.page(f"{name}_color=c1")
    for name in OTHER_CHANGES:
        assert 'class="notice"' not in revq.page(f"{name}_color=c1")
