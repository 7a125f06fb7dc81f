"""The wiki that other tests rely on does what people do on a wiki."""

import httpx
import pytest

from tests.servers.mediawiki import ADMIN, BOT

pytestmark = pytest.mark.mediawiki


def _changes_of(wiki, title):
    answer = wiki.get(
        action="query",
        list="recentchanges",
        rctitle=title,
        rcdir="newer",
        rcprop="ids|flags|user|comment|loginfo|tags",
    )
    return answer["query"]["recentchanges"]


def test_edits_show_in_recent_changes(mediawiki):
    first = mediawiki.edit("Story", "Once", "start")
    second = mediawiki.edit("Story", "Once upon a time", "more", user=ADMIN, minor=True)
    third = mediawiki.edit("Story", "Once upon a time.", user=BOT)

    changes = _changes_of(mediawiki, "Story")

    assert [(change["type"], change["revid"]) for change in changes] == [
        ("new", first),
        ("edit", second),
        ("edit", third),
    ]
    assert [change["user"] for change in changes] == ["127.0.0.1", ADMIN, BOT]
    assert [change["minor"] for change in changes] == [False, True, False]
    assert [change["bot"] for change in changes] == [False, False, True]
    assert [change["comment"] for change in changes] == ["start", "more", ""]


def test_an_edit_by_a_new_account(mediawiki):
    name = mediawiki.create_user("newcomer")

    mediawiki.edit("By newcomer", "text", user=name)

    assert name == "Newcomer"
    assert [change["user"] for change in _changes_of(mediawiki, "By newcomer")] == [name]
    mediawiki.edit("By newcomer", "other text")
    assert _changes_of(mediawiki, "By newcomer")[-1]["user"] == "127.0.0.1"


def test_reverts_are_tagged(mediawiki):
    mediawiki.edit("Contested", "good", user=ADMIN)
    bad = mediawiki.edit("Contested", "bad")
    undone = mediawiki.undo("Contested", bad, user=ADMIN)
    worse = mediawiki.edit("Contested", "worse")
    rolled_back = mediawiki.rollback("Contested", of="127.0.0.1")
    mediawiki.run_jobs()

    assert "mw-undo" in mediawiki.tags(undone)
    assert "mw-rollback" in mediawiki.tags(rolled_back)
    assert "mw-reverted" in mediawiki.tags(worse)


def test_a_page_moves_goes_and_comes_back(mediawiki):
    rev_id = mediawiki.edit("Before", "text")
    mediawiki.move("Before", "After")
    mediawiki.delete("After", "not needed")
    gone = mediawiki.get(action="query", prop="revisions", revids=rev_id)
    mediawiki.undelete("After")
    back = mediawiki.get(action="query", prop="revisions", revids=rev_id)

    assert str(rev_id) in gone["query"]["badrevids"]
    assert back["query"]["pages"][0]["title"] == "After"


def test_a_hidden_revision_is_hidden_until_it_is_shown(mediawiki):
    rev_id = mediawiki.edit("Hidden", "secret", "secret too")
    mediawiki.edit("Hidden", "public")

    mediawiki.hide_revision(rev_id, content=True, user=True, comment=True)
    hidden = _revision(mediawiki, rev_id)
    mediawiki.show_revision(rev_id, content=True, user=True, comment=True)
    shown = _revision(mediawiki, rev_id)

    assert hidden["userhidden"]
    assert hidden["commenthidden"]
    assert hidden["slots"]["main"]["texthidden"]
    assert shown["slots"]["main"]["content"] == "secret"


def test_protection_keeps_others_out(mediawiki):
    mediawiki.edit("Fortress", "text")
    mediawiki.protect("Fortress")

    with pytest.raises(AssertionError, match="protectedpage"):
        mediawiki.edit("Fortress", "other text")
    mediawiki.edit("Fortress", "other text", user=ADMIN)


def test_settings_hold_until_they_are_taken_back(mediawiki):
    mediawiki.configure("$wgGroupPermissions['*']['read'] = false;")
    refused = mediawiki.get(action="query", list="recentchanges")
    mediawiki.configure("")
    answered = mediawiki.get(action="query", list="recentchanges")

    assert refused["error"]["code"] == "readapidenied"
    assert "error" not in answered


def test_a_stopped_wiki_comes_back_as_it_was(start_wiki):
    wiki = start_wiki("hewiki", "he")
    rev_id = wiki.edit("דף", "טקסט")
    wiki.stop()
    with pytest.raises(httpx.ConnectError):
        wiki.get(action="query")
    wiki.start()
    answer = wiki.get(action="query", prop="revisions", revids=rev_id, meta="siteinfo")

    assert answer["query"]["pages"][0]["title"] == "דף"
    assert answer["query"]["general"]["wikiid"] == "hewiki"
    assert answer["query"]["general"]["rtl"]


def _revision(wiki, rev_id):
    answer = wiki.get(
        action="query", prop="revisions", revids=rev_id, rvprop="user|comment|content", rvslots="*"
    )
    return answer["query"]["pages"][0]["revisions"][0]
