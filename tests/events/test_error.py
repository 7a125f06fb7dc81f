"""A dead letter holds the whole event that could not be read."""

import msgspec
import pytest

from revision_quality.errors import InvalidEventError
from revision_quality.events.error import SCHEMA, build_error, decode_error
from revision_quality.events.streams import DEAD_LETTER
from revision_quality.streams.kafka.place import MAX_MESSAGE_BYTES


def test_a_dead_letter_has_the_raw_event_and_the_reason():
    letter = build_error(
        emitter_id="scoring",
        stream="edits",
        offset=7,
        raw=b'{"a": "\xff"',
        error=InvalidEventError("not an event"),
    )

    assert (letter.schema, letter.meta.stream) == (SCHEMA, DEAD_LETTER)
    assert letter.raw_event == '{"a": "\ufffd"'
    assert (letter.error_type, letter.message) == ("InvalidEventError", "not an event")
    assert letter.errored_stream_name == "edits"
    assert decode_error(msgspec.json.encode(letter)) == letter


def test_the_same_place_gives_the_same_letter():
    letters = [
        build_error(emitter_id="s", stream=stream, offset=offset, raw=b"", error=ValueError())
        for stream, offset in [("a", 1), ("a", 1), ("a", 2), ("b", 1)]
    ]

    assert len({letter.meta.id for letter in letters}) == 3


@pytest.mark.parametrize("byte", [b"x", b'"', b"\x01", b"\xff"])
def test_a_letter_fits_into_a_message_however_large_the_event_and_the_reason_are(byte: bytes):
    raw = byte * MAX_MESSAGE_BYTES
    letter = build_error(
        emitter_id="scoring",
        stream="edits",
        offset=7,
        raw=raw,
        error=InvalidEventError("\x01" * MAX_MESSAGE_BYTES),
    )

    assert len(msgspec.json.encode(letter)) < MAX_MESSAGE_BYTES - 1024
    assert letter.message.endswith(f"(the first 524288 of {MAX_MESSAGE_BYTES} bytes are kept)")
