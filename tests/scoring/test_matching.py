"""Tables over page_change, as ChangeProp's rules have them."""

from typing import Any

import pytest

from revision_quality.errors import SettingsError
from revision_quality.scoring.matching import everything, wanted
from tests.events.examples import ALICE, page_change, revision

EDIT = page_change(performer=ALICE | {"is_bot": False, "groups": ["*", "user", "rollbacker"]})


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ({}, True),
        ({"wiki_id": "my_wiki"}, True),
        ({"wiki_id": "my_wik"}, False),
        ({"wiki_id": ["enwiki", "my_wiki"]}, True),
        ({"wiki_id": ["enwiki", "dewiki"]}, False),
        ({"wiki_id": []}, False),
        ({"wiki_id": "/^(?!.*(?:commons|meta)).*wiki$/"}, True),
        ({"wiki_id": "/^.*wikipedia$/"}, False),
        ({"wiki_id": "/WIKI/"}, False),
        ({"wiki_id": "/WIKI/i"}, True),
        ({"wiki_id": ["enwiki", "/^my_/"]}, True),
        ({"page_change_kind": "/^(edit|create|move)$/"}, True),
        ({"page": {"namespace_is_content": "undefined", "namespace_id": 0}}, True),
        ({"page": {"namespace_id": False}}, False),
        ({"page": {"namespace_id": "0"}}, False),
        ({"page": {"namespace_id": "/^(0|4)$/"}}, True),
        ({"performer": {"is_bot": False}}, True),
        ({"performer": {"is_bot": 0}}, False),
        ({"performer": {"is_bot": "/false/"}}, True),
        ({"performer": {"is_bot": True}}, False),
        ({"performer": {"groups": "rollbacker"}}, True),
        ({"performer": {"groups": ["sysop", "bot"]}}, False),
        ({"wiki_id": "my_wiki", "page": {"namespace_id": 1}}, False),
        ({"created_redirect_page": "undefined"}, True),
        ({"created_redirect_page": {"page_id": 1}}, False),
        ({"created_redirect_page": {"page_id": "undefined"}}, False),
        ({"$schema": "/^\\/mediawiki\\/page\\/change\\/1/"}, True),
        ({"meta": {"domain": "canary"}}, False),
        ([{"wiki_id": "enwiki"}, {"wiki_id": "my_wiki"}], True),
        ([{"wiki_id": "enwiki"}, {"wiki_id": "dewiki"}], False),
    ],
)
def test_a_table_holds_where_all_its_fields_do(table, expected):
    assert wanted(table)(EDIT) is expected
    if table:
        assert wanted(match_not=table)(EDIT) is not expected


def test_slots_are_matched_by_their_names():
    slots = {"main": {"slot_role": "main", "content_model": "wikitext"}}
    edit = page_change(revision=revision(10, content_slots=slots))
    wants = wanted({"revision": {"content_slots": {"main": {"content_model": "wikitext"}}}})

    assert wants(edit)
    assert not wants(EDIT)


@pytest.mark.parametrize(("namespaces", "expected"), [([0], True), ([0, 4], True), ([4], False)])
def test_namespaces_are_one_more_condition(namespaces, expected):
    assert wanted(namespaces=namespaces)(EDIT) is expected
    assert wanted({"wiki_id": "my_wiki"}, namespaces=namespaces)(EDIT) is expected
    assert not wanted({"wiki_id": "enwiki"}, namespaces=namespaces)(EDIT)


def test_a_user_who_is_hidden_is_matched_by_no_table():
    hidden = page_change(performer=None)

    assert not wanted({"performer": {"is_bot": False}})(hidden)
    assert wanted(match_not={"performer": {"is_bot": True}})(hidden)
    assert wanted({"performer": "undefined"})(hidden)


def test_without_tables_every_edit_is_wanted():
    assert wanted() is everything
    assert everything(EDIT)


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ({"wiki": "x"}, r"models\[1\]\.match\.wiki: page_change has no such field; known are "),
        ({"page": {"title": "x"}}, r"models\[1\]\.match\.page\.title: page_change has no such"),
        ({"page": "x"}, r"match\.page: is an object in page_change: match its fields in a table"),
        ({"wiki_id": {"a": 1}}, r"match\.wiki_id: is one value in page_change, not a table"),
        ({"wiki_id": "/(/"}, r"match\.wiki_id: /\(/ is no regular expression"),
    ],
)
def test_what_can_never_match_is_told(table: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence):
        wanted(table, place="models[1]")
