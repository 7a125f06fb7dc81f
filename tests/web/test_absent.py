"""What is asked for and not here is told."""

import pytest
from msgspec.structs import replace

from revision_quality.recent_changes.filters import parse_filters
from revision_quality.sites import Site
from revision_quality.web.absent import absent_namespaces, absent_wikis
from tests.recent_changes.examples import SITES

KNOWN = replace(SITES["enwiki"], namespaces={-1: "Special", 0: "", 1: "Talk"})
OTHER = replace(KNOWN, namespaces={0: "", 3000: "Lab"})
OF_TABLE = replace(KNOWN, namespaces={})


@pytest.mark.parametrize(
    ("query", "sites", "told"),
    [
        ("namespace=0;999", (KNOWN,), ["999"]),
        ("namespace=3000;7", (KNOWN, OTHER), ["7"]),
        ("namespace=-1;-2", (KNOWN,), ["-2"]),
        ("namespace=999;all-contents", (KNOWN,), ["999"]),
        (
            "namespace=" + ";".join(map(str, range(100, 150))),
            (KNOWN,),
            list(map(str, range(100, 110))),
        ),
        ("namespace=999&invert=1", (KNOWN,), []),
        ("namespace=999", (KNOWN, OF_TABLE), []),
        ("namespace=999", (KNOWN, None), []),
        ("namespace=999", (), []),
        ("", (KNOWN,), []),
    ],
)
def test_a_namespace_that_no_wiki_here_has(
    query: str, sites: tuple[Site | None, ...], told: list[str]
) -> None:
    filters, _ = parse_filters([tuple(pair.split("=")) for pair in query.split("&") if pair])
    assert [notice.value for notice in absent_namespaces(filters, sites)] == told


def test_a_wiki_that_is_not_here() -> None:
    filters, _ = parse_filters([("wiki", "enwiki;nowiki")])

    (notice,) = absent_wikis(filters, ["enwiki", *(f"w{n}" for n in range(20))])
    assert notice.value == "nowiki"
    assert notice.allowed.startswith("enwiki, w0, w1")
    assert notice.allowed.endswith("w16 and others")
    assert not list(absent_wikis(filters, []))
