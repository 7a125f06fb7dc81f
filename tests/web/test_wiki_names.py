"""A client's `lang` finds its wiki."""

import pytest

from revision_quality.web.wiki_names import WikiNames


@pytest.mark.parametrize(
    ("configured", "lang", "expected"),
    [
        (["my_wiki"], "my_", ("my_wiki",)),
        (["intranet"], "", ("intranet",)),
        (["wikidatawiki"], "", ("wikidatawiki",)),
        (["intranet", "extranet"], "", ("intranet", "extranet")),
        (["enwikibooks"], "en", ("enwikibooks",)),
        (["enwikibooks", "enwiki"], "en", ("enwiki",)),
        (["enwikibooks", "enwikinews"], "en", ("enwikibooks", "enwikinews")),
        ([], "en", ("enwiki",)),
        ([], "be-tarask", ("be_x_oldwiki",)),
        ([], "be_x_old", ("be_x_oldwiki",)),
        ([], "yue", ("zh_yuewiki",)),
        ([], "tlh", ()),
        ([], "", ()),
    ],
)
def test_configured_names_go_first(
    configured: list[str], lang: str, expected: tuple[str, ...]
) -> None:
    assert WikiNames(configured).called(lang) == expected


def test_each_wiki_counts_once() -> None:
    assert WikiNames(["enwiki", "enwiki"]).wiki_ids == ("enwiki",)
