"""A row is what its events say, in whichever order and however often they come."""

from itertools import permutations
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from revision_quality.events.prediction_error import Outcome
from revision_quality.views.change import State, UserLevel
from revision_quality.views.row import REVISION_HIDDEN
from tests.events.examples import (
    ALICE,
    page_change,
    prediction,
    prediction_error,
    revision,
    tags_change,
    visibility_change,
)
from tests.views.examples import Event, change_after, changes_after, rows_after

EDIT = page_change()


def page_visibility_change(rev_id: int = 10, *, second: float, title: str = "Some_page", **flags):
    """A page_change of kind visibility_change; what is hidden is absent from it."""
    parts = revision(rev_id, 0, **flags)
    if flags.get("is_comment_visible") is False:
        del parts["comment"]
    if flags.get("is_editor_visible") is False:
        del parts["editor"]
    page = {"page_id": 5, "page_title": title, "namespace_id": 0}
    return page_change("visibility_change", rev_id, second=second, revision=parts, page=page)


async def test_an_edit_has_its_facts_and_waits_for_its_score(view):
    change = await change_after(view, EDIT)

    assert (change.wiki_id, change.rev_id, change.parent_id) == ("my_wiki", 10, 9)
    assert (change.title, change.namespace, change.page_id) == ("Some page", 0, 5)
    assert (change.user, change.user_level) == ("Alice", UserLevel.EXPERIENCED)
    assert (change.size, change.parent_size, change.comment) == (120, 100, "typo")
    assert (change.state, change.score, change.is_new_page) == (State.PENDING, None, False)


async def test_a_new_page_and_a_move_are_known_as_such(view):
    created = await change_after(view, page_change("create"))
    moved = await change_after(view, page_change("move", revision=revision(10, is_minor_edit=True)))

    assert created.is_new_page
    assert (moved.kind, moved.is_minor) == ("move", False)


FIRST_DAY = {"rev_timestamp": "0001-01-01T00:00:00Z", "dt": "0001-01-01T07:00:00Z"}
EPOCH = {"rev_timestamp": "1970-01-01T00:00:00Z", "dt": "1970-01-01T00:00:05Z"}
BEFORE = {"rev_timestamp": "1969-12-31T00:00:00Z", "dt": "1969-12-31T00:00:05Z"}


@pytest.mark.parametrize("told", [FIRST_DAY, EPOCH, BEFORE], ids=["first", "epoch", "before"])
async def test_an_edit_of_any_time_is_what_its_events_say_in_any_order(view, told):
    times = {"rev_dt": told["rev_timestamp"]}
    events = [
        page_change("create", dt=told["rev_timestamp"], revision=revision(10, **times)),
        tags_change(10, ["odd"], **told),
        visibility_change(10, user=False, **told),
    ]
    expected = await change_after(view, *events)

    assert (expected.is_new_page, expected.tags, expected.user) == (True, ("odd",), None)
    for order in permutations(events):
        assert await change_after(view, *order) == expected

    deletion = page_change("delete", dt=told["dt"])
    for order in ([*events, deletion], [deletion, *events]):
        assert (await change_after(view, *order)).deleted


async def test_a_score_alone_makes_the_whole_row(view):
    assert await change_after(view, prediction(EDIT)) == await change_after(
        view, EDIT, prediction(EDIT)
    )


async def test_the_latest_score_wins(view):
    first, second = prediction(EDIT, 0.2, second=1), prediction(EDIT, 0.8, second=2, version="2")

    for events in ((first, second), (second, first)):
        change = await change_after(view, *events)
        assert (change.score, change.model_version, change.state) == (0.8, "2", State.SCORED)


async def test_a_score_goes_before_the_reasons_why_there_was_none(view):
    failed = prediction_error(EDIT, "wiki_error", Outcome.FAILED, second=9)
    refused = prediction_error(EDIT, "not_wikitext", second=5)

    assert (await change_after(view, failed)).state is State.FAILED
    assert (await change_after(view, refused, failed)).reason == "not_wikitext"
    change = await change_after(view, failed, prediction(EDIT), refused)
    assert (change.state, change.reason, change.message) == (State.SCORED, None, None)


async def test_the_latest_tags_win(view):
    old, new = tags_change(10, ["mobile edit"], second=2), tags_change(10, [], second=4)

    assert (await change_after(view, EDIT, old)).tags == ("mobile edit",)
    assert (await change_after(view, new, EDIT, old)).tags == ()


async def test_tags_of_one_moment_are_the_same_in_either_order(view):
    one, other = tags_change(10, ["mobile edit"]), tags_change(10, ["mw-undo"])

    assert await change_after(view, one, other) == await change_after(view, other, one)


async def test_a_hidden_text_takes_the_score_along_and_for_good(view):
    hidden = visibility_change(10, text=False, second=3)
    shown = visibility_change(10, second=4)

    for events in (
        (EDIT, prediction(EDIT), hidden),
        (hidden, EDIT, prediction(EDIT)),
        (EDIT, hidden, shown, prediction(EDIT, second=9)),
        (shown, hidden, prediction(EDIT), EDIT),
    ):
        change = await change_after(view, *events)
        assert (change.state, change.reason) == (State.NOT_SCORABLE, REVISION_HIDDEN)
        assert (change.score, change.model_name) == (None, None)
        assert change.content_hidden is (shown not in events)


async def test_what_is_shown_again_is_filled_in(view):
    hidden = visibility_change(10, user=False, comment=False, second=3)
    change = await change_after(view, EDIT, hidden)
    assert (change.user, change.comment, change.user_hidden) == (None, None, True)

    change = await change_after(view, EDIT, hidden, visibility_change(10, second=4))
    assert (change.user, change.comment, change.user_hidden) == ("Alice", "typo", False)


async def test_who_changes_tags_or_visibility_is_not_who_made_the_edit(view):
    """MediaWiki's own events tell only who changed them."""
    tagged = tags_change(10, ["mw-undo"], editor=None)
    shown = visibility_change(10, second=4, editor=None)

    for events in ((EDIT, tagged, shown), (shown, tagged, EDIT)):
        assert (await change_after(view, *events)).user == "Alice"
    assert (await change_after(view, tagged, shown)).user is None


async def test_an_edit_that_was_hidden_when_it_came_is_stored_without_the_hidden_parts(view):
    flags = {"is_editor_visible": False, "is_comment_visible": False, "is_content_visible": False}
    change = await change_after(view, page_change(revision=revision(10, **flags)))

    assert (change.user, change.comment) == (None, None)
    assert (change.user_hidden, change.comment_hidden, change.content_hidden) == (True, True, True)


async def test_a_page_that_moved_later_keeps_the_title_that_the_edit_had(view):
    moved = page_visibility_change(second=5, title="New_name", is_comment_visible=False)
    tagged = tags_change(10, ["mw-undo"], second=6, page_title="Newest_name")

    assert (await change_after(view, tagged)).title == "Newest name"
    assert (await change_after(view, tagged, moved)).title == "New name"
    for events in ((EDIT, moved, tagged), (tagged, moved, EDIT), (moved, EDIT, tagged)):
        change = await change_after(view, *events)
        assert (change.title, change.parent_size, change.kind) == ("Some page", 100, "edit")


async def test_the_editors_level_is_that_at_the_edit(view):
    later = ALICE | {"edit_count": 0}
    hidden = page_visibility_change(second=5, is_content_visible=False, editor=later)

    for events in ((EDIT, hidden), (hidden, EDIT)):
        assert (await change_after(view, *events)).user_level is UserLevel.EXPERIENCED


async def test_a_deleted_page_leaves_only_keys_whenever_its_edits_come(view):
    deleted = page_change("delete", 11, second=60)
    later_edit = page_change(rev_id=12, second=61)
    of_other_page = page_change(rev_id=13, second=1, page={"page_id": 6, "page_title": "Some_page"})
    events = [EDIT, prediction(EDIT), tags_change(10, ["mw-undo"]), later_edit, of_other_page]

    for order in (
        [*events, deleted],
        [deleted, *events],
        [EDIT, deleted, *events[1:]],
        [deleted, *reversed(events), deleted],
    ):
        gone, kept, other = await changes_after(view, *order)
        assert gone.deleted
        assert (gone.user, gone.comment, gone.title, gone.page_id) == (None, None, "", 0)
        assert (gone.score, gone.tags, gone.state) == (None, (), State.PENDING)
        assert not kept.deleted
        assert not other.deleted


async def test_an_edit_in_the_second_of_the_deletion_is_gone_and_one_after_it_stays(view):
    deleted = page_change("delete", 11, second=60)
    during, after = page_change(rev_id=12, second=60), page_change(rev_id=13, second=61)

    for order in ([during, after, deleted], [deleted, during, after]):
        assert [change.deleted for change in await changes_after(view, *order)] == [True, False]


async def test_a_restored_page_and_a_canary_make_no_rows(view):
    canary = page_change(meta={"stream": "s", "domain": "canary"})

    assert await changes_after(view, page_change("undelete"), canary) == []


SECONDS = st.integers(1, 6)
SCORES = st.sampled_from([0.125, 0.5, 1.0])
TAGS = st.lists(st.sampled_from(["mw-undo", "mobile edit"]), max_size=2)
REVISIONS = st.sampled_from([10, 11, 12])


def edit(rev_id: int) -> Any:
    """The edit of a revision; 12 is of another page, 11 came when its comment was hidden."""
    page = {"page_id": 6 if rev_id == 12 else 5, "page_title": "Some_page", "namespace_id": 0}
    parts = revision(rev_id, second=rev_id - 10)
    if rev_id == 11:
        parts |= {"is_comment_visible": False}
        del parts["comment"]
    return page_change(rev_id=rev_id, second=rev_id - 10, page=page, revision=parts)


def told(rev_id: int, second: int) -> dict[str, Any]:
    """What a later event says: by then the page may have another title."""
    page_id = 6 if rev_id == 12 else 5
    rev_timestamp = edit(rev_id).revision.rev_dt.isoformat()
    return {"page_id": page_id, "page_title": f"Title_{second}", "rev_timestamp": rev_timestamp}


def page_visibility(rev_id: int, second: int, text: bool, comment: bool) -> Any:
    change = told(rev_id, second)
    parts = revision(rev_id, second=rev_id - 10, is_content_visible=text)
    parts["editor"] = ALICE | {"edit_count": 3}
    if not comment:
        del parts["comment"]
        parts["is_comment_visible"] = False
    page = {"page_id": change["page_id"], "page_title": change["page_title"]}
    return page_change("visibility_change", rev_id, second=second, page=page, revision=parts)


EVENTS: st.SearchStrategy[Event] = st.one_of(
    REVISIONS.map(edit),
    st.builds(lambda r, p, s: prediction(edit(r), p, second=s), REVISIONS, SCORES, SECONDS),
    st.builds(
        lambda r, reason, state, s: prediction_error(edit(r), reason, state, second=s),
        REVISIONS,
        st.sampled_from(["wiki_error", "not_wikitext"]),
        st.sampled_from(Outcome),
        SECONDS,
    ),
    st.builds(
        lambda r, tags, s: tags_change(r, tags, second=s, **told(r, s)), REVISIONS, TAGS, SECONDS
    ),
    st.builds(
        lambda r, text, user, comment, s: visibility_change(
            r, text=text, user=user, comment=comment, second=s, **told(r, s)
        ),
        REVISIONS,
        st.booleans(),
        st.booleans(),
        st.booleans(),
        SECONDS,
    ),
    st.builds(page_visibility, REVISIONS, SECONDS, st.booleans(), st.booleans()),
    SECONDS.map(lambda s: page_change("delete", 99, second=s - 5)),
)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), events=st.lists(EVENTS, min_size=1, max_size=9))
async def test_the_same_events_give_the_same_rows_in_any_order_and_any_batches(view, data, events):
    repeated = events + data.draw(st.lists(st.sampled_from(events), max_size=3))
    shuffled = data.draw(st.permutations(repeated))
    cuts = sorted(data.draw(st.sets(st.integers(1, len(shuffled)), max_size=4)))
    ends = zip([0, *cuts], [*cuts, len(shuffled)], strict=True)
    batches = [shuffled[start:end] for start, end in ends]

    assert await rows_after(view, batches) == await rows_after(view, [events])
