"""Revisions asked for by their ids have the shape of recent changes."""

import httpx

from revision_quality.sources.revision_rows import revision_rows
from tests.wiki.fake import FakeApi, fixture, parameters, response


async def test_the_revisions_of_a_real_wiki_are_rows():
    wiki = FakeApi(response(fixture("revisions")))

    rows = {row.revid: row for row in await revision_rows(wiki.api(), [3, 5, 7, 11], 50)}

    assert 11 not in rows
    assert (rows[3].type, rows[3].title, rows[3].pageid) == ("edit", "Apple", 2)
    assert (rows[3].old_revid, rows[3].newlen, rows[3].minor) == (2, 20, True)
    assert (rows[7].type, rows[7].old_revid) == ("new", 0)
    assert (rows[5].user, rows[5].comment, rows[5].sha1hidden) == (None, None, True)


async def test_many_are_asked_for_in_batches():
    def answer(request: httpx.Request) -> httpx.Response:
        assert parameters(request)["revids"].count("|") < 50
        return httpx.Response(200, json={"query": {"badrevids": {}}})

    wiki = FakeApi(handler=answer)

    assert await revision_rows(wiki.api(), list(range(1, 121)), 50) == []
    assert len(wiki.requests) == 3
    assert await revision_rows(wiki.api(), [], 50) == []
    assert len(wiki.requests) == 3
