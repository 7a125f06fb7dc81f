"""Labels out of page_change events: the label rules of the training, in any order of the events."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from revision_quality.events.meta import Meta
from revision_quality.events.page_change import (
    SCHEMA,
    ChangelogKind,
    PageChange,
    PageChangeKind,
    PageEntity,
    PriorRevision,
    PriorState,
    Revert,
    RevisionEntity,
    UserEntity,
)
from revision_quality.events.revision_change import TagsChange, Visibility, VisibilityChange
from revision_quality.events.verdict import Judgement, Verdict, VerdictEvent, build_verdict
from revision_quality.levels.counts import Label
from revision_quality.levels.edit import (
    Edit,
    with_page_change,
    with_tags,
    with_verdict,
    with_visibility,
)
from revision_quality.levels.labelling import labelled
from tests.training.histories.make import HIDDEN, STORIES, story

START = datetime(2026, 11, 1, tzinfo=UTC)
META = Meta(stream="s", id="i", domain="pap.wikipedia.org")
Event = PageChange | TagsChange | VisibilityChange | VerdictEvent


def change(
    number: int,
    text: str,
    user: str,
    *,
    hours: float | None = None,
    parent_sha1: str | None = None,
    kind: PageChangeKind = PageChangeKind.EDIT,
    revert: Revert | None = None,
    is_bot: bool = False,
) -> PageChange:
    is_hidden = text == HIDDEN
    at = START + timedelta(hours=number if hours is None else hours)
    editor = UserEntity(user_text=user, user_id=7, is_bot=is_bot)
    return PageChange(
        schema=SCHEMA,
        meta=META,
        dt=at,
        wiki_id="papwiki",
        page_change_kind=kind,
        changelog_kind=ChangelogKind.UPDATE,
        page=PageEntity(page_id=1, page_title="A"),
        revision=RevisionEntity(
            rev_id=number,
            rev_dt=at,
            rev_parent_id=number - 1,
            rev_sha1=None if is_hidden else text,
            is_content_visible=not is_hidden,
            is_editor_visible=user != HIDDEN,
            editor=None if user == HIDDEN else editor,
            revert=revert,
        ),
        performer=None if user == HIDDEN else editor,
        prior_state=PriorState(revision=PriorRevision(rev_id=number - 1, rev_sha1=parent_sha1)),
    )


def tagged(number: int, *tags: str, hours: float = 50) -> TagsChange:
    return TagsChange(**_told(number, hours), tags=tags)


def hidden(number: int) -> VisibilityChange:
    shown = Visibility(text=False, user=True, comment=True)
    return VisibilityChange(**_told(number, 60), visibility=shown)


def judged(number: int, says: str, by: str = "Pat", hours: float = 20) -> VerdictEvent:
    given = Judgement(wiki_id="papwiki", rev_id=number, verdict=Verdict(says), by=by)
    at = START + timedelta(hours=hours)
    return build_verdict(given, at, page_id=1, rev_dt=START + timedelta(hours=number))


def _told(number: int, hours: float) -> dict[str, object]:
    return {
        "schema": "",
        "meta": META,
        "dt": START + timedelta(hours=hours),
        "database": "papwiki",
        "page_id": 1,
        "page_title": "A",
        "page_namespace": 0,
        "rev_id": number,
        "rev_timestamp": START + timedelta(hours=number),
    }


def of_story(text: str) -> list[PageChange]:
    return [
        change(
            number,
            edit.text,
            edit.user,
            kind=PageChangeKind.CREATE if number == 1 else PageChangeKind.EDIT,
            is_bot="bot" in edit.user.lower(),
        )
        for number, edit in enumerate(story(text), start=1)
    ]


def page(events: Sequence[Event]) -> dict[int, Edit]:
    """Bring events in one at a time, as a view does that labels the page after each."""
    edits: dict[int, Edit] = {}
    for event in events:
        is_change = isinstance(event, PageChange)
        rev_id = event.revision.rev_id if is_change else event.rev_id
        edit = edits.get(rev_id) or Edit(wiki_id="papwiki", rev_id=rev_id)
        if isinstance(event, PageChange):
            edits[rev_id] = with_page_change(edit, event)
        elif isinstance(event, TagsChange):
            edits[rev_id] = with_tags(edit, event)
        elif isinstance(event, VerdictEvent):
            edits[rev_id] = with_verdict(edit, event)
        else:
            edits[rev_id] = with_visibility(edit, event)
        edits |= {each.rev_id: each for each in labelled(edits.values())}
    return edits


@pytest.mark.parametrize("name", sorted(set(STORIES) - {"a move changes nothing", "bot"}))
def test_the_labels_are_those_of_the_training(name):
    text, expected = STORIES[name]
    found = page(of_story(text))
    for number, label in expected.items():
        assert found[number].label == label, number
        assert found[number].is_counted or found[number].user_hidden
    clear = (Label.KEPT, Label.REVERTED)
    left_out = [number for number in found if number not in expected]
    for number in left_out:
        assert (
            not found[number].is_counted
            or found[number].label not in clear
            or found[number].user_hidden
            or found[number - 1].text_hidden
            or found[number].sha1 == found[number - 1].sha1
        ), number


def test_who_undid_it_and_how_fast():
    found = page(of_story("good:Ana bad:Vic good:Ben"))[2]
    assert (found.label, found.reverted_by, found.reverted_after) == (1, 3, 3600)


def test_a_revert_to_a_text_from_before_the_stream_is_found_by_the_parents_checksum():
    events = [change(8, "bad", "Vic", parent_sha1="good"), change(9, "good", "Ben")]
    assert page(events)[8].label == Label.REVERTED


@pytest.mark.parametrize(("hours", "label"), [(48, Label.REVERTED), (48.1, Label.KEPT)])
def test_only_what_is_undone_within_the_waiting_time_is_reverted(hours, label):
    events = [
        change(8, "bad", "Vic", parent_sha1="good", hours=0),
        change(9, "good", "Ben", hours=hours),
    ]
    assert page(events)[8].label == label


def test_an_edit_of_the_year_10000_has_a_time_that_can_be_shown():
    late = datetime.fromisoformat("9999-12-31T23:59:59-10:00")
    event = change(8, "good", "Ben")
    event = replace(event, dt=late, revision=replace(event.revision, rev_dt=late))

    found = page([event])[8]
    assert datetime.fromtimestamp(found.timestamp, UTC).year == 9999


def test_what_mediawiki_says_that_it_reverts_is_reverted():
    undone = Revert(rev_reverted_oldest_id=7, rev_reverted_newest_id=8)
    events = [change(n, f"text{n}", "Vic") for n in (7, 8)]
    events.append(change(9, "partly good", "Ben", revert=undone))
    assert [page(events)[n].label for n in (7, 8, 9)] == [1, 1, 0]


@pytest.mark.parametrize(("by", "label"), [("Ben", Label.REVERTED), ("Vic", Label.UNCLEAR)])
def test_a_wiki_without_checksums_of_parents_tells_by_tags(by, label):
    events = [change(8, "bad", "Vic"), change(9, "good", by)]
    events += [tagged(8, "mw-reverted"), tagged(9, "mw-undo")]
    assert page(events)[8].label == label


@pytest.mark.parametrize(
    "event",
    [
        change(8, "a", "Bot", is_bot=True),
        change(8, "a", "Ana", kind=PageChangeKind.CREATE),
        change(8, "a", "Ana", kind=PageChangeKind.MOVE),
        change(8, "a", "Ana", parent_sha1="a"),
        change(8, HIDDEN, "Ana"),
    ],
)
def test_what_is_no_edit_of_a_person_does_not_count(event):
    assert not page([event])[8].is_counted


def test_of_what_was_hidden_nothing_is_kept():
    told = page([change(8, "bad", "Vic"), change(9, "b", "Ana", parent_sha1="bad"), hidden(8)])
    assert (told[8].sha1, told[8].is_counted, told[9].parent_sha1) == (None, False, None)
    assert page([hidden(8), change(8, "bad", "Vic")])[8].sha1 is None
    assert "Vic" not in repr(told)


KEPT, REVERTED = [change(8, "odd", "Vic")], of_story("x:Ana " * 7 + "bad:Vic x:Ben")


@pytest.mark.parametrize(
    ("verdicts", "kept", "reverted"),
    [
        ([judged(8, "damaging")], 1, 1),
        ([judged(8, "fine")], 0, 0),
        ([judged(8, "false_positive")], 0, 0),
        ([judged(8, "fine"), judged(8, "damaging", "Quin")], 0, 1),
        ([judged(8, "fine"), judged(8, "false_positive", ""), judged(8, "damaging", "Q")], 0, 0),
        ([judged(8, "damaging", hours=30), judged(8, "fine"), judged(8, "fine", "Q")], 0, 1),
        ([judged(8, "damaging", hours=900)], 1, 1),
    ],
)
def test_what_most_patrollers_say_goes_before_the_history(verdicts, kept, reverted):
    for events in (verdicts, verdicts[::-1]):
        assert page([*KEPT, *events])[8].label == kept
        assert page([*events, *REVERTED])[8].label == reverted


def test_a_verdict_tells_the_label_of_an_edit_that_its_own_author_undid():
    events = [change(8, "bad", "Vic", parent_sha1="good"), change(9, "good", "Vic")]
    assert page(events)[8].label == Label.UNCLEAR
    assert page([*events, judged(8, "damaging")])[8].label == Label.REVERTED


def test_a_verdict_changes_nothing_but_the_label():
    before, after = page(REVERTED)[8], page([*REVERTED, judged(8, "fine")])[8]
    assert "Pat" not in str(after.verdicts)
    assert replace(after, label=before.label, verdicts=None) == before


def test_a_verdict_on_what_does_not_count_makes_it_not_count():
    assert not page([change(8, "a", "Bot", is_bot=True), judged(8, "damaging")])[8].is_counted


EVENTS: list[Event] = [
    change(5, "good", "Ana", parent_sha1="old"),
    change(6, "bad", "Vic", parent_sha1="good"),
    change(7, "worse", "Vic", parent_sha1="bad"),
    change(8, "good", "Ben", parent_sha1="worse"),
    change(9, "odd", "Eve", parent_sha1="good"),
    change(10, "odd2", "Ana", revert=Revert(rev_reverted_oldest_id=9, rev_reverted_newest_id=9)),
    tagged(10, "mw-undo"),
    tagged(9, "mw-reverted"),
    tagged(9, "other", hours=40),
    hidden(7),
    judged(6, "fine"),
    judged(6, "damaging", hours=21),
    judged(6, "fine", "Quin"),
    judged(9, "fine", ""),
]


@given(st.permutations(EVENTS), st.integers(0, len(EVENTS)))
def test_in_any_order_and_again_the_same_events_give_the_same_labels(events, repeated):
    assert page([*events, *events[:repeated]]) == page(EVENTS)
