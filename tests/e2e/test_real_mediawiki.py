"""Edits made on a real MediaWiki show up, scored, and what goes there goes here."""

import html
import re
import sqlite3
from urllib.parse import unquote

import httpx
import msgspec
import pytest

from revision_quality.events import streams as names
from tests.e2e.service import Service, settings_file, states
from tests.servers.mediawiki import ADMIN, BOT

pytestmark = pytest.mark.mediawiki

PROSE = (
    "The '''lighthouse''' of [[Westerheversand]] was built in 1908. Its light can be seen from"
    " 55 kilometres away.\n\n== History ==\nThree keepers lived in the houses beside it until"
    " 1978.<ref>Almanac of the coast, 1980.</ref> Since 2001 it has been open to visitors."
)


@pytest.fixture
def revq(mediawiki, tmp_path):
    with Service("run", settings_file(tmp_path, mediawiki.api_url)) as service:
        yield service


def test_edits_of_all_kinds(mediawiki, revq):
    created = mediawiki.edit("Kinds", PROSE, "a start")
    anonymous = mediawiki.edit("Kinds", PROSE + "\nMore.", "/* History */ more & <more>")
    minor = mediawiki.edit("Kinds", PROSE + "\nMore, ßüß.", user=ADMIN, minor=True)
    by_bot = mediawiki.edit("Kinds", PROSE, user=BOT)
    talk = [mediawiki.edit("Talk:Kinds", text) for text in ("Why?", "Why?\n: Because.")]
    script = [mediawiki.edit("User:Admin/common.js", f"// {n}", user=ADMIN) for n in range(2)]
    mediawiki.move("Kinds", "All kinds", "better title")
    undone = mediawiki.undo("All kinds", by_bot, user=ADMIN)

    row = revq.dealt_with(created)
    assert (row["state"], row["reason"], row["kind"]) == ("not_scorable", "page_creation", "create")
    assert (row["user"], row["user_level"], row["comment"]) == (
        "127.0.0.1", "unregistered", "a start",
    )  # fmt: skip
    assert (row["parent_id"], row["size"], row["namespace"]) == (0, len(PROSE), 0)

    row = revq.dealt_with(anonymous)
    assert (row["state"], row["kind"], row["title"]) == ("scored", "edit", "Kinds")
    assert 0 < row["score"] < 1
    assert row["comment"] == "/* History */ more & <more>"
    assert (row["parent_id"], row["parent_size"], row["size"]) == (
        created, len(PROSE), len(PROSE) + 6,
    )  # fmt: skip
    assert (row["is_minor"], row["is_bot"]) == (False, False)

    row = revq.dealt_with(minor)
    assert (row["state"], row["user"], row["is_minor"]) == ("scored", ADMIN, True)
    assert (row["user_level"], row["comment"]) == ("newcomer", "")
    assert row["size"] == len((PROSE + "\nMore, ßüß.").encode())

    row = revq.dealt_with(by_bot)
    assert (row["state"], row["user"], row["is_bot"]) == ("scored", BOT, True)

    row = revq.dealt_with(talk[1])
    assert (row["state"], row["title"], row["namespace"]) == ("scored", "Talk:Kinds", 1)

    row = revq.dealt_with(script[1])
    assert (row["state"], row["reason"]) == ("not_scorable", "not_wikitext")
    assert row["message"] == f"Revision {script[1]} is javascript, not wikitext."

    row = revq.dealt_with(undone)
    assert (row["state"], row["title"]) == ("scored", "All kinds")
    assert row["tags"] == ["mw-undo"]

    (moved,) = revq.rows_where(kind="move")
    assert (moved["state"], moved["reason"]) == ("not_scorable", "page_move")
    assert (moved["title"], moved["comment"]) == ("All kinds", "better title")

    page = revq.page()
    for row in revq.rows():
        assert html.escape(row["title"]) in page
    assert "more &amp; &lt;more&gt;" in page


def test_links_lead_to_the_wiki(mediawiki, revq):
    mediawiki.edit("Où? & «là»", "text")
    rev_id = mediawiki.edit("Où? & «là»", "other text", user=ADMIN)

    links = revq.dealt_with(rev_id)["links"]

    assert links.keys() == {"page", "diff", "history", "user", "talk", "contributions"}
    pages = {name: httpx.get(url, follow_redirects=True, timeout=60) for name, url in links.items()}
    for name in ("page", "diff", "history", "contributions"):
        assert pages[name].status_code == 200, links[name]
    assert "other text" in pages["page"].text
    assert "diff-addedline" in pages["diff"].text
    assert "Revision history" in pages["history"].text
    on_page = [html.unescape(url) for url in re.findall('href="(.*?)"', revq.page())]
    assert {unquote(links[name]) for name in ("page", "talk", "contributions")} <= {
        unquote(url) for url in on_page
    }
    (diff,) = (url for url in on_page if url.endswith(f"?diff={rev_id}"))
    assert "diff-addedline" in httpx.get(diff, timeout=60).text
    histories = [
        httpx.get(url, timeout=60).text for url in on_page if url.endswith("&action=history")
    ]
    assert any(html.escape("Où? & «là»", quote=False) in text for text in histories)


def test_vandalism_scores_higher_than_a_fix(mediawiki, revq):
    mediawiki.edit("Lighthouse", PROSE, user=ADMIN)
    fix = mediawiki.edit("Lighthouse", PROSE.replace("kilometres", "km"), "unit", user=ADMIN)
    vandalism = mediawiki.edit("Lighthouse", "POOP POOP POOP lol!!!!!!")

    fixed, vandalised = revq.dealt_with(fix), revq.dealt_with(vandalism)
    assert fixed["score"] < vandalised["score"]
    print(f"fix {fixed['score']:.2f}, vandalism {vandalised['score']:.2f}")


def test_a_deleted_page_is_gone(mediawiki, revq):
    mediawiki.edit("Doomed", "text", "unsayable comment")
    rev_id = mediawiki.edit("Doomed", "other text")
    kept = mediawiki.edit("Survivor", "text")
    revq.dealt_with(rev_id)

    mediawiki.delete("Doomed", "why not")

    revq.until(lambda: revq.row(rev_id) is None)
    assert revq.row(kept)
    for text in (revq.get("/recent-changes.json").text, revq.page()):
        assert "Doomed" not in text
        assert "unsayable comment" not in text


@pytest.mark.parametrize("suppress", [False, True], ids=["hidden", "suppressed"])
def test_what_is_hidden_is_gone(mediawiki, revq, suppress):
    title = f"Hidden, suppressed: {suppress}"
    name = mediawiki.create_user(f"Indiscreet {suppress}")
    mediawiki.edit(title, PROSE)
    text = mediawiki.edit(title, PROSE + "text to hide", "comment that stays")
    user = mediawiki.edit(title, PROSE + "more", user=name)
    comment = mediawiki.edit(title, PROSE + "yet more", "comment to hide")
    mediawiki.edit(title, PROSE)
    assert revq.dealt_with(text)["state"] == "scored"
    assert revq.dealt_with(user)["user"] == name
    assert revq.dealt_with(comment)["comment"] == "comment to hide"

    mediawiki.hide_revision(text, content=True, suppress=suppress)
    mediawiki.hide_revision(user, content=False, user=True, suppress=suppress)
    mediawiki.hide_revision(comment, content=False, comment=True, suppress=suppress)

    row = revq.until(lambda: _if(revq.row(text), "content_hidden"))
    assert (row["state"], row["reason"], row["score"]) == ("not_scorable", "revision_hidden", None)
    assert row["comment"] == "comment that stays"
    row = revq.until(lambda: _if(revq.row(user), "user_hidden"))
    assert row["user"] is None
    row = revq.until(lambda: _if(revq.row(comment), "comment_hidden"))
    assert row["comment"] is None
    for answer in (revq.get("/recent-changes.json?limit=500").text, revq.page()):
        assert f">{name}<" not in answer
        assert f'"{name}"' not in answer
        assert "comment to hide" not in answer
        assert "comment that stays" in answer


def test_an_edit_that_is_undone_behind_the_overlap_is_reverted(mediawiki, tmp_path):
    """No text is there again, so the wiki's tag alone tells it: a job's, in no log."""
    settings = settings_file(tmp_path, mediawiki.api_url)
    settings.write_text(f"{settings.read_text()}overlap = 0.1\n")
    mediawiki.edit("Undone", PROSE)
    bad = mediawiki.edit("Undone", PROSE.replace("1908", "1809"))
    with Service("run", settings) as revq:
        revq.dealt_with(bad)
        mediawiki.edit("Undone", PROSE.replace("1908", "1809") + "\n\nIt is white.", user=ADMIN)
        undone = mediawiki.undo("Undone", bad, user=ADMIN)
        revq.dealt_with(undone)
        mediawiki.edit("Something else", PROSE)
        assert revq.stop() == 0
    mediawiki.run_jobs()
    assert "mw-reverted" in mediawiki.tags(bad)

    with Service("run", settings) as revq:
        row = revq.until(lambda: _if(revq.row(bad), "is_reverted"))

    assert row["reverted_by"] == undone
    assert row["tags"] == ["mw-reverted"]


def test_a_restart_goes_on_where_it_ended(mediawiki, tmp_path):
    settings = settings_file(tmp_path, mediawiki.api_url)
    before = mediawiki.edit("Restart", "text")
    with Service("run", settings) as revq:
        revq.dealt_with(before)
        known = {row["rev_id"] for row in revq.rows()}
        assert revq.stop() == 0
    mediawiki.edit("Restart", "0")
    missed = [mediawiki.edit("Restart", f"{n}") for n in range(1, 61)]

    with Service("run", settings) as revq:
        revq.dealt_with(missed[0])
        rev_ids = [row["rev_id"] for row in revq.rows()]
        assert revq.stop() == 0
        assert revq.log == ""

    assert len(rev_ids) == len(set(rev_ids))
    assert known | set(missed) <= set(rev_ids)
    order = _predicted(tmp_path / "revq-data", set(missed))
    assert sorted(order) == missed
    newest, oldest = (sum(map(order.index, ten)) for ten in (missed[-10:], missed[:10]))
    assert newest < oldest


def test_a_wiki_that_is_down_for_a_while(start_wiki, tmp_path):
    wiki = start_wiki("down_wiki")
    settings = settings_file(tmp_path, wiki.api_url)
    first = wiki.edit("Down", "text")
    with Service("run", settings) as revq:
        revq.dealt_with(first)
        wiki.stop()
        revq.until(lambda: "wiki cannot be polled, trying again" in revq.log)
        assert revq.row(first)
        assert revq.page()
        wiki.start()
        second = wiki.edit("Down", "other text")
        assert revq.dealt_with(second)["state"] == "scored"
        assert "wiki is polled again" in revq.log
        assert revq.stop() == 0

    wiki.stop()
    with Service("run", settings) as revq:
        assert revq.row(second)
        assert "a wiki does not answer, taking it as it was" in revq.log
        wiki.start()
        third = wiki.edit("Down", "third text")
        assert revq.dealt_with(third)["state"] == "scored"
        rev_ids = [row["rev_id"] for row in revq.rows()]
        assert "Traceback" not in revq.log
    assert sorted(rev_ids[:3]) == [first, second, third]
    assert len(rev_ids) == len(set(rev_ids))


def test_two_wikis_at_once_one_from_right_to_left(mediawiki, start_wiki, tmp_path):
    hebrew = start_wiki("hewiki", "he")
    hebrew.edit("דף", "טקסט")
    theirs = hebrew.edit("דף", "טקסט אחר", "סיבה")
    mediawiki.edit("Left", "text")
    ours = mediawiki.edit("Left", "other text")
    addresses = ("--wiki", mediawiki.api_url, "--wiki", hebrew.api_url)

    with Service("run", *addresses, "--data", tmp_path, "--port", 0) as revq:
        revq.until(lambda: {"my_wiki", "hewiki"} <= {row["wiki_id"] for row in revq.rows()})
        revq.until(lambda: "pending" not in states(revq.rows()))
        left = {row["rev_id"]: row for row in revq.rows("wiki=my_wiki")}
        right = {row["rev_id"]: row for row in revq.rows("wiki=hewiki")}
        page = revq.page("wiki=hewiki")
        output = revq.output

    assert left[ours]["state"] == right[theirs]["state"] == "scored"
    assert right[theirs]["title"] == "דף"
    assert httpx.get(right[theirs]["links"]["diff"], timeout=60).status_code == 200
    assert 'lang="he"' in page
    assert 'dir="rtl"' in page
    assert "Loopback Wiki (my_wiki), MediaWiki 1." in output
    assert "Loopback Wiki (hewiki), MediaWiki 1." in output


def _if(row, name):
    return row if row[name] else None


def _predicted(data, rev_ids):
    """Return those of the revisions that have a score, in the order in which they got it."""
    connection = sqlite3.connect(data / "streams.sqlite")
    values = connection.execute(
        "SELECT value FROM event JOIN stream USING (stream_id) WHERE name = ? ORDER BY offset",
        (names.PREDICTION,),
    ).fetchall()
    connection.close()
    order = [msgspec.json.decode(value)["revision"]["rev_id"] for (value,) in values]
    return [rev_id for rev_id in order if rev_id in rev_ids]
