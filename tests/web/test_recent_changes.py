import re
from datetime import UTC, datetime
from html import unescape
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest
from sqlalchemy import insert

from revision_quality.demo import sample_edits
from revision_quality.recent_changes.filters import parse_filters
from revision_quality.sites import site_of
from revision_quality.views.change import Change, State, UserLevel
from revision_quality.views.tables import changes
from revision_quality.web.app import create_app
from revision_quality.web.assets import ASSETS
from revision_quality.web.interface import ZONE_COOKIE, Interface, languages
from revision_quality.web.rendering import render_notice
from tests.events.examples import page_change, revision
from tests.recent_changes.examples import LEVELS, SITES, change
from tests.recent_changes.test_query import values
from tests.views.examples import records
from tests.web.conftest import WritableView

FEW = (
    change(1, score=0.95, comment="/* History */ see [[Other page]]"),
    change(2, wiki_id="hewiki", score=0.05, title="עמוד ראשי", user="דנה"),
    change(3, state=State.PENDING, score=None, is_minor=True, size=900),
    change(4, state=State.NOT_SCORABLE, score=None, kind="create", message="The page is new."),
    change(5, score=0.65, is_bot=True, tags=("mobile edit", "visualeditor")),
    change(6, user=None, user_hidden=True, comment=None, comment_hidden=True, content_hidden=True),
)


class Elements(HTMLParser):
    """The start tags of a page, and the texts of its rows by their id."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.rows: dict[str, str] = {}
        self._row: str | None = None
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self.tags.append((tag, attributes))
        if tag == "li" and attributes.get("id"):
            self._row = attributes["id"]
            assert self._row is not None
            self.rows[self._row] = ""

    def handle_endtag(self, tag: str) -> None:
        if tag in ("li", "ul"):
            self._row = None

    def handle_data(self, data: str) -> None:
        if self._row is not None:
            self.rows[self._row] += data


def rows_of(html: str) -> dict[str, str]:
    rows = Elements(html).rows
    return {key: " ".join(text.split()) for key, text in rows.items()}


async def rows_at(client: httpx.AsyncClient, query: str = "") -> dict[str, str]:
    answer = await client.get(f"/recent-changes?{query}")
    assert answer.status_code == 200
    return rows_of(answer.text)


async def test_rows_read_as_in_mediawiki(client: httpx.AsyncClient, view: WritableView) -> None:
    await view.write(*FEW)

    assert await rows_at(client) == {
        "enwiki:6": "0.25 Unclear (diff | hist) · enwiki Main Page; 22:13 · (+30) ·"
        " (username removed) (edit summary removed)",
        "enwiki:5": "0.65 Likely (diff | hist) · b enwiki Main Page; 22:13 · (+30) ·"
        " Alice (talk | contribs) (typo) (Tags: mobile edit, visualeditor)",
        "enwiki:4": "Not scorable (diff | hist) · N enwiki Main Page; 22:13 · (+130) ·"
        " Alice (talk | contribs) (typo) The page is new.",
        "enwiki:3": "Not scored yet (diff | hist) · m enwiki Main Page; 22:13 · (+800) ·"
        " Alice (talk | contribs) (typo)",
        "hewiki:2": "0.05 Good (diff | hist) · hewiki עמוד ראשי; 22:13 · (+30) ·"
        " דנה (talk | contribs) (typo)",
        "enwiki:1": "0.95 Very likely (diff | hist) · enwiki Main Page; 22:13 · (+30) ·"
        " Alice (talk | contribs) (→History: see Other page)",
    }


async def test_what_a_row_leads_to(client: httpx.AsyncClient, view: WritableView) -> None:
    await view.write(FEW[1], FEW[5])
    html = unescape((await client.get("/recent-changes")).text)

    assert 'href="https://he.example/wiki/עמוד_ראשי"' in html
    assert '<bdi lang="he" dir="rtl">' in html
    assert "<span class=history-deleted>diff</span>" in html
    assert "diff=6" not in html
    assert "<span class=history-deleted>(username removed)</span>" in html


async def test_large_changes_are_bold(client: httpx.AsyncClient, view: WritableView) -> None:
    await view.write(change(1, size=600, parent_size=100), change(2, size=100, parent_size=599))
    html = (await client.get("/recent-changes")).text
    assert "<strong class=plus data-size=600>(+500)</strong>" in html
    assert "<span class=minus data-size=100>(\N{MINUS SIGN}499)</span>" in html


async def test_the_wiki_is_named_only_on_a_page_of_several(
    client: httpx.AsyncClient, view: WritableView
) -> None:
    await view.write(*FEW)
    assert " hewiki " in (await rows_at(client, "wiki=hewiki;enwiki"))["hewiki:2"]
    assert " hewiki " not in (await rows_at(client, "wiki=hewiki"))["hewiki:2"]


@pytest.mark.parametrize(
    ("query", "rev_ids"),
    [
        ("revertrisk=likelybad", [5, 1]),
        ("revertrisklanguageagnostic=revertrisk", [5, 1]),
        ("revertrisk=likelygood", [2]),
        ("state=pending", [3]),
        ("state=pending;not_scorable", [4, 3]),
        ("hidebots=1&hideminor=1", [6, 4, 2, 1]),
        ("hidepageedits=1", [4]),
        ("wiki=hewiki", [2]),
        ("wiki=hewiki&wiki=enwiki&limit=2", [6, 5]),
        ("before=1700000002-2-hewiki", [1]),
        ("revertrisk=likelybad&state=pending", []),
        ("wiki=nosuchwiki", []),
    ],
)
async def test_html_and_json_have_the_rows_of_the_filters(
    client: httpx.AsyncClient, view: WritableView, query: str, rev_ids: list[int]
) -> None:
    await view.write(*FEW)
    in_html = [int(key.split(":")[1]) for key in await rows_at(client, query)]
    by_path = (await client.get(f"/recent-changes.json?{query}")).json()
    by_header = await client.get(f"/recent-changes?{query}", headers={"Accept": "application/json"})

    assert in_html == rev_ids
    assert [row["rev_id"] for row in by_path["changes"]] == rev_ids
    assert by_header.json() == by_path


async def test_a_change_as_json(client: httpx.AsyncClient, view: WritableView) -> None:
    await view.write(FEW[0], FEW[5])
    answer = await client.get("/recent-changes.json")
    hidden, ordinary = answer.json()["changes"]

    assert answer.headers["access-control-allow-origin"] == "*"
    assert ordinary["key"] == "enwiki:1"
    assert ordinary["timestamp"] == "2023-11-14T22:13:21Z"
    assert (ordinary["score"], ordinary["level"], ordinary["state"]) == (
        0.95,
        "verylikelybad",
        "scored",
    )
    assert ordinary["links"] == {
        "page": "https://en.example/wiki/Main_Page",
        "diff": "https://en.example/w/index.php?diff=1&oldid=1",
        "history": "https://en.example/w/index.php?title=Main_Page&action=history",
        "user": "https://en.example/wiki/User:Alice",
        "talk": "https://en.example/wiki/User_talk:Alice",
        "contributions": "https://en.example/wiki/Special:Contributions/Alice",
    }
    assert (hidden["user"], hidden["comment"], hidden["user_hidden"]) == (None, None, True)
    assert "diff" not in hidden["links"]
    assert "user" not in hidden["links"]


async def test_a_queue_goes_on_below_what_is_handled(
    client: httpx.AsyncClient, view: WritableView
) -> None:
    handled = (change(n, score=0.95, verdicts=1) for n in range(10, 16))
    await view.write(*handled, *(change(n, score=0.5) for n in (1, 2, 3)))
    page = (await client.get("/recent-changes.json?order=riskiest&limit=2")).json()
    assert [row["rev_id"] for row in page["changes"]] == [3, 2]
    before = page["continue"]["before"]
    last = (await client.get(f"/recent-changes.json?order=riskiest&limit=2&before={before}")).json()
    assert ([row["rev_id"] for row in last["changes"]], last["continue"]) == ([1], None)


async def test_pages_follow_each_other(client: httpx.AsyncClient, view: WritableView) -> None:
    await view.write(*(change(n) for n in range(1, 8)))

    seen = []
    query = "limit=3&hidebots=1"
    for _ in range(3):
        page = (await client.get(f"/recent-changes.json?{query}")).json()
        seen += [row["rev_id"] for row in page["changes"]]
        if page["continue"]:
            query = f"limit=3&hidebots=1&before={page['continue']['before']}"
    assert seen == [7, 6, 5, 4, 3, 2, 1]
    assert page["continue"] is None

    html = (await client.get("/recent-changes?limit=3&hidebots=1")).text
    older = re.search(r'href="([^"]+)" rel="next"', html)
    assert older is not None
    assert list(rows_of((await client.get(unescape(older[1]))).text)) == [
        "enwiki:4",
        "enwiki:3",
        "enwiki:2",
    ]


async def test_a_value_that_is_not_taken_is_told(
    client: httpx.AsyncClient, view: WritableView
) -> None:
    await view.write(*FEW)
    query = "limit=<b>&revertrisk=awful&wiki=nosuchwiki"
    html = (await client.get(f"/recent-changes?{query}")).text
    warnings = (await client.get(f"/recent-changes.json?{query}")).json()["warnings"]

    assert html.count('class="notice"') == 3
    assert "<b>&" not in html
    assert "likelygood, maybebad, likelybad, verylikelybad" in html
    assert [warning["parameter"] for warning in warnings] == ["revertrisk", "limit", "wiki"]
    assert "enwiki, hewiki" in warnings[2]["allowed"]


async def test_the_head_counts_states_and_names_the_newest_score(
    client: httpx.AsyncClient, view: WritableView
) -> None:
    await view.write(*FEW)
    html = (await client.get("/recent-changes")).text
    line = re.search(r'<p id="summary">(.*?)</p>', html, re.DOTALL)
    assert line is not None
    assert " ".join(re.sub("<[^>]*>", "", line[1]).split()) == (
        "6 edits: 4 scored, 1 not scored yet, 1 not scorable, 0 failed."
        " Newest scored edit: 22:13, 14 November 2023 (UTC)."
    )


@pytest.mark.parametrize(
    ("rows", "query", "words"),
    [
        ((), "", "No edits have come in yet."),
        (FEW, "state=failed", "No changes match these filters."),
        (FEW, "state=failed;pending&revertrisk=likelybad", "These filters exclude each other."),
        (FEW, "before=5-5", "There are no older changes."),
        (FEW, "hidepageedits=1&hidenewpages=1", "there are no other changes here."),
        (FEW, "hidepageedits=1&hidemajor=1", "A page creation is never a minor edit."),
        (FEW, "namespace=all-contents;all-discussions&invert=1", "All namespaces are excluded."),
    ],
)
async def test_an_empty_page_says_why_and_what_to_do(
    client: httpx.AsyncClient, view: WritableView, rows: tuple[Change, ...], query: str, words: str
) -> None:
    if rows:
        await view.write(*rows)
    html = (await client.get(f"/recent-changes?{query}")).text
    assert words in html
    assert ("show all changes" in html) is bool(query)


@pytest.mark.parametrize(
    ("query", "parameter", "words"),
    [
        ("state=failed;pending&revertrisk=likelybad", "state", "have no level of risk"),
        ("hidepageedits=1&hidenewpages=1", "hidenewpages", "no other changes here"),
        ("hidepageedits=1&hidemajor=1", "hidemajor", "never a minor edit"),
        ("namespace=all-contents;all-discussions&invert=1", "invert", "are excluded"),
    ],
)
async def test_programs_are_told_of_filters_that_exclude_each_other(
    client: httpx.AsyncClient, view: WritableView, query: str, parameter: str, words: str
) -> None:
    await view.write(*FEW)
    page = (await client.get(f"/recent-changes.json?{query}")).json()

    (warning,) = page["warnings"]
    assert (page["changes"], page["continue"], warning["parameter"]) == ([], None, parameter)
    assert words in warning["message"]


async def test_the_form_shows_what_is_chosen_and_how_to_take_it_away(
    client: httpx.AsyncClient, view: WritableView
) -> None:
    await view.write(*FEW)
    query = "wiki=hewiki&revertrisk=likelybad&namespace=1&invert=1&hidebots=1&limit=100&days=9999"
    html = (await client.get(f"/recent-changes?{query}")).text
    tags = Elements(html).tags
    chosen = [
        (attributes["name"], attributes["value"])
        for tag, attributes in tags
        if tag == "input" and "checked" in attributes and attributes.get("name")
    ]
    assert chosen == [
        ("revertrisk", "likelybad"),
        ("hidebots", "1"),
        ("wiki", "hewiki"),
        ("namespace", "1"),
        ("invert", "1"),
    ]
    removals = [
        unescape(attributes["href"] or "")
        for tag, attributes in tags
        if tag == "a" and attributes.get("class") == "chosen"
    ]
    rest = "&namespace=1&invert=1&hidebots=1&days=9999&limit=100"
    assert removals[0] == f"/recent-changes?wiki=hewiki{rest}"
    assert len(removals) == 5
    assert "שיחה" in html


async def test_the_form_knows_the_kinds_of_namespaces(
    client: httpx.AsyncClient, view: WritableView
) -> None:
    await view.write(*FEW, change(7, namespace=1, title="Talk:A"))
    html = (await client.get("/recent-changes?namespace=all-discussions;3&highlight=1")).text

    assert list(Elements(html).rows) == ["enwiki:7"]
    chosen = re.findall(r'name=namespace value="([^"]+)" checked', html)
    assert chosen == ["all-discussions", "3"]
    assert "“User talk” is part of “All discussions”: choosing it as well adds nothing." in html
    assert 'href="/recent-changes?namespace=3"' in html
    assert 'href="/recent-changes?namespace=all-discussions"' in html


async def test_a_link_of_our_own_extension_means_the_same(
    client: httpx.AsyncClient, view: WritableView
) -> None:
    await view.write(*FEW)
    colours = "revisionquality__unscored_color=c1&revisionquality__verylikelybad_color=c4"
    query = f"{colours}&urlversion=2"
    html = (await client.get(f"/recent-changes?{query}")).text

    assert 'class="notice"' not in html
    assert len(Elements(html).rows) == len(FEW)
    assert (
        'id="enwiki:3" class="pending c1" title="Highlighted: Scoring failed, Not scored yet"'
        in html
    )
    assert 'id="enwiki:1" class="verylikelybad c4"' in html
    html = (await client.get("/recent-changes?revisionquality=unscored")).text
    assert list(Elements(html).rows) == ["enwiki:3"]


async def test_namespaces_and_tags_are_highlighted(
    client: httpx.AsyncClient, view: WritableView
) -> None:
    await view.write(change(1, tags=('a "b" & c',)), change(2, namespace=1, title="Talk:A"))
    query = "tagfilter__a+%22b%22+%26+c_color=c4&namespace__all-contents_color=c1"
    html = (await client.get(f"/recent-changes?{query}")).text

    assert html.count("<i class=") == 2
    assert 'title="Highlighted: All contents, a &#34;b&#34; &amp; c"' in html
    hidden = [
        (attributes["name"], attributes["value"])
        for tag, attributes in Elements(html).tags
        if tag == "input" and attributes.get("form") == "filters"
    ]
    assert hidden == [
        ("namespace__all-contents_color", "c1"),
        ('tagfilter__a "b" & c_color', "c4"),
    ]


async def test_a_browser_keeps_the_scripts_texts_of_the_version_it_asked_for(
    client: httpx.AsyncClient,
) -> None:
    address = re.search(r"/recent-changes/texts/[^\"]+", (await client.get("/recent-changes")).text)
    assert address is not None
    for path, is_kept in ((address[0], True), (f"{address[0]}0", False)):
        answer = await client.get(path)
        assert ("immutable" in answer.headers["cache-control"]) is is_kept


async def test_what_an_order_hides_is_no_filter_to_take_away(client: httpx.AsyncClient) -> None:
    for query, number in (("order=riskiest", 0), ("hidereverted=1", 1), ("hideunreverted=1", 1)):
        page = (await client.get(f"/recent-changes?{query}")).text
        assert page.count('class="chosen"') == number


async def test_levels_say_what_they_cost(client: httpx.AsyncClient, view: WritableView) -> None:
    await view.write(*FEW)
    html = (await client.get("/recent-changes")).text
    assert "4.0% of edits; about 9 of 10 of them get reverted" in html
    assert "Not available for this wiki" not in html
    assert "Not available for this wiki" in (await client.get("/recent-changes?wiki=hewiki")).text


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("limit=9999", "«9999» — не значение limit: используется 500."
                       " Допустимо: <bdi>целое число от 1 до 500</bdi>."),
        ("hidebots=<b>", "«&lt;b&gt;» — не значение hidebots: используется 1."
                         " Допустимо: <bdi>0 или 1</bdi>."),
        ("state=lost", "Допустимо: <bdi>pending, scored, not_scorable, failed</bdi>."),
        ("watchlist=watched", "(<bdi>учётная запись в вики</bdi>)"),
        ("userExpLevel=registered;unregistered", "опыт: выбрано всё, это ничего не"),
        ("hideminor=1&hidemajor=1", "вместе они скрыли бы всё, поэтому ничего не скрыто."),
    ],
)  # fmt: skip
async def test_what_is_not_taken_is_told_in_the_readers_language(
    client: httpx.AsyncClient, query: str, told: str
) -> None:
    html = (await client.get(f"/recent-changes?{query}&uselang=ru")).text
    assert told in html


@pytest.mark.parametrize(
    ("accepted", "kept"), [("en", "&uselang=ru"), ("ru", ""), ("de, ru;q=0.5", "&uselang=ru")]
)
async def test_links_ask_for_the_language_again_where_the_reader_would_get_another(
    client: httpx.AsyncClient, view: WritableView, accepted: str, kept: str
) -> None:
    await view.write(*FEW)
    headers = {"Accept": "text/html", "Accept-Language": accepted}
    url = "/recent-changes?hidebots=1&limit=1&uselang=ru"
    html = (await client.get(url, headers=headers)).text
    links = {
        attributes.get("rel") or attributes["class"]: unescape(attributes["href"] or "")
        for tag, attributes in Elements(html).tags
        if tag == "a" and (attributes.get("rel") == "next" or attributes.get("class") == "chosen")
    }
    before = links["next"].partition("before=")[2].partition("&")[0]
    assert links["next"] == f"/recent-changes?hidebots=1&limit=1&before={before}{kept}"
    assert links["chosen"] == f"/recent-changes?limit=1{kept}"
    assert ("name=uselang value=ru" in html) == bool(kept)


def test_what_a_parameter_takes_reads_in_english_as_in_the_json() -> None:
    queries = ("limit=x", "days=x", "from=x", "wiki=%", "namespace=x", "before=x", "invert=x",
               "goodfaith=x", "hidepatrolled=1", "target=x", "hidemyself=1", "subpageof=x",
               "hidelastrevision=1", "tagfilter=" + "|".join(map(str, range(51))))  # fmt: skip
    for query in queries:
        _, (notice,) = parse_filters(parse_qsl(query))
        page = render_notice(notice, Interface())
        assert unescape(re.sub("</?bdi>", "", page)) == notice.text


async def test_the_layout_follows_the_language_of_the_interface(view: WritableView) -> None:
    app = create_app(view, SITES.get, LEVELS, interface=Interface("he", "rtl"))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        assert '<html lang="he" dir="rtl">' in (await client.get("/recent-changes")).text


HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</title></style></textarea><svg/onload=alert(1)>",
    "{{ 7*7 }}{% raw %}",
    "javascript:alert(1)",
    "[[javascript:alert(1)|<b>x</b>]]",
    '/* "><script>alert(1)</script> */ [["onclick="alert(1)|y]]',
    "\u202egnp.exe",
    "<!--",
    "]]>",
    "&lt;script&gt;",
    "%3Cscript%3E",
    "\x00\x0b",
)
KNOWN_TAGS = (
    "html head meta title link script body header main a h1 p b time form fieldset legend label"
    " input span small bdi details summary div select option button section h2 ul li abbr strong i"
    " nav footer dialog table tbody tr th td kbd s em"
)


@pytest.mark.parametrize("text", HOSTILE)
async def test_hostile_text_stays_text(
    client: httpx.AsyncClient, view: WritableView, text: str
) -> None:
    await view.write(
        change(1, title=text, user=text, comment=text, tags=(text,)),
        change(2, state=State.FAILED, score=None, reason=text, message=text),
        change(3, wiki_id="unknown_wiki", title=text, user=text, comment=text),
    )
    answer = await client.get("/recent-changes", params={"wiki": text, "limit": text})
    html = (await client.get("/recent-changes")).text

    for page in (answer.text, html):
        elements = Elements(page)
        assert {tag for tag, _ in elements.tags} <= set(KNOWN_TAGS.split())
        for tag, attributes in elements.tags:
            assert not [name for name in attributes if name.startswith("on")]
            if tag == "script":
                assert attributes["src"] == f"{ASSETS}/main.js"
            href = attributes.get("href") or "/"
            assert href.startswith(("/", "#", "https://en.example/")), href
    shown = Elements(html).rows["enwiki:2"]
    assert text.replace("\x00", "\ufffd") in shown or text in shown


async def test_a_page_of_real_edits_is_light_in_every_language(view: WritableView) -> None:
    """The newest fifty of the sample: under 60 kB, with some room."""
    edits = [sample_change(seq, edit.event) for seq, edit in enumerate(sample_edits())]
    await view.database.write(
        lambda connection: connection.execute(insert(changes), [values(row) for row in edits])
    )
    app = create_app(view, site_of, LEVELS)
    transport = httpx.ASGITransport(app)
    sizes = {}
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        for lang in languages():
            answer = await client.get("/recent-changes", params={"uselang": lang})
            assert len(rows_of(answer.text)) == 50
            sizes[lang] = len(answer.content)
    assert len(sizes) == 9
    assert max(sizes.values()) < 58_500, sizes


def sample_change(seq: int, event: dict[str, Any]) -> Change:
    revision = event["revision"]
    return Change(
        wiki_id=event["wiki_id"],
        rev_id=revision["rev_id"],
        seq=seq,
        timestamp=int(datetime.fromisoformat(event["dt"]).astimezone(UTC).timestamp()),
        parent_id=revision["rev_parent_id"],
        title=event["page"]["page_title"].replace("_", " "),
        user=revision["editor"]["user_text"],
        user_level=UserLevel.NEWCOMER,
        comment=revision["comment"],
        size=revision["rev_size"],
        parent_size=event["prior_state"]["revision"]["rev_size"],
        state=State.SCORED,
        score=0.5,
    )


@pytest.mark.parametrize("dt", ["9999-12-31T23:59:59-10:00", "0001-01-01T00:00:00+10:00"])
async def test_an_edit_of_an_impossible_time_does_not_spoil_the_page(
    client: httpx.AsyncClient, view: WritableView, dt: str
) -> None:
    event = page_change(rev_id=83, dt=dt, revision=revision(83, rev_dt=dt))
    await view.apply(records([event]))

    path = f"/recent-changes/{event.wiki_id}/83"
    for address in ("/recent-changes", "/recent-changes.json", path, f"{path}.json"):
        answer = await client.get(address, headers={"Cookie": f"{ZONE_COOKIE}=Pacific/Kiritimati"})
        assert answer.status_code == 200


async def test_a_time_zone_that_is_not_known_is_told_until_it_is_corrected(
    client: httpx.AsyncClient, view: WritableView
) -> None:
    await view.write(change(1))
    notice = "“{}” is no value of Time zone: it is ignored. Allowed: {}"

    for zone in ("Europe/Berln", "Mitte → <b>Erde</b>; \r\n=", "x" * 500):
        form = {"zone": zone, "lang": "en"}
        answer = await client.post("/recent-changes/preferences", data=form, follow_redirects=True)
        shown, text = zone[:64], unescape(answer.text)
        assert notice.format(shown, "<bdi>a name such as Europe/Berlin or UTC</bdi>.") in text
        assert "<b>Erde" not in answer.text
        assert f'name="zone" value="{shown}"' in text

    for zone in ("Asia/Tokyo", ""):
        form = {"zone": zone, "lang": "en"}
        answer = await client.post("/recent-changes/preferences", data=form, follow_redirects=True)
        assert "Time zone:" not in answer.text
        assert f'name="zone" value="{zone}"' in answer.text
