import re
from time import process_time

import mwparserfromhell
import pytest
from hypothesis import given
from hypothesis import strategies as st

from revision_quality.models.features.change import differing_region
from revision_quality.models.features.markup import Counts, count, parse, reparse
from tests.models.make import ARTICLE

PIECES = [
    *("[[", "]]", "{{", "}}", "{{{", "}}}", "|", "{|", "|}", "\n", "\n==", "==\n", "=", "'"),
    *("<!--", "-->", "<nowiki>", "</nowiki>", "<ref>", "</ref>", '<ref name="a"/>', "<b>"),
    *("https://example.org", "[//example.org x]", "[[File:A.png|thumb|b]]", "[[fr:C]]"),
    *("[[Category:D]]", "{{e|f=[[g]]}}", "words here", "a", " ", "\n\n"),
]
wikitext = st.lists(st.sampled_from(PIECES), max_size=40).map("".join)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", {}),
        ("[[A]] and [[B|c]]", {"wikilinks": 2}),
        ("[[File:A.png|thumb|a [[b]]]]", {"wikilinks": 2, "media": 1}),
        ("[[Kategorie:B]] [[nl:C]]", {"wikilinks": 2, "categories": 1, "interwiki": 1}),
        ("{{a|{{b}}|{{{c}}}}}", {"templates": 2}),
        ("{{a|[[b]]\n|c=d}}", {"templates": 1, "wikilinks": 1}),
        ("== A ==\ntext\n===B=== <!-- c -->\n= =\n", {"headings": 3}),
        (
            '<ref>a</ref> <ref name="b"/> <ref name="c">[[d]]</ref>',
            {"references": 3, "wikilinks": 1},
        ),
        ("<nowiki>[[a]] {{b}}</nowiki>", {"tags": 1}),
        ("<!-- [[a]] -->{{b}}", {"templates": 1}),
        ("<!-- [[a]] {{b}}", {"wikilinks": 1, "templates": 1}),
        ("[https://example.org a] http://b.example", {"external_links": 2}),
        ("{|\n| a\n|}", {"tables": 1}),
        ("[[a", {}),
        ("{{a [[b|c}}", {"templates": 1}),
        ("[[a\nb]]", {}),
        ("<ref>a", {}),
    ],
)
def test_parts_are_found(text: str, found: dict[str, int]) -> None:
    assert parse(text).counts()._asdict() == dict.fromkeys(Counts._fields, 0) | found


@pytest.mark.parametrize(
    "text", [ARTICLE, ARTICLE * 3, "{{a|[[b|''c'']]|<ref>d</ref>}}\n== e ==\n"]
)
def test_counts_are_those_of_mwparserfromhell(text: str) -> None:
    ours, theirs = parse(text).counts(), mwparserfromhell.parse(text)
    assert ours.wikilinks == len(theirs.filter_wikilinks())
    assert ours.templates == len(theirs.filter_templates())
    assert ours.headings == len(theirs.filter_headings())
    assert ours.external_links == len(theirs.filter_external_links())
    assert ours.references == len(theirs.filter_tags(matches=lambda node: node.tag == "ref"))


@given(wikitext, wikitext, wikitext, wikitext)
def test_parsing_the_change_alone_gives_what_parsing_all_gives(
    head: str, before: str, after: str, tail: str
) -> None:
    parent, text = head + before + tail, head + after + tail
    region = differing_region(parent, text)
    assert count(reparse(parse(parent), parent, text, region)) == parse(text).counts()


@given(wikitext, wikitext)
def test_so_it_does_for_unrelated_texts(parent: str, text: str) -> None:
    region = differing_region(parent, text)
    assert reparse(parse(parent), parent, text, region) == parse(text).kinds


HARD = [
    "{{",
    "[[",
    "[[a|",
    "<ref>",
    "<!--",
    "<nowiki>",
    "{{a|",
    "[[{{b",
    "=\n",
    "[[a]]",
    "}}{{",
    "<a ",
]


@pytest.mark.parametrize("piece", HARD, ids=[re.sub(r"\W", "_", piece) for piece in HARD])
def test_time_grows_with_the_length_only(piece: str) -> None:
    def cost(times: int) -> float:
        text = piece * times
        best = float("inf")
        for _ in range(3):
            start = process_time()
            parse(text)
            best = min(best, process_time() - start)
        return best

    assert cost(40_000) < 0.05 + 8 * cost(10_000)
