"""A wiki's own histories become labelled edits, through its API."""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from revision_quality.errors import ModelError, NotAWikiError
from revision_quality.training.histories import Choice
from revision_quality.training.labelled import LabelledEdit
from revision_quality.training.wiki_histories import Span, Step, labelled_edits_of_wiki
from revision_quality.wiki.client import ActionApi
from tests.servers.mediawiki import RealWiki
from tests.training.histories.make import HIDDEN, START, STORIES, Edit, PageOf, story
from tests.wiki.fake import FakeApi, parameters

ALL = Choice(kept_per_reverted=1000)
REVERTED = PageOf("Reverted", story("good:Zoe bad:Yan good:Xia"))


class Wiki:
    """Answers as the Action API does, two pages, users or revisions at a time."""

    def __init__(self, *pages: PageOf, bots: tuple[str, ...] = (), gone: int = 0) -> None:
        self._pages = pages
        self._bots = bots
        self._gone = gone
        self._revisions: dict[int, tuple[PageOf, dict[str, Any]]] = {}
        number = 0
        for page in pages:
            for place, edit in enumerate(page.edits):
                number += 1
                self._revisions[number] = page, _revision(edit, number, number - 1 if place else 0)
        self.fake = FakeApi(handler=self._answer)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        asked = parameters(request)
        if asked.get("list") == "allusers":
            return _some("allusers", [{"name": name} for name in self._bots], asked)
        if asked.get("list") == "allrevisions":
            return self._revisions_since(asked)
        if asked.get("list") == "users":
            return self._accounts(asked["ususers"].split("|"))
        if asked.get("meta") == "siteinfo":
            statistics = {"edits": len(self._revisions)}
            return httpx.Response(200, json={"query": {"statistics": statistics}})
        if "revids" in asked:
            return self._contents([int(one) for one in asked["revids"].split("|")])
        return self._history(asked)

    def _revisions_since(self, asked: dict[str, str]) -> httpx.Response:
        found = [
            {"pageid": self._pages.index(page) + 1, "ns": page.ns, "title": page.title,
             "revisions": [revision]}
            for page, revision in self._revisions.values()
            if revision["timestamp"] >= asked.get("arvstart", "")
        ]  # fmt: skip
        return _some("allrevisions", found, asked)

    def _accounts(self, names: list[str]) -> httpx.Response:
        """Count an account's edits, and one more each that was deleted."""
        made = [revision.get("user") for _, revision in self._revisions.values()]
        users = [
            {"userid": 7, "name": name, "editcount": made.count(name) + 1, "groups": ["*", "user"],
             "registration": "2019-01-01T00:00:00Z"}
            for name in names
        ]  # fmt: skip
        return httpx.Response(200, json={"query": {"users": users}})

    def _history(self, asked: dict[str, str]) -> httpx.Response:
        found = [item for page, item in self._revisions.values() if page.title == asked["titles"]]
        page = next((page for page in self._pages if page.title == asked["titles"]), None)
        if page is None:
            missing = {"ns": 0, "title": asked["titles"], "missing": True}
            return httpx.Response(200, json={"query": {"pages": [missing]}})
        start = int(asked.get("rvcontinue", 0))
        part = [{key: value for key, value in one.items() if key != "text"} for one in found]
        answer: dict[str, Any] = {
            "query": {
                "pages": [
                    {"title": page.title, "ns": page.ns, "revisions": part[start : start + 2]}
                ]
            }
        }
        if start + 2 < len(found):
            answer["continue"] = {"rvcontinue": start + 2, "continue": "||"}
        return httpx.Response(200, json=answer)

    def _contents(self, rev_ids: list[int]) -> httpx.Response:
        assert len(rev_ids) <= 50
        pages = []
        for rev_id in rev_ids:
            page, revision = self._revisions[rev_id]
            slot = {"content": revision["text"]} if rev_id != self._gone else {"texthidden": True}
            pages.append(
                {"title": page.title, "ns": page.ns,
                 "revisions": [{"revid": rev_id, "slots": {"main": slot}}]}
            )  # fmt: skip
        return httpx.Response(200, json={"query": {"pages": pages}})


def _some(name: str, items: list[Any], asked: dict[str, str]) -> httpx.Response:
    start = int(asked.get("from", 0))
    answer: dict[str, Any] = {"query": {name: items[start : start + 2]}}
    if start + 2 < len(items):
        answer["continue"] = {"from": start + 2, "continue": "-||"}
    return httpx.Response(200, json=answer)


def _revision(edit: Edit, number: int, parent: int) -> dict[str, Any]:
    at = START + timedelta(hours=number)
    revision: dict[str, Any] = {
        "revid": number,
        "parentid": parent,
        "timestamp": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "comment": edit.comment,
        "size": len(edit.text),
        "slots": {"main": {"contentmodel": edit.model, "contentformat": "text/x-wiki"}},
        "text": edit.text,
    }
    if edit.user == HIDDEN:
        revision["userhidden"] = True
    else:
        revision |= {"user": edit.user, "userid": 0 if edit.ip else 7}
        revision |= {"anon": True} if edit.ip else {}
    if edit.text == HIDDEN:
        revision["sha1hidden"] = revision["texthidden"] = True
    else:
        revision["sha1"] = hashlib.sha1(edit.text.encode()).hexdigest()
    return revision


async def edits(wiki: Wiki, **options: Any) -> list[LabelledEdit]:
    options.setdefault("choice", ALL)
    return [one async for one in labelled_edits_of_wiki(wiki.fake.api(), "my_wiki", **options)]


def labels(found: list[LabelledEdit], title: str = "A") -> dict[int | None, int]:
    return {edit.revision.rev_id: edit.label for edit in found if edit.revision.page.title == title}


@pytest.mark.parametrize("name", STORIES)
async def test_every_case_of_a_history_gets_the_same_label_as_from_a_dump(name):
    text, expected = STORIES[name]

    assert labels(await edits(Wiki(PageOf("A", story(text)), REVERTED))) == expected


async def test_the_whole_wiki_is_read_with_texts_and_the_users_pasts():
    pages = [PageOf(f"Page {n}", story("a:Ana b:Ben c:Ana")) for n in range(30)]

    found = await edits(Wiki(*pages, PageOf("Talk:A", story("x:A y:B"), ns=1), REVERTED))

    assert len(found) == 30 * 2 + 2
    first = found[0].revision
    assert (first.wiki_id, first.page.title, first.rev_id) == ("my_wiki", "Page 0", 2)
    assert (first.text, first.parent.text, first.parent.user_text) == ("b", "a", "Ana")
    assert first.page.first_edit_dt == START + timedelta(hours=1)
    assert found[1].revision.user.edit_count == 1 + 1
    assert found[-3].revision.user.edit_count == 59 + 1
    assert found[-3].revision.user.registration_dt == datetime(2019, 1, 1, tzinfo=UTC)


async def test_only_what_was_edited_since_is_read_and_the_users_pasts_are_whole():
    pages = [PageOf(f"Page {n}", story("a:Ana b:Ben c:Ana d:Ben")) for n in range(9)]
    wiki = Wiki(*pages, REVERTED)

    found = await edits(wiki, span=Span(since=START + timedelta(hours=31)))

    assert labels(found, "Page 7") == {31: 0, 32: 0}
    assert labels(found, "Page 8") == {34: 0, 35: 0, 36: 0}
    assert labels(found, "Page 6") == {}
    assert labels(found, "Reverted") == {38: 1, 39: 0}
    assert found[0].revision.parent.text == "b"
    assert found[0].revision.page.first_edit_dt == START + timedelta(hours=29)
    assert found[0].revision.user.edit_count == 15 + 1
    asked = {ask["titles"] for ask in wiki.fake.asked if "titles" in ask}
    assert asked == {"Page 7", "Page 8", "Reverted"}


async def test_as_many_pages_are_read_as_edits_are_wanted():
    pages = [PageOf(f"Page {n}", story("good:Zoe bad:Yan good:Xia")) for n in range(30)]

    found = await edits(Wiki(*pages), span=Span(edits=9))

    assert len(found) == 10
    assert found == await edits(Wiki(*pages), span=Span(edits=9))
    assert {edit.revision.page.title for edit in found} != {f"Page {n}" for n in range(5)}


async def test_each_step_tells_how_far_it_is():
    pages = [PageOf(f"Page {n}", story("a:Ana b:Ben")) for n in range(3)]
    steps: list[Step] = []

    await edits(Wiki(*pages, REVERTED), tick=steps.append)

    last = {step.name: step for step in steps}
    assert list(last) == ["Revisions", "Pages", "Texts"]
    assert [(step.done, step.total) for step in last.values()] == [(9, 9), (4, 4), (5, 5)]
    assert all(step.total is not None and step.done <= step.total for step in steps)


async def test_of_some_pages_the_users_pasts_are_not_known():
    wiki = Wiki(REVERTED, PageOf("Other", story("a:Ana b:Ben")))

    found = await edits(wiki, titles=["Reverted", "No such page"])

    assert labels(found, "Reverted") == {2: 1, 3: 0}
    assert labels(found, "Other") == {}
    assert found[0].revision.user.edit_count is None
    assert found[0].revision.user.registration_dt is None


async def test_accounts_of_the_bot_group_are_left_out():
    bots = ("Ana", "Mechanic", "Quiet")

    found = await edits(Wiki(PageOf("A", story("a:Ben b:Quiet c:Dan")), REVERTED, bots=bots))

    assert labels(found) == {3: 0}


async def test_a_text_that_was_hidden_meanwhile_is_left_out():
    wiki = Wiki(PageOf("A", story("a:Ana b:Ben c:Cid")), REVERTED, gone=3)

    assert labels(await edits(wiki)) == {2: 0}


async def test_only_the_texts_of_what_is_drawn_are_asked_for():
    pages = [PageOf(f"Page {n}", story("a:Ana b:Ben c:Cid d:Dan")) for n in range(100)]
    wiki = Wiki(*pages, REVERTED)

    found = await edits(wiki, choice=Choice())

    drawn = sum(len(ask["revids"].split("|")) for ask in wiki.fake.asked if "revids" in ask)
    assert 2 <= len(found) <= 12
    assert drawn <= 2 * len(found)
    assert sum(edit.label for edit in found) == 1


async def test_a_wiki_without_a_revert_teaches_nothing():
    with pytest.raises(ModelError, match="none of the 1 edits that count was reverted"):
        await edits(Wiki(PageOf("A", story("a:Ana b:Ben"))))


async def test_an_answer_of_another_shape_is_named():
    fake = FakeApi({"query": {"allusers": [], "statistics": {"edits": 1}, "allrevisions": [{}]}})

    with pytest.raises(NotAWikiError, match="its revisions are not as MediaWiki has them"):
        [edit async for edit in labelled_edits_of_wiki(fake.api(), "my_wiki")]


@pytest.mark.mediawiki
async def test_a_real_wikis_history(mediawiki: RealWiki):
    title = "Learn from me"
    mediawiki.edit(title, "good", user="Admin")
    damage = mediawiki.edit(title, "junk")
    undone = mediawiki.undo(title, damage, user="Admin")
    mediawiki.protect(title)
    hidden = mediawiki.edit(title, "secret", user="Admin")
    mediawiki.edit(title, "public", user="Admin")
    mediawiki.hide_revision(hidden)
    last = mediawiki.edit(title, "more", "the last", user="Admin")

    async with httpx.AsyncClient(timeout=60) as client:
        api = ActionApi(mediawiki.api_url, client)
        found = [
            edit
            async for edit in labelled_edits_of_wiki(
                api, mediawiki.wiki_id, titles=[title], choice=ALL
            )
        ]
        whole = [edit async for edit in labelled_edits_of_wiki(api, mediawiki.wiki_id, choice=ALL)]

    assert labels(found, title) == {damage: 1, undone: 0, last: 0}
    assert [edit.revision.parent.text for edit in found] == ["good", "junk", "public"]
    assert found[0].revision.user.is_anonymous
    assert found[2].revision.comment == "the last"
    assert labels(whole, title) == labels(found, title)
    assert whole[-1].revision.user.edit_count is not None
