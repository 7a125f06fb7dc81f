"""The extension RevisionQuality on a real MediaWiki whose database is MariaDB or PostgreSQL."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from revision_quality.views.database import Database
from tests.e2e.test_extension import Service, fill, page, summaries
from tests.servers.databases import RealServer
from tests.servers.mediawiki import ADMIN, INSTALLED, NEWER, RealWiki
from tests.views.ores_house import run

pytestmark = [pytest.mark.mediawiki, pytest.mark.database]

SCHEMAS = {"mariadb": None, "postgresql": "mediawiki"}
"""$wgDBmwschema, as MediaWiki's installer has it."""


class House(NamedTuple):
    """A wiki with the extension, and its database."""

    wiki: RealWiki
    url: str
    schema: str | None


@pytest.fixture(scope="module", params=[INSTALLED, NEWER], ids=["1.39", "1.43"])
def code(request: pytest.FixtureRequest) -> Path:
    found: Path = request.param
    return found


@pytest.fixture(scope="module", params=sorted(SCHEMAS))
def house(request: pytest.FixtureRequest, start_wiki: Any, code: Path) -> Iterator[House]:
    kind = request.param
    server: RealServer = request.getfixturevalue(kind)
    url = server.new_url()
    wiki: RealWiki = start_wiki(f"on_{kind}", code=code, database=url)
    service = Service()
    fill(wiki, service, url, schema=SCHEMAS[kind])
    wiki.edit("Leads there", "[[First]]")
    yield House(wiki, url, SCHEMAS[kind])
    service.close()


@pytest.fixture
def wiki(house: House) -> RealWiki:
    return house.wiki


@pytest.mark.parametrize(
    ("chosen", "shown"),
    [
        ("likelygood", ["edit 0"]),
        ("verylikelybad", ["edit 4"]),
        ("likelybad", ["edit 3", "edit 4"]),
        ("likelygood;likelybad", ["edit 0", "edit 3", "edit 4"]),
        ("unscored", []),
        ("unscored;verylikelybad", ["edit 4"]),
    ],
)
def test_the_filter_by_url(wiki: RealWiki, chosen: str, shown: list[str]) -> None:
    text = page(wiki, f"revisionquality={chosen}")

    assert summaries(text) == shown
    assert (">Last<" in text) is chosen.startswith("unscored")


@pytest.mark.parametrize("levels", ["likelybad", "unscored;likelybad"])
@pytest.mark.parametrize("name", ["Watchlist", "RecentChangesLinked/Leads there"])
def test_the_other_pages_have_the_filter(wiki: RealWiki, name: str, levels: str) -> None:
    address = f"/wiki/Special:{name}?urlversion=2&tagfilter=&revisionquality={levels}"

    assert summaries(wiki.page(address, user=ADMIN).text) == ["edit 3", "edit 4"]


@pytest.mark.parametrize("levels", [["verylikelybad"], ["likelygood", "verylikelybad"]])
@pytest.mark.parametrize(
    ("prefix", "question"),
    [
        ("rc", {"list": "recentchanges", "rcprop": "comment|revisionquality"}),
        ("wl", {"list": "watchlist", "wlprop": "ids|comment|revisionquality", "wlallrev": 1}),
        ("uc", {"list": "usercontribs", "ucprop": "comment|revisionquality", "ucuser": ADMIN}),
        ("rv", {"prop": "revisions", "rvprop": "comment|revisionquality", "titles": "First",
                "rvlimit": 50}),
    ],
)  # fmt: skip
def test_the_apis_lists_by_level(
    wiki: RealWiki, prefix: str, question: dict[str, Any], levels: list[str]
) -> None:
    show = {f"{prefix}show": "|".join(f"revisionquality-{level}" for level in levels)}

    answer = wiki.get(user=ADMIN, action="query", **question, **show)

    assert "warnings" not in answer
    told = re.findall(r"'level': '(\w+)'", str(answer))
    assert sorted(told) == sorted(levels)


def test_what_is_hidden_or_deleted_has_no_score(house: House) -> None:
    wiki = house.wiki
    first, second = (wiki.edit("Doomed", text) for text in ("A secret.", "Nothing."))
    assert kept(house, first, second) == {first, second}
    wiki.hide_revision(first)
    assert kept(house, first, second) == {second}
    wiki.delete("Doomed")
    assert kept(house, second) == set()


def kept(house: House, *rev_ids: int) -> set[int]:
    """Return those of the revisions that are in both tables."""
    database = Database(house.url)
    schema = f"{house.schema}." if house.schema else ""
    found = run(
        database,
        f"SELECT DISTINCT rq_rev FROM {schema}revision_quality"
        f" JOIN {schema}revision_quality_flag ON rqf_rev = rq_rev"
        f" WHERE rq_rev IN ({', '.join(map(str, rev_ids))})",
    )
    database.close_now()
    return {rev_id for (rev_id,) in found}
