from typing import Any

import pytest
from msgspec.structs import replace

from revision_quality.recent_changes.presentation import Risk, Row, key_of, row_of
from revision_quality.views.change import Change, State
from tests.recent_changes.examples import HEBREW, LEVELS, SITE, change


def shown(edit: Change, **options: Any) -> Row:
    return row_of(edit, SITE, LEVELS, **options)


def test_an_edit_leads_to_its_wiki() -> None:
    row = shown(change(5, parent_id=1, title="Main Page", user="Alice"))

    assert row.key == key_of("enwiki", 5) == "enwiki:5"
    assert row.title_url == "https://en.example/wiki/Main_Page"
    assert row.diff_url == "https://en.example/w/index.php?diff=5&oldid=1"
    assert row.history_url == "https://en.example/w/index.php?title=Main_Page&action=history"
    assert row.user is not None
    assert row.user.url == "https://en.example/wiki/User:Alice"
    assert row.user.talk_url == "https://en.example/wiki/User_talk:Alice"
    assert row.user.contributions_url == "https://en.example/wiki/Special:Contributions/Alice"


def test_a_wiki_gives_its_language_and_direction() -> None:
    row = row_of(change(wiki_id="hewiki"), HEBREW, LEVELS, with_wiki=True)
    assert (row.lang, row.dir, row.wiki) == ("he", "rtl", "hewiki")
    assert shown(change()).wiki is None


def test_an_unknown_wiki_has_no_links() -> None:
    row = row_of(change(), None, LEVELS)
    assert (row.title, row.title_url, row.diff_url, row.history_url) == (
        "Main Page",
        None,
        None,
        None,
    )
    assert row.user is not None
    assert row.user.url is None
    assert row.dir == "auto"


def test_a_wiki_that_names_no_web_address_has_no_links() -> None:
    site = replace(SITE, server="javascript:alert(1)//")
    row = row_of(change(comment="/* A */ [[B]]"), site, LEVELS)

    assert row.user is not None
    urls = [row.title_url, row.diff_url, row.history_url, row.user.url, row.user.talk_url]
    assert urls + [part.url for part in row.comment] == [None] * 8


@pytest.mark.parametrize(
    ("fields", "letters"),
    [
        ({}, ""),
        ({"is_minor": True}, "m"),
        ({"is_bot": True}, "b"),
        ({"kind": "create", "is_minor": True, "is_bot": True}, "Nmb"),
    ],
)
def test_flags_are_mediawikis(fields: dict[str, Any], letters: str) -> None:
    assert "".join(shown(change(**fields)).flags) == letters


@pytest.mark.parametrize(
    ("size", "parent_size", "kind", "difference", "large"),
    [
        (130, 100, "edit", 30, False),
        (599, 100, "edit", 499, False),
        (600, 100, "edit", 500, True),
        (100, 600, "edit", -500, True),
        (100, 100, "edit", 0, False),
        (None, 100, "edit", None, False),
        (100, None, "edit", None, False),
        (700, None, "create", 700, True),
    ],
)
def test_the_change_of_size(
    size: int | None, parent_size: int | None, kind: str, difference: int | None, large: bool
) -> None:
    row = shown(change(size=size, parent_size=parent_size, kind=kind))
    assert row.size_change == difference
    assert row.is_large is large


def test_a_new_page_has_no_diff() -> None:
    row = shown(change(kind="create", parent_id=0))
    assert row.diff_url is None
    assert row.is_new_page


def test_hidden_parts_are_not_shown_even_if_they_are_known() -> None:
    row = shown(
        change(
            user_hidden=True,
            user="Alice",
            comment_hidden=True,
            comment="secret",
            content_hidden=True,
        )
    )
    assert (row.user, row.is_user_hidden) == (None, True)
    assert (row.comment, row.is_comment_hidden) == ((), True)
    assert (row.diff_url, row.is_content_hidden) == (None, True)
    assert row.history_url


@pytest.mark.parametrize(
    ("fields", "risk"),
    [
        ({"score": 0.9}, Risk("verylikelybad", "0.90")),
        ({"score": 0.8999}, Risk("likelybad", "0.89")),
        ({"score": 0.29}, Risk("unclear", "0.29")),
        ({"score": 0.001}, Risk("likelygood", "0.00")),
        ({"score": 1.0}, Risk("verylikelybad", "1.00")),
        ({"state": State.PENDING, "score": None}, Risk("pending")),
        (
            {"state": State.NOT_SCORABLE, "score": None, "reason": "new_page", "message": "New."},
            Risk("not_scorable", reason="new_page", message="New."),
        ),
        (
            {"state": State.FAILED, "score": None, "reason": "wiki_unavailable"},
            Risk("failed", reason="wiki_unavailable"),
        ),
    ],
)
def test_the_risk_or_the_state_instead(fields: dict[str, Any], risk: Risk) -> None:
    assert shown(change(**fields)).risk == risk
