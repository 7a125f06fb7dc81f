"""Edits become revisions, texts and all, with few requests and nothing hidden."""

from typing import Any

import httpx
import pytest

from revision_quality.errors import NotAWikiError, WikiUnavailableError
from revision_quality.wiki.contents import ENTRY_BYTES, Contents, Room
from revision_quality.wiki.reader import ApiReader, Unreadable
from revision_quality.wiki.revision import Revision
from tests.events.examples import page_change, revision
from tests.wiki.fake import FakeApi, fixture, parameters, response

RECORDED = fixture("revisions")


def edit(rev_id: int, parent_id: int | None) -> Any:
    return page_change(rev_id=rev_id, revision=revision(rev_id, rev_parent_id=parent_id))


def wiki_of(texts: dict[int, str]) -> FakeApi:
    """A wiki that has these texts, each on a page of its own."""

    def answer(request: httpx.Request) -> httpx.Response:
        asked = [int(text) for text in parameters(request)["revids"].split("|")]
        pages = [
            {
                "revisions": [
                    {
                        "revid": rev_id,
                        "timestamp": "2026-11-23T08:00:00Z",
                        "user": f"User {rev_id}",
                        "comment": f"comment {rev_id}",
                        "slots": {"main": {"contentmodel": "wikitext", "content": texts[rev_id]}},
                    }
                ]
            }
            for rev_id in asked
            if rev_id in texts
        ]
        return httpx.Response(200, json={"query": {"pages": pages}})

    return FakeApi(handler=answer)


async def test_twenty_five_edits_and_their_parents_are_one_request():
    wiki = wiki_of({rev_id: f"text {rev_id}" for rev_id in range(1, 101)})

    found = await ApiReader(wiki.api(), 50).read([edit(2 * n, 2 * n - 1) for n in range(1, 26)])

    assert len(wiki.requests) == 1
    assert wiki.asked[0]["rvslots"] == "main"
    assert [item.text for item in found if isinstance(item, Revision)] == [
        f"text {2 * n}" for n in range(1, 26)
    ]


async def test_more_than_a_batch_is_more_requests():
    wiki = wiki_of(dict.fromkeys(range(1, 200), "x"))

    found = await ApiReader(wiki.api(), 50).read([edit(2 * n, 2 * n - 1) for n in range(1, 61)])

    assert [len(asked["revids"].split("|")) for asked in wiki.asked] == [50, 50, 20]
    assert all(isinstance(item, Revision) for item in found)


async def test_a_revision_has_its_text_and_its_parent():
    wiki = wiki_of({9: "before", 10: "after"})

    (found,) = await ApiReader(wiki.api(), 50).read([edit(10, 9)])

    assert isinstance(found, Revision)
    assert (found.text, found.parent.text, found.parent.rev_id) == ("after", "before", 9)
    assert (found.parent.user_text, found.parent.comment) == ("User 9", "comment 9")
    assert (found.user.user_text, found.user.edit_count, found.comment) == ("Alice", 600, "typo")
    assert (found.wiki_id, found.page.title) == ("my_wiki", "Some_page")


async def test_an_edit_upon_an_edit_asks_only_for_what_is_new():
    wiki = wiki_of({8: "a", 9: "b", 10: "c"})
    reader = ApiReader(wiki.api(), 50)

    await reader.read([edit(9, 8)])
    (found,) = await reader.read([edit(10, 9)])

    assert isinstance(found, Revision)
    assert found.parent.text == "b"
    assert [asked["revids"] for asked in wiki.asked] == ["8|9", "10"]
    await reader.read([edit(10, 9)])
    assert len(wiki.requests) == 2


@pytest.mark.parametrize("name", ["revisions", "revisions_as_sysop"])
async def test_what_a_real_wiki_has_and_hides(name):
    """The account with rights is given hidden texts; they are not used all the same."""
    wiki = FakeApi(response(fixture(name)))
    asked = {
        4: edit(4, 3),
        5: edit(5, 4),
        6: edit(6, 5),
        14: edit(14, 7),
        15: edit(15, 14),
        18: edit(18, 7),
        11: edit(11, 7),
        999_999: edit(999_999, 7),
        17: edit(17, 3_000),
        12: edit(12, None),
        7: edit(7, 18),
    }

    answers = await ApiReader(wiki.api(), 50).read(list(asked.values()))

    found = dict(zip(asked, answers, strict=True))
    readable = found.pop(4)
    assert isinstance(readable, Revision)
    assert readable.text == "An apple is a fruit. [[cs:Jablko]]"
    assert readable.parent.text == "An apple is a fruit."
    assert {
        rev_id: item.reason for rev_id, item in found.items() if isinstance(item, Unreadable)
    } == {
        5: "revision_hidden",
        6: "parent_revision_hidden",
        14: "revision_hidden",
        15: "parent_revision_hidden",
        18: "not_wikitext",
        11: "revision_missing",
        999_999: "revision_missing",
        17: "parent_revision_missing",
        12: "parent_revision_missing",
        7: "not_wikitext",
    }
    assert "rude" not in repr(answers)
    assert "555" not in repr(answers)


async def test_a_parent_whose_user_and_comment_are_hidden_tells_neither():
    hidden = {
        "revid": 9,
        "timestamp": "2026-11-23T08:00:00Z",
        "userhidden": True,
        "user": "Secret",
        "commenthidden": True,
        "comment": "secret",
        "slots": {"main": {"contentmodel": "wikitext", "content": "before"}},
    }
    shown = {**hidden, "revid": 10, "userhidden": False}
    wiki = FakeApi({"query": {"pages": [{"revisions": [hidden, shown]}]}})

    (found,) = await ApiReader(wiki.api(), 50).read([edit(10, 9)])

    assert isinstance(found, Revision)
    assert (found.parent.user_text, found.parent.comment) == (None, None)


async def test_a_truncated_answer_is_continued():
    exchanges = fixture("revisions_truncated")
    for exchange in exchanges:
        for page in exchange["body"]["query"]["pages"]:
            for item in page.get("revisions", []):
                item["timestamp"] = "2026-11-23T08:00:00Z"
    wiki = FakeApi(*map(response, exchanges))

    found = await ApiReader(wiki.api(), 50).read([edit(20, 19), edit(22, 21), edit(23, 19)])

    assert all(isinstance(item, Revision) for item in found)
    assert len(wiki.requests) == 2


@pytest.mark.parametrize(
    "query",
    [
        [],
        {"pages": 5},
        {"pages": [[]]},
        {"pages": [{"revisions": [{"timestamp": "x"}]}]},
        {"pages": [{"revisions": [{"revid": 9, "slots": {"main": {"content": "x"}}}]}]},
    ],
)
async def test_an_answer_of_another_shape_is_told(query):
    wiki = FakeApi({"query": query})

    with pytest.raises(NotAWikiError, match="its revisions are not as MediaWiki has them"):
        await ApiReader(wiki.api(), 50).read([edit(10, 9)])


async def test_a_wiki_that_does_not_answer_is_an_error_for_the_whole():
    reader = ApiReader(FakeApi(httpx.Response(503)).api(), 50)

    with pytest.raises(WikiUnavailableError):
        await reader.read([edit(10, 9)])
    with pytest.raises(WikiUnavailableError):
        await reader.check()


async def test_the_check_asks_who_the_wiki_is():
    wiki = FakeApi(response(fixture("siteinfo")))

    await ApiReader(wiki.api(), 50).check()

    assert wiki.asked[0]["meta"] == "siteinfo|userinfo"


async def test_nothing_to_read_asks_nothing():
    wiki = wiki_of({})

    assert await ApiReader(wiki.api(), 50).read([]) == []
    assert wiki.requests == []


async def test_what_does_not_fit_into_memory_is_asked_for_again():
    wiki = wiki_of({9: "x" * 100, 10: "y" * 100})
    reader = ApiReader(wiki.api(), 50, Contents(Room(ENTRY_BYTES + 100)))

    await reader.read([edit(10, 9)])
    await reader.read([edit(10, 9)])

    assert [asked["revids"] for asked in wiki.asked] == ["9|10", "9"]
