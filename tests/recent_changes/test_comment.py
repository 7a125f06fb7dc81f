import pytest
from hypothesis import given
from hypothesis import strategies as st

from revision_quality.recent_changes.comment import MAX_CHARACTERS, Part, parts_of
from tests.recent_changes.examples import HEBREW, SITE

PAGE = "https://en.example/wiki"


@pytest.mark.parametrize(
    ("comment", "expected"),
    [
        ("typo", [Part("typo")]),
        ("", []),
        (
            "/* Early life */ typo",
            [
                Part("→Early life", f"{PAGE}/Main_Page#Early_life", is_section=True),
                Part(": ", is_section=True),
                Part("typo"),
            ],
        ),
        ("/* A */", [Part("→A", f"{PAGE}/Main_Page#A", is_section=True)]),
        (
            "before /* A */",
            [Part("before "), Part("→A", f"{PAGE}/Main_Page#A", is_section=True)],
        ),
        ("/*  */ x", [Part(" x")]),
        ("/* open", [Part("/* open")]),
        ("/* [[A|b]] */", [Part("→b", f"{PAGE}/Main_Page#b", is_section=True)]),
        (
            "see [[Foo bar|this]] and [[:File:A.png]]",
            [
                Part("see "),
                Part("this", f"{PAGE}/Foo_bar"),
                Part(" and "),
                Part("File:A.png", f"{PAGE}/File:A.png"),
            ],
        ),
        ("[[Foo#Bar baz]]", [Part("Foo#Bar baz", f"{PAGE}/Foo#Bar_baz")]),
        ("[[#Bar]]", [Part("#Bar", f"{PAGE}/Main_Page#Bar")]),
        ("[[A%20b%23c]]", [Part("A%20b%23c", f"{PAGE}/A_b#c")]),
        ("[[100% sure]]", [Part("100% sure", f"{PAGE}/100%25_sure")]),
        ("[[Foo|]]", [Part("Foo", f"{PAGE}/Foo")]),
        ("[[<script>]]", [Part("[[<script>]]")]),
        ("[[]]", [Part("[[]]")]),
        ("[[javascript:alert(1)]]", [Part("javascript:alert(1)", f"{PAGE}/javascript:alert(1)")]),
        ('[[A" onclick="x]]', [Part('A" onclick="x', f"{PAGE}/A%22_onclick%3D%22x")]),
    ],
)
def test_a_summary_is_taken_apart_as_mediawiki_does(comment: str, expected: list[Part]) -> None:
    assert list(parts_of(comment, "Main Page", SITE)) == expected


def test_without_a_site_there_are_no_links() -> None:
    assert parts_of("/* A */ [[B]]", "T", None) == (
        Part("→A", is_section=True),
        Part(": ", is_section=True),
        Part("B"),
    )


def test_sections_lead_to_the_page_in_its_own_script() -> None:
    (part,) = parts_of("/* היסטוריה */", "ראשי", HEBREW)
    assert part.url == (
        "https://he.example/wiki/%D7%A8%D7%90%D7%A9%D7%99"
        "#%D7%94%D7%99%D7%A1%D7%98%D7%95%D7%A8%D7%99%D7%94"
    )


def test_a_long_summary_is_cut() -> None:
    (part,) = parts_of("x" * 100_000, "T", SITE)
    assert len(part.text) == MAX_CHARACTERS + 1


@given(st.text(alphabet=st.sampled_from("/* [[]]|:#ab<%2"), max_size=200))
def test_every_address_stays_on_the_wiki(comment: str) -> None:
    for part in parts_of(comment, "Main Page", SITE):
        assert part.text
        assert part.url is None or part.url.startswith(f"{PAGE}/")
