"""A verdict: what identifies it, and that its schema says the same as its type."""

import json

import msgspec
import pytest
from msgspec.structs import replace

from revision_quality.errors import InvalidEventError
from revision_quality.events.stream_config import stream_configs
from revision_quality.events.streams import VERDICT
from revision_quality.events.validation import SchemaUri, violations
from revision_quality.events.verdict import Shown, decode_verdict
from tests.events.examples import verdict


def test_the_same_verdict_said_twice_is_one_event():
    assert verdict(second=1).meta.id == verdict(second=9).meta.id


@pytest.mark.parametrize(
    "other", [verdict(11), verdict(says="damaging"), verdict(by=""), verdict(comment="x")]
)
def test_another_verdict_is_another_event(other):
    assert other.meta.id != verdict().meta.id


def test_who_changes_their_mind_back_has_said_something_new():
    first = verdict(says="fine")
    second = verdict(says="damaging", replaces=first.meta.id)
    third = verdict(says="fine", replaces=second.meta.id)

    assert len({first.meta.id, second.meta.id, third.meta.id}) == 3


@pytest.mark.parametrize("by", ["Patroller", ""])
def test_a_verdict_written_and_read_again_is_the_same_and_holds_to_its_schema(by):
    shown = Shown(model_name="m", model_version="1", score=0.75)
    event = replace(verdict(by=by, comment="a test"), shown=shown)
    raw = msgspec.json.encode(event)

    assert decode_verdict(raw) == event
    assert stream_configs()[VERDICT].schema_title == "revision_quality/verdict"
    assert violations(SchemaUri("revision_quality/verdict", 1), json.loads(raw)) == ()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"verdict": "bad"}, r"\$.verdict"),
        ({"rev_id": -1}, r"\$.rev_id"),
        ({"comment": "x" * 501}, r"\$.comment"),
        ({"$schema": "/error/2.1.0"}, r"\$schema is '/error/2.1.0', expected"),
    ],
)
def test_what_is_no_verdict_is_refused(change, expected):
    event = json.loads(msgspec.json.encode(verdict()))

    with pytest.raises(InvalidEventError, match=expected):
        decode_verdict(json.dumps(event | change).encode())
