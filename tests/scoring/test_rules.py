"""Which events ask for a score, and which edits can have none."""

import pytest

from revision_quality.scoring.rules import is_edit, not_scorable
from tests.events.examples import page_change, revision


def slots(model: str, role: str = "main") -> dict[str, object]:
    return {role: {"slot_role": role, "content_model": model}}


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("create", True),
        ("edit", True),
        ("move", True),
        ("delete", False),
        ("undelete", False),
        ("visibility_change", False),
    ],
)
def test_edits_creations_and_moves_have_a_state(kind, expected):
    assert is_edit(page_change(kind)) is expected


def test_a_canary_is_no_edit():
    assert not is_edit(page_change(meta={"stream": "s", "domain": "canary"}))


@pytest.mark.parametrize(
    ("kind", "fields", "reason"),
    [
        ("edit", {}, None),
        ("edit", {"rev_parent_id": None}, None),
        ("edit", {"content_slots": slots("wikitext")}, None),
        ("edit", {"content_slots": slots("mediainfo", "mediainfo")}, None),
        ("edit", {"is_editor_visible": False, "is_comment_visible": False}, None),
        ("create", {}, "page_creation"),
        ("edit", {"rev_parent_id": 0}, "page_creation"),
        ("move", {}, "page_move"),
        ("move", {"rev_parent_id": 0}, "page_move"),
        ("edit", {"is_content_visible": False}, "revision_hidden"),
        ("edit", {"content_slots": slots("wikibase-item")}, "not_wikitext"),
        ("edit", {"content_slots": slots("javascript")}, "not_wikitext"),
    ],
)
def test_the_event_tells_what_can_have_no_score(kind, fields, reason):
    refusal = not_scorable(page_change(kind, revision=revision(10, **fields)))

    assert (refusal and refusal.reason) == reason
    assert refusal is None or refusal.message.endswith(".")
