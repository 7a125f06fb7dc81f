"""page_change is read in every version, and what cannot be read is refused in one sentence."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from revision_quality.errors import InvalidEventError
from revision_quality.events.decoding import MAX_EVENT_BYTES
from revision_quality.events.page_change import (
    ChangelogKind,
    PageChange,
    PageChangeKind,
    decode_page_change,
)
from tests.events.examples import raw_change

FIXTURES = {path.stem: path for path in (Path(__file__).parent / "fixtures").glob("*.json")}
KINDS = {
    "create": ChangelogKind.INSERT,
    "edit": ChangelogKind.UPDATE,
    "move": ChangelogKind.UPDATE,
    "delete": ChangelogKind.DELETE,
    "undelete": ChangelogKind.INSERT,
    "visibility_change": ChangelogKind.UPDATE,
}


def fixture(name: str) -> bytes:
    return FIXTURES[name].read_bytes()


@pytest.mark.parametrize(("kind", "changelog_kind"), KINDS.items())
def test_each_kind_of_event_is_read(kind, changelog_kind):
    event = decode_page_change(fixture(kind))

    assert event.page_change_kind is PageChangeKind(kind)
    assert event.changelog_kind is changelog_kind
    assert event.schema == "/mediawiki/page/change/1.2.0"
    assert event.revision.rev_dt.utcoffset() is not None
    assert not event.is_canary


def test_an_edit_has_its_editor_and_its_parent():
    event = decode_page_change(fixture("edit"))

    assert event.revision.editor is not None
    assert event.revision.editor.user_text == "127.0.0.1"
    assert event.revision.editor.user_id is None
    assert event.revision.content_slots is not None
    assert event.revision.content_slots["main"].content_model == "wikitext"
    assert event.prior_state is not None
    assert event.prior_state.revision is not None
    assert event.prior_state.revision.rev_id == event.revision.rev_parent_id


def test_a_move_tells_of_the_page_before_only_what_differs():
    event = decode_page_change(fixture("move"))

    assert event.prior_state is not None
    assert event.prior_state.page is not None
    assert event.prior_state.page.page_id is None
    assert event.prior_state.page.page_title == "Old_name"
    assert event.created_redirect_page is not None


def test_a_hidden_comment_is_absent_and_its_flag_says_so():
    event = decode_page_change(fixture("visibility_change"))

    assert event.revision.comment is None
    assert event.revision.is_comment_visible is False
    assert event.revision.is_editor_visible is True


def test_a_later_version_with_fields_of_its_own_is_read():
    event = decode_page_change(fixture("edit_1.11.0"))

    assert event.schema == "/mediawiki/page/change/1.11.0"
    assert event.revision.revert is not None
    assert event.revision.revert.rev_reverted_newest_id == 998
    assert event.performer is not None
    assert event.performer.user_central_id == 84664793


@pytest.mark.parametrize("name", sorted(FIXTURES))
def test_an_event_written_and_read_again_is_the_same(name):
    event = decode_page_change(fixture(name))

    assert decode_page_change(msgspec.json.encode(event)) == event


def test_a_canary_is_known_by_its_domain():
    event = raw_change()
    event["meta"]["domain"] = "canary"

    assert decode_page_change(json.dumps(event).encode()).is_canary


def without(path: str) -> dict[str, Any]:
    *parents, last = path.split(".")
    event = raw_change()
    place = event
    for parent in parents:
        place = place[parent]
    del place[last]
    return event


def with_value(path: str, value: object) -> dict[str, Any]:
    *parents, last = path.split(".")
    event = raw_change()
    place = event
    for parent in parents:
        place = place[parent]
    place[last] = value
    return event


@pytest.mark.parametrize(
    "path",
    [
        "$schema",
        "meta",
        "meta.stream",
        "dt",
        "wiki_id",
        "page_change_kind",
        "changelog_kind",
        "page",
        "page.page_id",
        "page.page_title",
        "revision",
        "revision.rev_id",
        "revision.rev_dt",
    ],
)
def test_a_missing_field_is_named(path):
    with pytest.raises(InvalidEventError) as caught:
        decode_page_change(json.dumps(without(path)).encode())

    for part in path.split("."):
        assert part in str(caught.value)


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("$schema", "/mediawiki/revision/create/1.0.0", r"\$schema is '/mediawiki/rev.*expected"),
        ("$schema", "/mediawiki/page/change/2.0.0", r"\$schema .*expected .*/change/1\.x"),
        ("page_change_kind", "explode", r"'explode' - at `\$.page_change_kind`"),
        ("dt", "yesterday", r"RFC3339.*\$.dt"),
        ("dt", "2026-11-23T08:00:00", r"timezone.*\$.dt"),
        ("page.page_id", "5", r"Expected `int`, got `str` - at `\$.page.page_id`"),
        ("page.page_id", -1, r"`int` >= 0 - at `\$.page.page_id`"),
        ("revision.rev_id", 2**63, r"`int` <= 9223372036854775807 - at `\$.revision.rev_id`"),
        ("revision.rev_size", 10**30, r"`int` <= .* - at `\$.revision.rev_size`"),
        ("page.namespace_id", 2**40, r"`int` <= .* - at `\$.page.namespace_id`"),
        ("performer.edit_count", 1.5, r"Expected `int.*`, got `float` - at `\$.performer"),
        ("revision.editor.groups", "sysop", r"Expected `array.*editor.groups"),
    ],
)
def test_a_wrong_value_is_named_with_what_was_expected(path, value, expected):
    with pytest.raises(InvalidEventError, match=expected):
        decode_page_change(json.dumps(with_value(path, value)).encode())


def test_a_truncated_event_is_refused_wherever_it_ends():
    whole = fixture("edit").strip()
    for end in range(len(whole)):
        with pytest.raises(InvalidEventError, match="not a page_change event"):
            decode_page_change(whole[:end])


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"null",
        b"[]",
        b"\xff\xfe",
        b'{"wiki_id": "\xff"}',
        b'{"wiki_id": "\\ud800"}',
        b"[" * 100_000,
        b'{"unknown":' + b"[" * 100_000,
        b'{"unknown":' + b'{"a":' * 100_000,
        b"<html>",
    ],
)
def test_what_is_no_event_is_refused(raw):
    with pytest.raises(InvalidEventError, match="not a page_change event"):
        decode_page_change(raw)


def test_an_event_over_the_limit_is_refused_before_it_is_read():
    with pytest.raises(InvalidEventError, match=f"4128769 bytes, .*limit of {MAX_EVENT_BYTES}"):
        decode_page_change(b" " * (MAX_EVENT_BYTES + 1))


def test_an_event_with_a_text_of_2_mb_is_read():
    event = raw_change()
    event["revision"]["comment"] = "x" * 2_000_000

    assert decode_page_change(json.dumps(event).encode()).revision.comment == "x" * 2_000_000


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
PLACES = st.sampled_from(
    [
        *("$schema", "meta", "meta.dt", "dt", "page", "page.page_id", "revision", "comment"),
        *("revision.rev_dt", "revision.editor", "revision.content_slots", "performer"),
    ]
)


@given(st.binary() | JSON.map(lambda value: json.dumps(value).encode()))
@example(b"1e999")
def test_any_bytes_are_an_event_or_refused(raw):
    assert is_read_or_refused(raw)


@given(PLACES, JSON)
def test_an_event_with_anything_anywhere_is_read_or_refused(path, value):
    assert is_read_or_refused(json.dumps(with_value(path, value)).encode())


def is_read_or_refused(raw: bytes) -> bool:
    try:
        return isinstance(decode_page_change(raw), PageChange)
    except InvalidEventError as error:
        return bool(str(error))
