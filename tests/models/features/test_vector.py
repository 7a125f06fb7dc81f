from datetime import datetime, timedelta
from time import process_time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from revision_quality.models.features import vector
from revision_quality.models.features.feature import ORIGINS
from revision_quality.wiki.revision import Revision, User
from tests.models.make import EDITED_AT, revision

wikitext = st.text(st.one_of(st.characters(), st.sampled_from("[]{}<>|='\n!:/#ref-")), max_size=300)


def test_every_feature_has_one_name_and_a_description() -> None:
    assert len(set(vector.NAMES)) == len(vector.FEATURES)
    assert all(feature.text and feature.unit and feature.source for feature in vector.FEATURES)


def test_every_feature_comes_from_what_is_known_when_the_edit_is_saved() -> None:
    fields = {field for feature in vector.FEATURES for field in feature.source.split(", ")}
    assert fields == ORIGINS.keys()


@given(
    text=wikitext,
    parent_text=wikitext,
    comment=st.none() | wikitext,
    parent_user=st.none() | st.text(),
    user=st.builds(
        User,
        user_text=st.none() | st.text(),
        user_id=st.none() | st.integers(0, 9),
        edit_count=st.none() | st.integers(-5, 10**12),
        registration_dt=st.none() | st.datetimes() | st.just(EDITED_AT + timedelta(9)),
    ),
    parent_dt=st.none() | st.datetimes(min_value=datetime(1, 1, 2)),
)
def test_every_value_is_finite_and_in_its_range(**parts: object) -> None:
    values = vector.extract(revision(**parts)).values
    assert values.shape == (len(vector.MEASURED),)
    assert np.isfinite(values).all()
    for feature, value in zip(vector.MEASURED, values.tolist(), strict=True):
        high = float("inf") if feature.high is None else feature.high
        assert feature.low <= value <= high or value == feature.missing, feature.name


echoing = st.lists(st.sampled_from(["ha", "lol ", "x", "==", "мост ", "!", "漢"]), max_size=60)
edit = st.builds(
    revision,
    text=wikitext | echoing.map("".join),
    parent_text=wikitext | echoing.map("".join),
    comment=st.none() | wikitext,
)


@given(st.lists(edit, min_size=1, max_size=6))
def test_edits_measured_together_have_the_values_that_each_has_alone(edits: list[Revision]) -> None:
    together = vector.extract_all(edits)
    alone = [vector.extract(edit) for edit in edits]
    assert together.values.tolist() == [each.values.tolist() for each in alone]
    for place, found in enumerate(together.ngrams):
        for each, buckets in zip(alone, found.parts(), strict=True):
            assert np.array_equal(each.ngrams[place], buckets)


FILLERS = [
    *("a", "a b ", "é", "[[", "{{", "{{a|", "[[b|", "<ref>", "<!--"),
    *("=\n", "a\n", "\0", "\u202eא"),
]


@pytest.mark.parametrize("filler", FILLERS, ids=[repr(filler) for filler in FILLERS])
def test_time_grows_with_the_length_only(filler: str) -> None:
    def cost(length: int) -> float:
        text = filler * (length // len(filler))
        edits = [
            revision(text=text, parent_text=""),
            revision(text="", parent_text=text),
            revision(text="x" + text, parent_text=text + "y"),
        ]
        best = float("inf")
        for _ in range(3):
            start = process_time()
            for edit in edits:
                vector.extract(edit)
            best = min(best, process_time() - start)
        return best

    assert cost(40_000) < 0.1 + 8 * cost(10_000)


@pytest.mark.parametrize(
    "text", ["{" * 100_000, "[" * 2_000_000, "\ud800" * 1000, "\0\x01\xff" * 9999]
)
def test_no_text_is_too_odd(text: str) -> None:
    assert np.isfinite(vector.extract(revision(text=text)).values).all()
    assert np.isfinite(vector.extract(revision(parent_text=text)).values).all()
