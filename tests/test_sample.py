"""The edits that ship with the package are what the demo and its attribution say they are."""

import hashlib
from collections import Counter
from datetime import datetime
from importlib import resources

import pytest

from revision_quality.demo import SampleEdit, sample_edits
from revision_quality.sites import site_of

WIKIS_WITHOUT_REVISION_IDS = {"gdwiki", "kawiki", "minwiki"}
PAGE_KEY = ("page_id", "page_title")


@pytest.fixture(scope="module")
def edits() -> list[SampleEdit]:
    return list(sample_edits())


def test_the_file_is_small_enough_to_ship():
    sample = resources.files("revision_quality.demo").joinpath("sample.jsonl.xz")

    assert len(sample.read_bytes()) < 4_000_000


def test_there_are_3000_edits_of_many_wikis_each_once(edits):
    wikis = Counter(edit.event["wiki_id"] for edit in edits)
    keys = {(edit.event["wiki_id"], edit.event["revision"]["rev_id"]) for edit in edits}

    assert len(edits) == len(keys) == len({edit.event["meta"]["id"] for edit in edits}) == 3_000
    assert len(wikis) >= 8
    assert not wikis.keys() & WIKIS_WITHOUT_REVISION_IDS
    assert max(wikis.values()) < 2 * 3_000 / len(wikis)


def test_the_first_screen_already_shows_several_wikis(edits):
    assert len({edit.event["wiki_id"] for edit in edits[:50]}) >= 5


def test_edits_come_in_time_order_after_their_parents(edits):
    times = [edit.event["dt"] for edit in edits]

    assert times == sorted(times)
    for edit in edits:
        parent = edit.event["prior_state"]["revision"]
        assert _utc(parent["rev_dt"]) <= _utc(edit.event["dt"])
        assert 0 < parent["rev_id"] == edit.event["revision"]["rev_parent_id"]


def test_as_many_edits_are_reverted_as_on_the_wikis(edits):
    rate = sum(edit.label for edit in edits) / len(edits)

    assert {edit.label for edit in edits} == {0, 1}
    assert 0.01 < rate < 0.03


def test_the_events_describe_their_texts(edits):
    for edit in edits:
        _assert_describes(edit.event["revision"], edit.text)
        _assert_describes(edit.event["prior_state"]["revision"], edit.parent_text)


def test_the_events_are_page_change_edits_of_their_wikis(edits):
    for edit in edits:
        event, site = edit.event, site_of(edit.event["wiki_id"])
        assert site is not None
        assert event["$schema"] == "/mediawiki/page/change/1.2.0"
        assert (event["changelog_kind"], event["page_change_kind"]) == ("update", "edit")
        assert event["meta"]["stream"] == "mediawiki.page_change.v1"
        assert event["meta"]["domain"] == site.server.removeprefix("https://")
        assert event["meta"]["uri"] == site.page_url(event["page"]["page_title"])
        assert event["meta"]["dt"] == event["dt"] == event["revision"]["rev_dt"]
        assert " " not in event["page"]["page_title"]


def test_an_anonymous_editor_has_no_account(edits):
    account = {"user_id", "edit_count", "registration_dt"}
    anonymous = 0
    for edit in edits:
        performer = edit.event["performer"]
        assert performer == edit.event["revision"]["editor"]
        if performer["groups"] == ["*"]:
            anonymous += 1
            assert not account & performer.keys()
        else:
            assert performer["groups"] == ["*", "user"]
            assert account <= performer.keys()
            assert _utc(performer["registration_dt"]) <= _utc(edit.event["dt"])
    assert 0 < anonymous < len(edits) / 2


def test_a_page_has_one_number_and_a_number_one_page(edits):
    titles = {(e.event["wiki_id"], e.event["page"]["page_title"]) for e in edits}
    numbers = {(e.event["wiki_id"], e.event["page"]["page_id"]) for e in edits}
    pages = {(e.event["wiki_id"], *map(e.event["page"].get, PAGE_KEY)) for e in edits}

    assert len(titles) == len(numbers) == len(pages) < len(edits)


def test_the_attribution_names_the_licence_and_every_wiki(edits):
    text = resources.files("revision_quality.demo").joinpath("ATTRIBUTION.md").read_text("utf-8")

    assert "CC BY-SA" in text
    assert all(edit.event["wiki_id"] in text for edit in edits)


def _assert_describes(revision: dict, text: str) -> None:
    data = text.encode()
    slot = revision["content_slots"]["main"]
    assert revision["rev_size"] == slot["content_size"] == len(data) <= 60_000
    assert revision["rev_sha1"] == slot["content_sha1"]
    assert len(revision["rev_sha1"]) == 31
    assert int(revision["rev_sha1"], 36) == int(hashlib.sha1(data).hexdigest(), 16)


def _utc(text: str) -> datetime:
    return datetime.fromisoformat(text)
