import pytest
from hypothesis import given
from hypothesis import strategies as st

from revision_quality.recent_changes.cursor import Cursor
from tests.recent_changes.examples import change

WIKIS = st.sampled_from(["enwiki", "my.wiki", "wiki$1-mw_", "вики"])


@given(st.builds(Cursor, st.integers(0, 10**15 - 1), st.integers(0, 2**63 - 1), WIKIS))
def test_a_cursor_reads_back(cursor: Cursor) -> None:
    assert Cursor.parse(str(cursor)) == cursor


def test_the_wiki_may_be_left_out() -> None:
    assert Cursor.parse("12-34") == Cursor(12, 34, "")
    assert str(Cursor(12, 34)) == "12-34"


def test_a_change_has_a_position() -> None:
    assert str(Cursor.of(change(5, timestamp=99))) == "99-5-enwiki"


@pytest.mark.parametrize(
    "text",
    ["", "1", "1-", "-1-2", "1-2-", "a-b", "1-2-x y", "\u0661-\u0662", f"1-{2**63}", "1-2-<"],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="<timestamp>"):
        Cursor.parse(text)
