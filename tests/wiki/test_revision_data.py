"""Lift Wing's revision_data: what it must have, what it may have."""

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revision_quality.errors import InvalidRevisionError
from revision_quality.wiki.revision_data import REQUIRED, read_revision_data

DATA: dict[str, Any] = {
    "id": 10,
    "lang": "en",
    "text": "after",
    "timestamp": "2026-11-23T08:00:00Z",
    "bytes": 5,
    "page": {"id": 5, "title": "Apple", "first_edit_timestamp": "2020-01-01T00:00:00Z"},
    "parent": {
        "id": 9,
        "lang": "en",
        "text": "before",
        "timestamp": "2026-11-22T08:00:00Z",
        "bytes": 6,
    },
    "user": {"id": 0},
}


def without(path: str) -> dict[str, Any]:
    data = deepcopy(DATA)
    *parents, last = path.split(".")
    place = data
    for parent in parents:
        place = place[parent]
    del place[last]
    return data


def test_the_required_fields_make_a_revision():
    read = read_revision_data(DATA)

    assert (read.rev_id, read.lang, read.revision.wiki_id) == (10, "en", "enwiki")
    assert (read.revision.text, read.revision.parent.text) == ("after", "before")
    assert read.revision.user.is_anonymous
    assert read.revision.comment == ""


def test_the_further_fields_are_used():
    data = deepcopy(DATA) | {"comment": None, "wiki_id": "my_wiki"}
    data["user"] = {"id": 7, "user_text": "Alice", "groups": ["user"], "edit_count": 3}

    revision = read_revision_data(data).revision

    assert (revision.wiki_id, revision.comment) == ("my_wiki", None)
    assert (revision.user.groups, revision.user.edit_count) == (("user",), 3)


@pytest.mark.parametrize(("lang", "wiki_id"), [("be-tarask", "be_x_oldwiki"), ("xx", "xxwiki")])
def test_the_language_leads_to_the_wiki(lang, wiki_id):
    assert read_revision_data(DATA | {"lang": lang}).revision.wiki_id == wiki_id


@pytest.mark.parametrize("path", REQUIRED)
def test_a_missing_field_is_told_as_lift_wing_does(path):
    with pytest.raises(InvalidRevisionError, match=r"Missing some required fields\..*`user.id`\."):
        read_revision_data(without(path))


@pytest.mark.parametrize("value", [None, 5, "x", [], {}, {"page": []}])
def test_what_is_no_object_lacks_them_all(value):
    with pytest.raises(InvalidRevisionError, match="Missing some required fields"):
        read_revision_data(value)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"id": "ten"}, r"Expected `int`, got `str` - at `\$.id`"),
        ({"timestamp": "2026-11-23"}, r"RFC3339.*\$.timestamp"),
        ({"bytes": -1}, r"\$.bytes"),
        ({"text": 5}, r"\$.text"),
    ],
)
def test_a_wrong_value_is_named(change, expected):
    with pytest.raises(InvalidRevisionError, match=expected):
        read_revision_data(DATA | change)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from([*DATA, "comment", "wiki_id", "tags"]), JSON))
def test_any_object_is_read_or_refused(changes):
    try:
        read = read_revision_data(DATA | changes)
    except InvalidRevisionError:
        return
    assert read.revision.text == (DATA | changes)["text"]
