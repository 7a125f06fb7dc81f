import pytest

from revision_quality.models.features.vector import FEATURES, NAMES
from revision_quality.models.reasons import Form, reason, say


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("references_change", -4, "removes 4 references"),
        ("references_change", -1, "removes 1 reference"),
        ("foreign_letters_added", 312, "adds 312 letters in a script rare on the page"),
        ("removed_share", 0.875, "removes 88% of the page"),
        ("user_edit_count", 0, "by an editor with no edits before"),
        ("user_edit_count", 1000, "by an editor with 1,000 or more edits before"),
        ("user_age", -1, "by no account, or one of unknown age"),
        ("length_change", -1204, "makes the page 1,204 characters shorter"),
    ],
)
def test_a_value_reads_as_a_patroller_would_say_it(name: str, value: float, text: str) -> None:
    assert say(FEATURES[NAMES.index(name)], value) == text


@pytest.mark.parametrize(
    ("name", "value", "form", "is_limit"),
    [
        ("references_change", -4, Form.BELOW, False),
        ("references_change", 0, Form.ZERO, False),
        ("user_edit_count", 12, Form.ABOVE, False),
        ("user_edit_count", 1000, Form.ABOVE, True),
        ("user_edit_count", -1, Form.MISSING, False),
    ],
)
def test_a_reason_can_be_said_in_another_language(
    name: str, value: float, form: Form, is_limit: bool
) -> None:
    told = reason(FEATURES[NAMES.index(name)], value, 0.5)

    assert (told.feature, told.form, told.is_limit) == (name, form, is_limit)


@pytest.mark.parametrize("feature", FEATURES, ids=NAMES)
def test_every_feature_has_words_for_every_value(feature: object) -> None:
    for value in (-2.0, -1.0, 0.0, 0.5, 1.0, 3.0):
        text = say(feature, value)
        assert "{" not in text
        assert text or value < 0
