"""Whatever is sent is read, or refused in one sentence."""

import contextlib
import copy
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from revision_quality.web.lift_wing_requests import (
    ByEvent,
    ByIds,
    ByText,
    RefusedRequestError,
    read_request,
)
from revision_quality.web.wiki_names import WikiNames
from tests.events.examples import raw_change
from tests.web.test_lift_wing import DATA

NAMES = WikiNames(["my_wiki", "enwiki", "intranet"])

leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=5),
    st.sampled_from(["en", "my_", "enwiki", "12", "/mediawiki/page/change/1.2.0", "canary"]),
)
values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
SHAPES: list[dict[str, Any]] = [
    {"rev_id": 10, "lang": "en"},
    {"instances": [{"rev_id": 10, "lang": "en"}, {"rev_id": 11, "lang": "en"}]},
    {"event": raw_change(rev_id=10)},
    {"revision_data": DATA},
]


@st.composite
def almost_right(draw: st.DrawFn) -> Any:
    """A request of which one part, at any depth, is something else or missing."""
    inputs = copy.deepcopy(draw(st.sampled_from(SHAPES)))
    part: Any = inputs
    while True:
        keys = range(len(part)) if isinstance(part, list) else sorted(part)
        key = draw(st.sampled_from(keys))
        if isinstance(part[key], dict | list) and part[key] and draw(st.booleans()):
            part = part[key]
            continue
        if draw(st.booleans()):
            part[key] = draw(values)
        else:
            del part[key]
        return inputs


def read_or_refuse(body: bytes, wiki_id: str | None = None) -> None:
    with contextlib.suppress(RefusedRequestError):
        asked = read_request(body, NAMES, wiki_id, is_json=True)
        assert isinstance(asked, ByIds | ByEvent | ByText)
        if isinstance(asked, ByIds):
            assert asked.wiki_id in NAMES
            assert 1 <= len(asked.revisions) <= 20
            assert all(0 < revision.rev_id < 2**63 for revision in asked.revisions)


@settings(max_examples=400, deadline=None)
@given(almost_right(), st.sampled_from([None, "my_wiki"]))
def test_a_request_with_a_fault_is_read_or_refused(inputs: Any, wiki_id: str | None) -> None:
    read_or_refuse(msgspec.json.encode(inputs), wiki_id)


@given(st.binary() | st.text().map(str.encode) | values.map(msgspec.json.encode))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    read_or_refuse(body)
