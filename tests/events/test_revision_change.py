"""Tags and visibility of a revision, in the words of the older schemas."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from revision_quality.errors import InvalidEventError
from revision_quality.events.revision_change import decode_tags_change, decode_visibility_change
from tests.events.examples import tags_change, visibility_change


def test_tags_written_and_read_again_are_the_same():
    event = tags_change(10, ["mw-undo", "mobile edit"])

    assert decode_tags_change(msgspec.json.encode(event)) == event


def test_visibility_written_and_read_again_is_the_same():
    event = visibility_change(10, user=False, comment=False)

    assert event.editor is None
    assert decode_visibility_change(msgspec.json.encode(event)) == event


def test_fields_that_are_not_needed_are_ignored():
    event = json.loads(msgspec.json.encode(tags_change(10, ["mw-undo"])))
    event |= {"rev_sha1": "x", "chronology_id": "y", "rev_len": 7}

    assert decode_tags_change(json.dumps(event).encode()).tags == ("mw-undo",)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"tags": "mw-undo"}, r"Expected `array`, got `str` - at `\$.tags`"),
        ({"rev_id": 2**70}, r"\$.rev_id"),
        ({"$schema": "/mediawiki/revision/visibility-change/1.0.0"}, r"\$schema is .*expected"),
    ],
)
def test_what_is_no_tags_change_is_refused(change, expected):
    event = json.loads(msgspec.json.encode(tags_change(10, [])))

    with pytest.raises(InvalidEventError, match=expected):
        decode_tags_change(json.dumps(event | change).encode())


def test_a_visibility_change_must_say_what_is_visible():
    event = json.loads(msgspec.json.encode(visibility_change(10)))
    del event["visibility"]["text"]

    with pytest.raises(InvalidEventError, match=r"`text` - at `\$.visibility`"):
        decode_visibility_change(json.dumps(event).encode())


@given(st.binary(), st.sampled_from([decode_tags_change, decode_visibility_change]))
def test_any_bytes_are_read_or_refused(raw, decode):
    with pytest.raises(InvalidEventError, match=r"not a (tags|visibility)-change event"):
        decode(raw)
