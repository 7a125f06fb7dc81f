"""The extension RevisionQuality on a real MediaWiki, in a real browser."""

import asyncio
import json
import os
import re
import sqlite3
import subprocess
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
import pytest_asyncio
from playwright.async_api import Page, async_playwright, expect

from revision_quality.events.page_change import decode_page_change
from revision_quality.events.prediction import build_prediction
from revision_quality.events.streams import PREDICTION
from revision_quality.levels.level import MeasuredLevel
from revision_quality.streams.base import Record
from revision_quality.views.database import Database
from revision_quality.views.mediawiki import MediaWikiTables, MediaWikiWiki
from revision_quality.views.mediawiki_tables import extension_tables
from revision_quality.views.ores_tables import wiki_tables
from tests.servers.apache import apache
from tests.servers.mediawiki import ADMIN, BOT, INSTALLED, NEWER, PASSWORD, RealWiki
from tests.views.ores_house import MemoryPositions
from tests.web.conftest import ARGUMENTS, CHROMIUM
from tests.web.test_patrol_browser import violations

pytestmark = pytest.mark.mediawiki

EXTENSION = Path(__file__).parents[2] / "extension/RevisionQuality"
SCREENSHOTS = os.environ.get("REVQ_SCREENSHOTS")
"""Where to write what docs/images shows; nowhere by default."""
REASONS = [
    {"feature": "references_change", "form": "below", "value": -4, "text": "removes 4 references"},
    {"feature": "user_edit_count", "form": "above", "value": 1000, "is_limit": True, "text": "-"},
    {"feature": "of_a_later_model", "form": "above", "value": 1, "text": "adds 3 capital letters"},
    {"feature": "no reason"},
]
SCORES = (0.03, 0.2, 0.45, 0.72, 0.95)


def level(name: str, threshold: float, precision: float) -> MeasuredLevel:
    return MeasuredLevel(
        name=name, threshold=threshold, precision=precision, recall=0.6, flag_rate=0.05, target="",
        low=precision - 0.05, high=min(1, precision + 0.05), recall_low=0.5, recall_high=0.7,
        false_positive_rate=0.01, edits_a_day=3, reverted=200,
    )  # fmt: skip


LEVELS = (
    level("likelygood", 0.1, 0.98),
    level("maybebad", 0.3, 0.15),
    level("likelybad", 0.6, 0.5),
    level("verylikelybad", 0.9, 0.9),
)


class Service:
    """What the wiki asks: takes events, gives reasons; `mode` is how it fails."""

    def __init__(self) -> None:
        self.mode = "well"
        self.events: list[bytes] = []
        self.reasons: list[dict[str, Any]] = REASONS
        self.asked: list[str] = []
        """Paths that reasons were asked for at."""
        self.given_up: list[float] = []
        """When clients hung up on a service that says nothing, by the monotonic clock."""
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                service.answer(self, 201, b"", lambda: service.events.append(body))

            def do_GET(self) -> None:
                service.asked.append(self.path)
                told = {"explanation": service.reasons}
                service.answer(self, 200, json.dumps(told).encode())

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def answer(self, to: Any, status: int, body: bytes, done: Any = lambda: None) -> None:
        if self.mode == "silent":
            to.connection.recv(1)
            self.given_up.append(time.monotonic())
            return
        if self.mode == "slow":
            time.sleep(5)
        if self.mode == "garbage":
            status, body = 200, b"<html>\xff{"
        elif self.mode == "failing":
            status, body = 503, b""
        else:
            done()
        to.send_response(status)
        to.send_header("Content-Length", str(len(body)))
        to.end_headers()
        to.wfile.write(body)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture(scope="module", params=[INSTALLED, NEWER], ids=["1.39", "1.43"])
def code(request: pytest.FixtureRequest) -> Path:
    """Return the files of each MediaWiki that all of this is true on."""
    found: Path = request.param
    return found


@pytest.fixture(scope="module")
def service(code: Path) -> Iterator[Service]:
    made = Service()
    yield made
    made.close()


@pytest.fixture(scope="module")
def wiki(start_wiki: Any, service: Service, code: Path) -> RealWiki:
    """Return a wiki with the extension, its tables, and edits of all levels."""
    made: RealWiki = start_wiki("quality_wiki", code=code)
    # Else a job that failed is not tried again for an hour.
    fill(
        made,
        service,
        f"sqlite:///{made.database}",
        "$wgJobTypeConf['default'] = [ 'class' => 'JobQueueDB', 'claimTTL' => 1,"
        " 'order' => 'random' ];",
    )
    return made


def fill(
    wiki: RealWiki, service: Service, database: str, settings: str = "", schema: str | None = None
) -> None:
    """Give a wiki the extension, its tables, and edits of all levels."""
    wiki.configure(
        f"wfLoadExtension( 'RevisionQuality', '{EXTENSION}/extension.json' );\n"
        f"$wgRevisionQualityServiceUrl = '{service.url}';\n"
        f"$wgDefaultUserOptions['watchdefault'] = 1;\n{settings}"
    )
    wiki.maintain("update", "--quick")
    wiki.edit("First", "A start.", user=ADMIN)
    for number in range(len(SCORES)):
        wiki.edit("First", f"Text {number}.", f"edit {number}", user=ADMIN)
    wiki.edit("Last", "Waits for its score.")
    wiki.run_jobs()
    asyncio.run(score(database, service, schema))


async def score(database: str, service: Service, schema: str | None = None) -> None:
    """Score the edits of SCORES by the events that a wiki has posted, into its database."""
    events = [decode_page_change(json.dumps(each).encode()) for each in posted(service)]
    # An event whose answer was late is there twice.
    found = {each.revision.rev_id: each for each in events if each.page_change_kind == "edit"}
    edits = [found[rev_id] for rev_id in sorted(found)][: len(SCORES)]
    predictions = [
        build_prediction(
            each, stream=PREDICTION, model_name="revertrisk", model_version="1", score=value
        )
        for each, value in zip(edits, SCORES, strict=True)
    ]
    view = MediaWikiTables(
        Database(database),
        MediaWikiWiki(
            edits[0].wiki_id, wiki_tables(schema=schema), extension_tables(schema=schema)
        ),
        MemoryPositions(),
        LEVELS,
    )
    encoded = [msgspec.json.encode(each) for each in predictions]
    await view.apply([Record(PREDICTION, n, 0, raw) for n, raw in enumerate(encoded, start=1)])
    await view.write_levels()
    await view.close()


def posted(service: Service) -> list[dict[str, Any]]:
    return [event for body in service.events for event in json.loads(body)]


def site(wiki: RealWiki) -> str:
    return wiki.api_url.removesuffix("/w/api.php")


def page(wiki: RealWiki, query: str, name: str = "RecentChanges") -> str:
    answer = httpx.get(f"{site(wiki)}/wiki/Special:{name}?urlversion=2&{query}", timeout=60)
    # MediaWiki answers 404 where nothing matches.
    assert answer.status_code in (200, 404), answer.text
    return answer.text


def summaries(text: str) -> list[str]:
    return sorted(set(re.findall(r"\(?(edit \d)\)?</span>", text)))


def test_php_files_are_well_formed() -> None:
    for file in EXTENSION.rglob("*.php"):
        done = subprocess.run(["php", "-l", file], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout


def test_every_edit_is_posted_as_a_page_change(wiki: RealWiki, service: Service) -> None:
    rev_id = wiki.edit("By a bot", "beep", user=BOT)
    wiki.run_jobs()

    found = [each for each in posted(service) if each["revision"]["rev_id"] == rev_id]
    event = decode_page_change(json.dumps(found[0]).encode())
    assert len({each["meta"]["id"] for each in found}) == 1
    assert (event.wiki_id, event.page.page_title) == ("quality_wiki", "By_a_bot")
    assert event.page_change_kind == "create"
    assert event.performer is not None
    assert (event.performer.user_text, event.performer.is_bot) == (BOT, True)


def test_an_edit_is_posted_at_once_where_no_job_is_run(
    wiki: RealWiki, service: Service, tmp_path: Path
) -> None:
    with apache(wiki, tmp_path / "apache", "fpm"):
        rev_id = wiki.edit("Seen at once", "text")

        deadline = time.monotonic() + 60
        while rev_id not in _revisions(service) and time.monotonic() < deadline:
            time.sleep(0.05)
    assert rev_id in _revisions(service)


def test_an_edit_is_answered_before_a_silent_service_is_given_up(
    wiki: RealWiki, service: Service, tmp_path: Path
) -> None:
    service.mode = "silent"
    try:
        with apache(wiki, tmp_path / "apache", "fpm"):
            rev_id = wiki.edit("Does not wait", "text")
            answered = time.monotonic()
            deadline = answered + 20
            while not service.given_up and time.monotonic() < deadline:
                time.sleep(0.05)
    finally:
        service.mode = "well"
    assert [answered < given_up for given_up in service.given_up] == [True]
    wiki.run_jobs()
    assert rev_id in _revisions(service)


@pytest.mark.parametrize(
    ("chosen", "shown"),
    [
        ("likelygood", ["edit 0"]),
        ("maybebad", ["edit 2", "edit 3", "edit 4"]),
        ("likelybad", ["edit 3", "edit 4"]),
        ("verylikelybad", ["edit 4"]),
        ("likelygood;likelybad", ["edit 0", "edit 3", "edit 4"]),
        ("likelybad;verylikelybad", ["edit 3", "edit 4"]),
        ("nonsense", ["edit 0", "edit 1", "edit 2", "edit 3", "edit 4"]),
        ("", ["edit 0", "edit 1", "edit 2", "edit 3", "edit 4"]),
    ],
)
def test_the_filter_by_url(wiki: RealWiki, chosen: str, shown: list[str]) -> None:
    assert summaries(page(wiki, f"revisionquality={chosen}")) == shown


@pytest.mark.parametrize(
    ("chosen", "shown"),
    [("unscored;verylikelybad", ["edit 4"]), ("unscored;maybebad;likelygood",
     ["edit 0", "edit 2", "edit 3", "edit 4"])],
)  # fmt: skip
def test_what_waits_is_found_beside_a_level(wiki: RealWiki, chosen: str, shown: list[str]) -> None:
    text = page(wiki, f"revisionquality={chosen}")

    assert ">Last<" in text
    assert summaries(text) == shown


def test_edits_without_a_score_are_found(wiki: RealWiki) -> None:
    text = page(wiki, "revisionquality=unscored")

    assert ">Last<" in text
    assert summaries(text) == []


@pytest.mark.parametrize(
    "query", ["revisionquality=likelybad", "hideunlikelyreverted=1", "revisionquality=likelybad;x"]
)
def test_related_changes_have_the_filter_and_the_checkbox(wiki: RealWiki, query: str) -> None:
    if not _exists(wiki, "Leads there"):
        wiki.edit("Leads there", "[[First]]")

    text = page(wiki, query, "RecentChangesLinked/Leads there")

    assert summaries(text) == ["edit 3", "edit 4"]
    assert "edits unlikely to be reverted" in text


def _exists(wiki: RealWiki, title: str) -> bool:
    (found,) = wiki.get(action="query", titles=title)["query"]["pages"]
    return "missing" not in found


def test_rows_and_descriptions_tell_numbers(wiki: RealWiki) -> None:
    text = page(wiki, "revisionquality=verylikelybad")

    assert 'aria-label="Risk of being reverted: 0.95 (Very likely to be reverted)"' in text
    assert "About 90% of them get reverted (85% to 95%)." in text
    assert '<select name="revisionquality" id="revisionquality">' in text


def test_a_description_tells_how_many_edits_a_day_there_are(wiki: RealWiki) -> None:
    with closing(sqlite3.connect(wiki.database, timeout=30)) as database, database:
        database.execute("UPDATE revision_quality_level SET rql_edits_a_day = 12.4")

    text = page(wiki, "")

    assert "About 90% of them get reverted (85% to 95%). 12 edits a day." in text


def test_a_preference_takes_the_dots_off_and_leaves_the_filters(wiki: RealWiki) -> None:
    reader = wiki.create_user("Reader")
    address = "/wiki/Special:RecentChanges?urlversion=2&revisionquality=verylikelybad"
    assert "mw-revisionquality-dot" in wiki.page(address, reader).text
    assert "revisionquality-show" in wiki.page("/wiki/Special:Preferences", reader).text

    wiki.set_option(reader, "revisionquality-show", 0)

    text = wiki.page(address, reader).text
    assert "mw-revisionquality-dot" not in text
    assert summaries(text) == ["edit 4"]


def test_the_api_has_levels_and_scores(wiki: RealWiki) -> None:
    answer = wiki.get(
        action="query", list="recentchanges", rcshow="revisionquality-likelybad",
        rcprop="ids|comment|revisionquality",
    )  # fmt: skip
    rows = answer["query"]["recentchanges"]
    assert {row["comment"] for row in rows} == {"edit 3", "edit 4"}
    best = next(row for row in rows if row["comment"] == "edit 4")
    told = {
        "state": "scored",
        "score": 0.95,
        "level": "verylikelybad",
        "model": "revertrisk",
        "version": "1",
    }
    assert best["revisionquality"] == told
    for question in (
        {"prop": "revisions", "titles": "First", "rvprop": "ids|revisionquality", "rvlimit": 9},
        {"list": "usercontribs", "ucuser": ADMIN, "ucprop": "ids|revisionquality"},
        {"list": "watchlist", "wlprop": "ids|revisionquality", "wlallrev": 1,
         "wlshow": "revisionquality-verylikelybad"},
    ):  # fmt: skip
        found = json.dumps(wiki.get(user=ADMIN, action="query", **question))
        assert json.dumps(told) in found, question
        assert "warnings" not in found


@pytest.mark.parametrize(
    ("levels", "shown"),
    [
        (["likelybad"], {"edit 3", "edit 4"}),
        (["likelybad", "verylikelybad"], {"edit 3", "edit 4"}),
        (["likelygood", "verylikelybad"], {"edit 0", "edit 4"}),
        (["unscored"], set()),
    ],
)
@pytest.mark.parametrize(
    ("prefix", "question"),
    [
        ("rc", {"list": "recentchanges", "rcprop": "comment|title"}),
        ("wl", {"list": "watchlist", "wlprop": "comment|title", "wlallrev": 1}),
        ("uc", {"list": "usercontribs", "ucprop": "comment|title", "ucuser": ADMIN}),
        ("rv", {"prop": "revisions", "rvprop": "comment", "titles": "First", "rvlimit": 50}),
        ("arv", {"list": "allrevisions", "arvprop": "comment", "arvuser": ADMIN}),
    ],
)
def test_the_apis_lists_by_level(
    wiki: RealWiki, prefix: str, question: dict[str, Any], levels: list[str], shown: set[str]
) -> None:
    show = {f"{prefix}show": "|".join(f"revisionquality-{level}" for level in levels)}

    answer = wiki.get(user=ADMIN, action="query", **question, **show)

    assert "warnings" not in answer
    assert "error" not in answer
    assert set(re.findall(r"edit \d", json.dumps(answer))) == shown


def test_a_change_of_which_nothing_is_known_has_an_object_too(wiki: RealWiki) -> None:
    wiki.edit("Has a log", "text")
    wiki.protect("Has a log")

    answer = wiki.get(
        action="query", list="recentchanges", rctype="log", rcprop="revisionquality", rclimit=1
    )
    assert answer["query"]["recentchanges"][0]["revisionquality"] == {}


def test_reasons_have_a_name_in_xml(wiki: RealWiki) -> None:
    rev_id = of_level(wiki, "verylikelybad")
    xml = wiki.ask(None, action="revisionqualityreasons", revid=rev_id, format="xml").text
    assert '<reason text="removes 4 references" language="en"' in xml


def test_the_apis_help_knows_it_all(wiki: RealWiki) -> None:
    lists = ("recentchanges", "watchlist", "usercontribs", "revisions", "allrevisions")
    modules = "|".join([*(f"query+{name}" for name in lists), "revisionqualityreasons"])
    told = wiki.get(action="help", wrap=1, modules=modules)["help"]["help"]
    assert "⧼" not in told
    assert told.count("only edits that are very likely to be reverted") == len(lists)


@pytest.mark.parametrize(
    ("language", "texts"),
    [
        ("en", ["removes 4 references", "by an editor with 1,000 or more edits before"]),
        ("de", ["entfernt 4 Einzelnachweise",
                "von jemandem mit 1.000 oder mehr Bearbeitungen zuvor"]),
        ("ru", ["удаляет 4 сноски",
                "от участника, у которого уже 1000 или больше правок"]),  # noqa: RUF001
        ("ar", ["يزيل ٤ مراجع", "من محرر له ما لا يقل عن ١٬٠٠٠ تعديل سابق"]),  # noqa: RUF001
        ("ja", ["出典を4個除去", "これまでの編集回数が1,000以上の利用者による"]),
        ("pt", ["remove 4 referências", "por um editor com 1000 ou mais edições anteriores"]),
    ],
)  # fmt: skip
def test_reasons_are_told_in_the_readers_language(
    wiki: RealWiki, language: str, texts: list[str]
) -> None:
    rows = wiki.get(
        action="query", list="recentchanges", rcshow="revisionquality-verylikelybad", rcprop="ids"
    )["query"]["recentchanges"]

    answer = wiki.get(action="revisionqualityreasons", revid=rows[0]["revid"], uselang=language)

    reasons = answer["revisionqualityreasons"]["reasons"]
    # A feature that the extension does not know is told in English.
    told = [(text, language) for text in texts] + [("adds 3 capital letters", "en")]
    assert [(each["text"].replace("\xa0", ""), each["language"]) for each in reasons] == told


@pytest.mark.parametrize(
    ("asked", "told"), [("it", "en"), ("pt-br", "pt"), ("de-at", "de"), ("he", "he")]
)
def test_reasons_say_which_language_they_are_in(wiki: RealWiki, asked: str, told: str) -> None:
    (reason, *_) = reasons(wiki, of_level(wiki, "verylikelybad"), uselang=asked)

    assert reason["language"] == told


def test_reasons_are_those_of_the_model_that_the_score_is_of(
    wiki: RealWiki, service: Service
) -> None:
    rev_id = of_level(wiki, "verylikelybad")
    with wiki.also_configured("$wgMainCacheType = CACHE_ACCEL;"):
        assert reasons(wiki, rev_id)[0]["text"] == "removes 4 references"
        service.reasons = [{"feature": "of_a_newer_model", "form": "above", "text": "newer"}]
        try:
            assert reasons(wiki, rev_id)[0]["text"] == "removes 4 references"
            with closing(sqlite3.connect(wiki.database, timeout=30)) as database, database:
                database.execute("UPDATE revision_quality_model SET rqm_version = '2'")
            assert [each["text"] for each in reasons(wiki, rev_id)] == ["newer"]
        finally:
            service.reasons = REASONS
            with closing(sqlite3.connect(wiki.database, timeout=30)) as database, database:
                database.execute("UPDATE revision_quality_model SET rqm_version = '1'")


def test_a_service_that_gave_no_answer_is_not_asked_for_more_at_once(
    wiki: RealWiki, service: Service
) -> None:
    service.mode, service.asked = "silent", []
    try:
        with wiki.also_configured("$wgMainCacheType = CACHE_ACCEL; $wgCachePrefix = 'silent';"):
            assert reasons(wiki, of_level(wiki, "maybebad")) == []
            assert reasons(wiki, of_level(wiki, "likelygood")) == []
    finally:
        service.mode = "well"
    assert len(service.asked) == 1


@pytest.mark.parametrize("part", ["content", "user", "comment"])
def test_reasons_for_what_is_hidden_are_told_to_nobody_who_may_not_see_it(
    wiki: RealWiki, part: str
) -> None:
    rev_id, _ = (wiki.edit(f"Hidden {part}", text) for text in ("A secret.", "None."))
    wiki.hide_revision(rev_id, **{"content": False, part: True})

    answer = wiki.get(action="revisionqualityreasons", revid=rev_id)

    assert answer["error"]["code"] == "permissiondenied"
    assert "error" not in wiki.get(user=ADMIN, action="revisionqualityreasons", revid=rev_id)


def test_reasons_are_told_to_nobody_who_may_not_read_the_page(wiki: RealWiki) -> None:
    rev_id = of_level(wiki, "verylikelybad")
    guard = """
        $wgHooks['getUserPermissionsErrors'][] = static function ( $page, $user, $right, &$why ) {
            if ( $right === 'read' && $page->getText() === 'First' ) {
                $why = [ 'badaccess-group0' ];
                return false;
            }
        };"""
    with wiki.also_configured(guard):
        answer = wiki.get(action="revisionqualityreasons", revid=rev_id)
    assert answer["error"]["code"] == "permissiondenied"


def of_level(wiki: RealWiki, level: str) -> int:
    """Return the mildest revision that the level holds for."""
    rows = wiki.get(
        action="query",
        list="recentchanges",
        rcshow=f"revisionquality-{level}",
        rcprop="ids|revisionquality",
    )["query"]["recentchanges"]
    return min(rows, key=lambda row: row["revisionquality"]["score"])["revid"]


def reasons(wiki: RealWiki, rev_id: int, **params: str) -> list[dict[str, str]]:
    answer = wiki.get(action="revisionqualityreasons", revid=rev_id, **params)
    return answer["revisionqualityreasons"]["reasons"]


def test_what_is_hidden_or_deleted_has_no_score_though_revq_is_away(wiki: RealWiki) -> None:
    first, second = (wiki.edit("Doomed", text) for text in ("A secret.", "Nothing."))
    assert kept(wiki, first, second) == {first, second}
    wiki.hide_revision(first)
    assert kept(wiki, first, second) == {second}
    wiki.move("Doomed", "Moved")
    assert kept(wiki, second) == {second}
    assert ">Doomed<" in page(wiki, "revisionquality=unscored")
    wiki.delete("Moved")
    assert kept(wiki, second) == set()
    wiki.undelete("Moved")
    assert kept(wiki, second) == set()
    page(wiki, "")


def test_what_cores_purge_takes_out_of_recent_changes_has_no_score(wiki: RealWiki) -> None:
    old, fresh = (wiki.edit("Long ago", text) for text in ("Old.", "New."))
    with closing(sqlite3.connect(wiki.database, timeout=30)) as database, database:
        database.execute(
            "UPDATE recentchanges SET rc_timestamp = '20200101000000' WHERE rc_this_oldid = ?",
            [old],
        )

    wiki.evaluate(
        "MediaWiki\\MediaWikiServices::getInstance()->getJobQueueGroup()->push("
        " new JobSpecification( 'recentChangesUpdate', [ 'type' => 'purge' ] ) );"
    )
    wiki.run_jobs()

    assert kept(wiki, old, fresh) == {fresh}


def kept(wiki: RealWiki, *rev_ids: int) -> set[int]:
    """Return those of the revisions that are in both tables."""
    with closing(sqlite3.connect(wiki.database, timeout=30)) as database:
        found = database.execute(
            "SELECT DISTINCT rq_rev FROM revision_quality JOIN revision_quality_flag"
            f" ON rqf_rev = rq_rev WHERE rq_rev IN ({', '.join('?' * len(rev_ids))})", rev_ids
        )  # fmt: skip
        return {rev_id for (rev_id,) in found}


@pytest.mark.parametrize("mode", ["failing", "slow", "garbage"])
def test_a_service_in_trouble_is_not_noticed(wiki: RealWiki, service: Service, mode: str) -> None:
    service.mode = mode
    try:
        started = time.monotonic()
        rev_id = wiki.edit(f"In trouble: {mode}", "text")
        text = page(wiki, "")
        assert time.monotonic() - started < 5
        assert f"In trouble: {mode}" in text
        if mode == "garbage":
            revisions = wiki.get(action="query", titles="First", prop="revisions")["query"]
            (asked,) = revisions["pages"][0]["revisions"]
            answer = wiki.get(action="revisionqualityreasons", revid=asked["revid"])
            assert answer["revisionqualityreasons"]["reasons"] == []
        if mode != "slow":
            wiki.run_jobs()
            assert rev_id not in _revisions(service)
    finally:
        service.mode = "well"
    deadline = time.monotonic() + 60
    while rev_id not in _revisions(service) and time.monotonic() < deadline:
        time.sleep(1.1)
        wiki.maintain("runJobs")
    assert rev_id in _revisions(service)


def _revisions(service: Service) -> set[int]:
    return {event["revision"]["rev_id"] for event in posted(service)}


@pytest_asyncio.fixture
async def browser_page(wiki: RealWiki) -> AsyncIterator[Page]:
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is missing: apt-get install --no-install-recommends chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        opened = await browser.new_page(viewport={"width": 1100, "height": 900})
        opened.set_default_timeout(60_000)
        expect.set_options(timeout=60_000)
        yield opened
        await browser.close()


@pytest.mark.browser
async def test_the_filter_by_click_without_javascript(wiki: RealWiki, browser_page: Page) -> None:
    browser = browser_page.context.browser
    assert browser
    plain = await browser.new_page(java_script_enabled=False)
    await plain.goto(f"{site(wiki)}/wiki/Special:RecentChanges?urlversion=2")

    levels = plain.get_by_label("Risk of being reverted", exact=True)
    await levels.select_option("Likely to be reverted")
    await plain.get_by_role("button", name="Show").click()

    await expect(plain.locator(".mw-changeslist .mw-revisionquality")).to_have_count(2)
    assert "revisionquality=likelybad" in plain.url


async def _screenshot(page: Page, name: str) -> None:
    if SCREENSHOTS:
        await page.screenshot(path=Path(SCREENSHOTS) / name)


async def _go_to_recent_changes(wiki: RealWiki, page: Page) -> None:
    await page.goto(f"{site(wiki)}/wiki/Special:RecentChanges?urlversion=2&enhanced=0")
    await page.wait_for_function(
        "window.mw && mw.loader.getState && mw.loader.getState('ext.revisionQuality') === 'ready'"
    )


@pytest.mark.browser
async def test_a_filter_by_click_highlighted(wiki: RealWiki, browser_page: Page) -> None:
    await browser_page.goto(
        f"{site(wiki)}/wiki/Special:RecentChanges?urlversion=2"
        "&revisionquality__likelybad_color=c4&revisionquality__verylikelybad_color=c5"
    )
    field = browser_page.locator(".mw-rcfilters-ui-filterTagMultiselectWidget input").first
    await field.click()
    await field.fill("reverted")
    option = browser_page.locator(".mw-rcfilters-ui-filterMenuOptionWidget").filter(
        has_text="Finds a part of what gets reverted"
    )
    await expect(option).to_contain_text("About 50% of them get reverted (45% to 55%).")
    await _screenshot(browser_page, "extension-filters.png")
    await option.locator(".mw-rcfilters-ui-itemMenuOptionWidget-label-title").first.click()
    await expect(browser_page.locator(".mw-changeslist .mw-revisionquality")).to_have_count(2)
    assert "revisionquality=likelybad" in browser_page.url
    coloured = browser_page.locator(".mw-rcfilters-highlight-color-c5")
    await expect(coloured.first).to_be_attached()


@pytest.mark.browser
async def test_the_tooltip_comes_by_keyboard_and_goes_with_escape(
    wiki: RealWiki, browser_page: Page
) -> None:
    await _go_to_recent_changes(wiki, browser_page)
    badge = browser_page.locator(".mw-revisionquality-verylikelybad").first
    await expect(badge).to_be_visible()
    await badge.focus()
    tooltip = browser_page.get_by_role("tooltip")
    await expect(tooltip).to_contain_text("removes 4 references")
    await _screenshot(browser_page, "extension-reasons.png")
    await browser_page.keyboard.press("Escape")
    await expect(tooltip).to_have_count(0)


@pytest.mark.browser
async def test_the_tooltip_goes_with_its_row(wiki: RealWiki, browser_page: Page) -> None:
    await _go_to_recent_changes(wiki, browser_page)
    await browser_page.locator(".mw-revisionquality-verylikelybad").first.hover()
    tooltip = browser_page.get_by_role("tooltip")
    await expect(tooltip).to_contain_text("removes 4 references")

    # As live updates do it.
    await browser_page.evaluate(
        """() => {
            const list = $(".mw-changeslist").empty();
            mw.hook("wikipage.content").fire(list);
        }"""
    )

    await expect(tooltip).to_have_count(0, timeout=1000)


@pytest.mark.browser
async def test_levels_include_the_graver_ones_and_conflict_with_logged_actions(
    wiki: RealWiki, browser_page: Page
) -> None:
    hidden = "hidepageedits=1&hidenewpages=1&hidecategorization=1"
    await browser_page.goto(
        f"{site(wiki)}/wiki/Special:RecentChanges?urlversion=2&{hidden}&revisionquality=maybebad"
    )

    said = browser_page.get_by_text(
        'filters "Risk of being reverted" and "Logged actions" conflict'
    )
    await expect(said).to_be_visible()
    groups = await browser_page.evaluate("mw.config.get('wgStructuredChangeFilters')")
    (group,) = [each for each in groups if each["name"] == "revisionquality"]
    included = {
        each["name"]: [sub["filter"] for sub in each["subset"]] for each in group["filters"]
    }
    assert included == {
        "likelygood": [],
        "maybebad": ["likelybad", "verylikelybad"],
        "likelybad": ["verylikelybad"],
        "verylikelybad": [],
        "unscored": [],
    }


@pytest.mark.browser
async def test_axe_finds_nothing_against_wcag_aa_in_what_is_added(
    wiki: RealWiki, browser_page: Page
) -> None:
    await _go_to_recent_changes(wiki, browser_page)
    await browser_page.locator(".mw-revisionquality-verylikelybad").first.focus()
    await expect(browser_page.get_by_role("tooltip")).to_contain_text("removes 4 references")
    added = {"include": [[".mw-revisionquality"], [".mw-revisionquality-tooltip"]]}

    assert await violations(browser_page, added) == []


HIGHLIGHTS = "&".join(
    f"revisionquality__{level}_color=c{number}"
    for number, level in enumerate(
        ("unscored", "likelygood", "maybebad", "likelybad", "verylikelybad"), start=1
    )
)
CONTRASTS = """() => {
    const channels = (colour) => colour.match(/[\\d.]+/g).map(Number);
    const luminance = (colour) => {
        const [r, g, b] = channels(colour).map((c) => c / 255)
            .map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const behind = (element) => {
        for (let at = element; at; at = at.parentElement) {
            const colour = getComputedStyle(at).backgroundColor;
            if ((channels(colour)[3] ?? 1) > 0) return colour;
        }
        return "rgb(255, 255, 255)";
    };
    const of = (selector) => [...document.querySelectorAll(selector)].map((element) => {
        const lights = [getComputedStyle(element).color, behind(element)].map(luminance);
        return (Math.max(...lights) + 0.05) / (Math.min(...lights) + 0.05);
    });
    return {
        dots: of(".mw-revisionquality-dot"),
        texts: of(".mw-revisionquality-number, .mw-revisionquality-tooltip"),
        night: luminance(behind(document.querySelector(".mw-revisionquality-tooltip"))) < 0.1,
    };
}"""


@pytest.mark.browser
@pytest.mark.parametrize("highlights", ["", HIGHLIGHTS], ids=["plain", "highlighted"])
@pytest.mark.parametrize("theme", ["day", "night", "os"])
async def test_dots_and_reasons_stand_out_by_day_and_by_night(
    wiki: RealWiki, browser_page: Page, code: Path, theme: str, highlights: str
) -> None:
    await browser_page.emulate_media(color_scheme="dark" if theme == "os" else "light")
    await browser_page.goto(
        f"{site(wiki)}/w/index.php?title=Special:RecentChanges&urlversion=2&enhanced=0"
        f"&useskin=vector-2022&{highlights}"
    )
    # 1.39 has no night mode.
    has_night = code == NEWER
    if has_night:
        await browser_page.evaluate(
            """(theme) => {
                const root = document.documentElement;
                root.className = root.className.replace(/skin-theme-clientpref-\\S+/, "");
                root.classList.add(`skin-theme-clientpref-${theme}`);
            }""",
            theme,
        )
    if highlights:
        coloured = browser_page.locator(".mw-changeslist .mw-rcfilters-highlight-color-c5")
        await expect(coloured.first).to_be_attached()
    await browser_page.locator(".mw-revisionquality-verylikelybad").first.focus()
    await expect(browser_page.get_by_role("tooltip")).to_contain_text("removes 4 references")

    found = await browser_page.evaluate(CONTRASTS)

    assert found["night"] is (has_night and theme != "day")
    assert len(found["dots"]) >= len(SCORES)
    assert min(found["dots"]) >= 3
    assert min(found["texts"]) >= 4.5


@pytest.mark.browser
@pytest.mark.parametrize(("language", "side"), [("en", "left"), ("he", "right"), ("ar", "right")])
async def test_the_tooltip_begins_below_where_the_dot_does(
    wiki: RealWiki, browser_page: Page, language: str, side: str
) -> None:
    await browser_page.goto(
        f"{site(wiki)}/w/index.php?title=Special:RecentChanges&urlversion=2&enhanced=0"
        f"&useskin=vector-2022&uselang={language}"
    )
    await browser_page.locator(".mw-revisionquality-maybebad").first.focus()
    await expect(browser_page.get_by_role("tooltip")).to_be_visible()

    edges = await browser_page.evaluate(
        """(side) => [".mw-revisionquality-tooltip", ".mw-revisionquality-maybebad"]
            .map((name) => document.querySelector(name).getBoundingClientRect()[side])""",
        side,
    )

    assert abs(edges[0] - edges[1]) < 1


@pytest.mark.browser
async def test_the_watchlist_in_hebrew(wiki: RealWiki, browser_page: Page) -> None:
    await browser_page.goto(f"{site(wiki)}/w/index.php?title=Special:UserLogin")
    await browser_page.fill("#wpName1", ADMIN)
    await browser_page.fill("#wpPassword1", PASSWORD)
    await browser_page.click("#wpLoginAttempt")
    await browser_page.goto(
        f"{site(wiki)}/w/index.php?title=Special:Watchlist&uselang=he&urlversion=2"
        "&revisionquality=verylikelybad&enhanced=0"
    )
    badge = browser_page.locator(".mw-changeslist .mw-revisionquality-verylikelybad")
    await expect(badge).to_have_count(1)
    await expect(badge).to_have_attribute("aria-label", re.compile("סיכון לשחזור: 0.95"))
    await badge.focus()
    await expect(browser_page.get_by_role("tooltip")).to_contain_text("מסירה 4 הערות שוליים")
    await _screenshot(browser_page, "extension-watchlist-he.png")
