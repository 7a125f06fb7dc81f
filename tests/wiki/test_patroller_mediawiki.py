"""What a patroller does on a real MediaWiki that others use at the same time."""

from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from revision_quality.errors import WikiRefusedError, WikiUnavailableError
from revision_quality.wiki.patroller import PageName, Patroller
from tests.servers.mediawiki import ADMIN, RealWiki

pytestmark = pytest.mark.mediawiki


@pytest_asyncio.fixture
async def patroller(mediawiki: RealWiki) -> AsyncIterator[Patroller]:
    cookies = mediawiki.session(ADMIN).cookies
    async with httpx.AsyncClient(timeout=60, cookies=cookies) as client:
        yield Patroller(mediawiki.api_url, client, "", "de")


@pytest.fixture(scope="module")
def vandal(mediawiki: RealWiki) -> str:
    return mediawiki.create_user("Vandal of moved pages")


def page_of(mediawiki: RealWiki, title: str, vandal: str) -> tuple[PageName, int, int]:
    """A page with a good edit and a bad one: its name, and the ids of both."""
    good = mediawiki.edit(title, "One.\n\nTwo.")
    bad = mediawiki.edit(title, "One, haha.\n\nTwo.", user=vandal)
    [found] = mediawiki.get(action="query", titles=title)["query"]["pages"]
    return PageName(title, found["pageid"]), good, bad


async def test_an_edit_is_undone_where_its_page_was_moved_to(
    mediawiki: RealWiki, patroller: Patroller, vandal: str
) -> None:
    page, good, bad = page_of(mediawiki, "Before the move", vandal)
    mediawiki.move(page.title, "After the move")
    new = await patroller.undo(page, bad, good)
    answer = mediawiki.get(
        action="query", revids=new, prop="revisions", rvprop="content", rvslots="main"
    )
    [found] = answer["query"]["pages"]
    assert found["title"] == "After the move"
    assert found["revisions"][0]["slots"]["main"]["content"] == "One.\n\nTwo."


async def test_another_editor_was_faster(
    mediawiki: RealWiki, patroller: Patroller, vandal: str
) -> None:
    page, good, bad = page_of(mediawiki, "Another was faster", vandal)
    mediawiki.edit(page.title, "One, corrected.\n\nTwo.")
    with pytest.raises(WikiRefusedError) as rolled:
        await patroller.rollback(page, vandal)
    assert (rolled.value.code, "letzte" in rolled.value.info.lower()) == ("alreadyrolled", True)
    with pytest.raises(WikiRefusedError) as undone:
        await patroller.undo(page, bad, good)
    assert undone.value.code == "undofailure"
    assert "rückgängig" in undone.value.info


async def test_a_page_that_was_deleted_is_not_made_again(
    mediawiki: RealWiki, patroller: Patroller, vandal: str
) -> None:
    page, good, bad = page_of(mediawiki, "Deleted meanwhile", vandal)
    mediawiki.delete(page.title)
    with pytest.raises(WikiRefusedError, match="nosuchpageid"):
        await patroller.rollback(page, vandal)
    with pytest.raises(WikiRefusedError, match="nosuchpageid"):
        await patroller.undo(page, bad, good)


async def test_a_wiki_that_is_read_only_has_done_nothing(
    mediawiki: RealWiki, patroller: Patroller, vandal: str
) -> None:
    page, good, bad = page_of(mediawiki, "Read only", vandal)
    mediawiki.configure("$wgReadOnly = 'Wartung <b>heute</b>';")
    try:
        with pytest.raises(WikiUnavailableError) as rolled:
            await patroller.rollback(page, vandal)
        with pytest.raises(WikiUnavailableError) as undone:
            await patroller.undo(page, bad, good)
    finally:
        mediawiki.configure("$wgReadOnly = null;")
    assert (rolled.value.code, undone.value.code) == ("readonly", "readonly")
    assert "schreibgeschützt" in rolled.value.info
