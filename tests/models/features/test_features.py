"""Each story: an edit, and what one feature says of it."""

from datetime import timedelta

import pytest

from revision_quality.models.features import vector
from revision_quality.wiki.revision import User
from tests.models.make import ARTICLE, EDITED_AT, NEWCOMER, VETERAN, revision

PROSE = "The old town lies at the harbour and is known for its many painted houses. " * 4


def value(name: str, **changes: object) -> float:
    return float(vector.extract(revision(**changes)).values[vector.NAMES.index(name)])


@pytest.mark.parametrize(
    ("name", "changes", "expected"),
    [
        ("user_is_anonymous", {"user": NEWCOMER}, 1),
        ("user_is_anonymous", {"user": User(user_id=4, is_temp=True)}, 1),
        ("user_is_anonymous", {"user": VETERAN}, 0),
        ("user_edit_count", {"user": User(user_id=0, edit_count=90)}, -1),
        ("user_edit_count", {"user": User(user_id=4, edit_count=90)}, 90),
        ("user_edit_count", {"user": VETERAN}, 1000),
        ("user_age", {"user": User(user_id=4)}, -1),
        ("user_age", {"user": User(user_id=4, registration_dt=EDITED_AT - timedelta(2))}, 2),
        ("user_age", {"user": User(user_id=4, registration_dt=EDITED_AT + timedelta(2))}, 0),
        ("parent_age", {}, 3),
        ("parent_age", {"parent_dt": None}, -1),
        ("parent_age", {"parent_dt": EDITED_AT + timedelta(1)}, 0),
        ("parent_age", {"parent_dt": EDITED_AT.replace(tzinfo=None)}, -1),
        ("same_editor_as_parent", {"parent_user": "Ana"}, 1),
        ("same_editor_as_parent", {"parent_user": None}, -1),
        ("comment_length", {"comment": "/* History */ typo"}, 4),
        ("comment_length", {"comment": None}, -1),
        ("comment_has_section", {"comment": "/* History */ typo"}, 1),
        ("length_change", {"text": ARTICLE + "abc"}, 3),
        ("length_change", {"text": ""}, -len(ARTICLE)),
        ("references_change", {"text": ARTICLE.replace("<ref>Census 2011</ref>", "")}, -1),
        ("wikilinks_change", {"text": ARTICLE + "[[Otrobanda]]"}, 1),
        ("headings_change", {"text": ARTICLE.replace("== History ==", "History")}, -1),
        ("bracket_balance_change", {"text": ARTICLE + "[[a"}, 2),
        ("is_redirect", {"text": "#REDIRECT [[Curaçao]]"}, 1),
        ("words_added", {"text": ARTICLE + "three more words"}, 3),
        ("words_removed", {"text": ARTICLE.replace("capital of ", "")}, 2),
        ("removed_share", {"text": "", "parent_text": "word"}, 1),
        ("longest_run_added", {"text": ARTICLE + "noooooo"}, 6),
        ("echo_added", {"text": ARTICLE + "hahahaha"}, 8),
        ("upper_words_added", {"text": ARTICLE + "THIS IS BAD"}, 2),
        ("upper_added", {"text": ARTICLE + "AAbb"}, 0.5),
        ("digits_added", {"text": ARTICLE + "12ab"}, 0.5),
        ("exclamations_added", {"text": ARTICLE + "what?!!"}, 3),
        ("urls_added", {"text": ARTICLE + "\nhttps://a.example and http://b.example"}, 2),
        ("title_words_added", {"text": ARTICLE.replace("Willemstad", "Oranjestad")}, -2),
        ("foreign_letters_added", {"parent_text": PROSE, "text": PROSE + "привет"}, 6),
        ("foreign_share_added", {"parent_text": PROSE, "text": PROSE + "house"}, 0),
        ("known_words_added", {"text": ARTICLE + "capital zzzz"}, 0.5),
        ("comment_echo", {"text": ARTICLE + "hello", "comment": "hello"}, 1),
    ],
)
def test_the_feature_says(name: str, changes: dict[str, object], expected: float) -> None:
    assert value(name, **changes) == pytest.approx(expected)


def test_gibberish_surprises_more_than_prose() -> None:
    def surprise(added: str) -> float:
        return value("bigram_surprise_added", parent_text=PROSE, text=PROSE + added)

    assert surprise("xqzkvj wpfqg") > surprise("painted houses and the harbour") + 1
