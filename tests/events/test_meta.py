"""Identifiers made of what an event is about."""

from uuid import UUID, uuid5

from hypothesis import given
from hypothesis import strategies as st

from revision_quality.events.meta import event_id

NAMESPACE = UUID("0f6ad1a5-5d0c-5c1e-9b52-6c0e5a8a1f11")


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])) | st.integers()))
def test_an_identifier_is_the_uuid_by_sha1_of_its_parts(parts):
    name = "\x1f".join(map(str, parts))
    assert event_id(*parts) == str(uuid5(NAMESPACE, name))
