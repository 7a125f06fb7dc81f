"""Rows of a real MediaWiki's recent changes become the events that they stand for."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from revision_quality.errors import InvalidEventError
from revision_quality.events import streams as names
from revision_quality.events.page_change import (
    PageChange,
    PageChangeKind,
    UserEntity,
    decode_page_change,
)
from revision_quality.events.revision_change import decode_tags_change, decode_visibility_change
from revision_quality.sources.base import outgoing
from revision_quality.sources.recent_change import (
    RecentChange,
    base36_sha1,
    page_change,
    read_rows,
    tags_change,
    visibility_change,
)
from tests.events.examples import at
from tests.sources.wiki import SITE
from tests.wiki.fake import fixture

RAW: list[dict[str, Any]] = fixture("recentchanges")["body"]["query"]["recentchanges"]
ROWS = {row.rcid: row for row in read_rows(RAW)}
RECEIVED = at(7)
ADMIN = UserEntity(user_text="Admin", user_id=1, groups=("*", "user", "sysop"), edit_count=5)


def event(rcid: int) -> PageChange:
    change = page_change(ROWS[rcid], SITE, {"Admin": ADMIN}, RECEIVED)
    assert change is not None
    return change


@pytest.mark.parametrize(
    ("rcid", "kind"),
    [
        (2, "create"),
        (3, "edit"),
        (5, "edit"),
        (6, "edit"),
        (9, "move"),
        (12, "delete"),
        (15, "undelete"),
        (17, "edit"),
    ],
)
def test_each_kind_of_row_is_an_event_that_holds_to_the_schema(rcid, kind):
    change = event(rcid)

    assert change.page_change_kind is PageChangeKind(kind)
    assert decode_page_change(outgoing(change).value) == change
    assert (change.meta.stream, change.meta.dt) == (names.PAGE_CHANGE, RECEIVED)
    assert change.meta.domain == "wiki.example"


@pytest.mark.parametrize("rcid", [7, 10, 19])
def test_other_log_entries_are_no_page_change(rcid):
    assert page_change(ROWS[rcid], SITE, {}, RECEIVED) is None


def test_an_edit_has_what_the_row_has_and_the_user_as_the_wiki_knows_them():
    change = event(3)

    assert change.wiki_id == "my_wiki"
    assert (change.page.page_id, change.page.page_title) == (2, "Apple")
    assert (change.revision.rev_id, change.revision.rev_parent_id) == (3, 2)
    assert (change.revision.rev_size, change.revision.is_minor_edit) == (20, True)
    assert change.revision.editor == ADMIN
    assert change.prior_state is not None
    assert change.prior_state.revision is not None
    assert change.prior_state.revision.rev_size == 9
    assert change.dt == change.revision.rev_dt == ROWS[3].timestamp


def test_an_anonymous_editor_has_no_account_and_a_bots_edit_its_flag():
    anonymous, bot = event(2).performer, event(4).performer

    assert anonymous == UserEntity(
        user_text="127.0.0.1", groups=("*",), is_temp=False, is_bot=False, is_system=False
    )
    assert bot is not None
    assert (bot.user_id, bot.is_bot, bot.groups) == (3, True, ("*", "user"))


def test_a_move_leads_to_the_new_title():
    change = event(9)

    assert change.page.page_title == "Quince"
    assert change.prior_state is not None
    assert change.prior_state.page is not None
    assert change.prior_state.page.page_title == "Pear"
    assert (change.revision.rev_id, change.comment) == (8, "better name")


def test_a_hidden_edit_says_what_is_hidden_and_has_none_of_it():
    change = event(5)

    assert change.revision.is_content_visible is False
    assert change.revision.is_editor_visible is False
    assert change.revision.is_comment_visible is False
    assert (change.revision.editor, change.performer, change.revision.comment) == (None,) * 3
    assert change.revision.rev_sha1 is None


def test_an_account_that_may_see_what_is_hidden_still_publishes_none_of_it():
    seen = RAW[4] | {"user": "Rude name", "userid": 9, "comment": "rude", "sha1": "a" * 40}
    (row,) = read_rows([seen])

    written = msgspec.json.encode(
        [page_change(row, SITE, {}, RECEIVED), visibility_change(row, SITE, RECEIVED)]
    )

    assert b"ude" not in written
    assert b"aaaa" not in written


def test_a_revision_deletion_names_its_revisions():
    assert ROWS[7].hidden_rev_ids == (5,)
    assert ROWS[12].hidden_rev_ids == ()


@pytest.mark.parametrize(
    ("params", "rev_ids"),
    [
        ({"type": "revision", "ids": ["5", 6]}, (5, 6)),
        ({"type": "oldimage", "ids": ["20260101000000!A.png"]}, ()),
        ({"type": "filearchive", "ids": [5]}, ()),
        ([], ()),
        ({"type": "revision", "ids": "5"}, ()),
        (None, ()),
    ],
)
def test_a_log_entry_of_another_shape_names_no_revision(params, rev_ids):
    (row,) = read_rows([RAW[6] | {"logparams": params}])

    assert row.hidden_rev_ids == rev_ids


def test_a_tagged_edit_tells_its_tags_once_and_again_when_they_change():
    undone = ROWS[6]
    first = tags_change(undone, SITE, RECEIVED)
    assert first is not None
    assert first.tags == ("mw-undo",)
    assert decode_tags_change(outgoing(first).value) == first

    later = tags_change(undone, SITE, at(99))
    assert later is not None
    assert later.meta.id == first.meta.id
    assert tags_change(undone, SITE, at(99), known=("mw-undo",)) is None
    assert tags_change(ROWS[3], SITE, RECEIVED) is None
    assert tags_change(ROWS[7], SITE, RECEIVED) is None

    removed = tags_change(ROWS[3], SITE, RECEIVED, known=("mw-undo",))
    again = tags_change(undone, SITE, at(99), known=())
    assert removed is not None
    assert removed.tags == ()
    assert again is not None
    assert again.meta.id != first.meta.id


def test_visibility_says_what_may_be_seen():
    change = visibility_change(ROWS[17], SITE, RECEIVED)

    assert (change.visibility.text, change.visibility.user) == (False, False)
    assert change.visibility.comment is True
    assert (change.performer, change.editor) == (None, None)
    assert decode_visibility_change(outgoing(change).value) == change


def test_the_same_row_is_the_same_event_whenever_it_is_read():
    again = page_change(ROWS[3], SITE, {}, at(1000))

    assert again is not None
    assert again.meta.id == event(3).meta.id
    assert len({event(rcid).meta.id for rcid in (2, 3, 5, 6, 9, 12, 15, 17)}) == 8


def test_every_event_of_a_page_has_its_key():
    assert outgoing(event(3)).key == '{"wiki_id":"my_wiki","page_id":2}'
    hidden = visibility_change(ROWS[17], SITE, RECEIVED)
    assert outgoing(hidden).key == '{"wiki_id":"my_wiki","page_id":7}'


def test_an_event_without_an_id_is_refused():
    change = event(3)
    without = msgspec.structs.replace(change, meta=msgspec.structs.replace(change.meta, id=None))

    with pytest.raises(InvalidEventError, match=r"an event for .*page_change\.v1 has no meta\.id"):
        outgoing(without)


def test_one_unreadable_row_does_not_hold_up_the_others():
    broken = [{"type": "edit"}, RAW[2], RAW[3] | {"timestamp": "yesterday"}, None]

    assert [row.rcid for row in read_rows(broken)] == [3]


@pytest.mark.parametrize("rows", [{}, None, 5, [None], [{"type": "edit", "rcid": 2**70}]])
def test_what_are_no_rows_is_refused(rows):
    with pytest.raises(InvalidEventError, match="the recent changes "):
        read_rows(rows)


def test_a_hash_is_written_as_in_mediawikis_tables():
    assert base36_sha1("0" * 40) == "0" * 31
    assert base36_sha1("da39a3ee5e6b4b0d3255bfef95601890afd80709") == (
        "phoiac9h4m842xq45sp7s6u21eteeq1"
    )
    assert base36_sha1("not hexadecimal") is None


@given(st.integers(0, 16**40 - 1))
def test_every_hash_is_31_digits_that_mean_the_same(number):
    written = base36_sha1(f"{number:040x}")

    assert written is not None
    assert len(written) == 31
    assert int(written, 36) == number


def test_rows_have_the_position_that_the_api_continues_with():
    assert ROWS[3].position == fixture("recentchanges_continued")["body"]["continue"]["rccontinue"]
    assert isinstance(ROWS[3], RecentChange)
