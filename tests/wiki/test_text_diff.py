from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from revision_quality.recent_changes.diff_html import clean_diff
from revision_quality.wiki.text_diff import diff_rows


class Sides(HTMLParser):
    """The texts of each side, by the class of its cells."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.texts: dict[str, list[str]] = {"deleted": [], "added": []}
        self._side: str | None = None
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "td":
            classes = dict(attrs).get("class") or ""
            sides = [side for side in self.texts if f"diff-side-{side}" in classes]
            self._side = sides[0] if sides and "diff-empty" not in classes else None
            if self._side:
                self.texts[self._side].append("")

    def handle_data(self, data: str) -> None:
        if self._side:
            self.texts[self._side][-1] += data


def test_changed_words_are_marked_in_their_line() -> None:
    rows = diff_rows("one\nThe cat sat.\nthree", "one\nThe dog sat.\nthree")
    assert '<div>The <del class="diffchange">cat</del> sat.</div>' in rows
    assert '<div>The <ins class="diffchange">dog</ins> sat.</div>' in rows
    assert Sides(rows).texts["deleted"] == ["one", "The cat sat.", "three"]


@pytest.mark.parametrize(("before", "after"), [("", ""), ("a\nb", "a\nb"), ("a", "a\n")])
def test_equal_lines_have_no_rows(before: str, after: str) -> None:
    assert diff_rows(before, after) == ""


def test_markup_stays_text() -> None:
    rows = diff_rows("<b>x</b>", "<script>alert(1)</script>")
    assert "<script" not in rows
    assert Sides(rows).texts["added"] == ["<script>alert(1)</script>"]


lines = st.lists(st.text("ab <&é", min_size=1, max_size=6), max_size=5)


@settings(max_examples=50)
@given(lines, lines)
def test_each_side_has_the_lines_that_differ(old: list[str], new: list[str]) -> None:
    rows = diff_rows("\n".join(old), "\n".join(new))
    sides = Sides(rows).texts
    if old == new:
        assert rows == ""
        return
    assert set(sides["deleted"]) <= set(old)
    assert set(sides["added"]) <= set(new)
    gone = [line for line in old if line not in new]
    assert all(line in sides["deleted"] for line in gone)
    assert Sides(clean_diff(rows) or "").texts == sides
