"""One key and one more to confirm: a real MediaWiki rolls back, in the patroller's own name."""

import asyncio

import httpx
import pytest
from playwright.async_api import Browser, expect
from starlette.responses import JSONResponse, Response

from revision_quality.oauth_block import OAuthBlock
from revision_quality.sites import Site
from revision_quality.web.app import create_app
from revision_quality.web.consumer import Consumer
from revision_quality.web.logins import Logins
from tests.recent_changes.examples import LEVELS, change
from tests.servers.mediawiki import ADMIN, RealWiki
from tests.servers.oauth import CLIENT_ID, CLIENT_SECRET, OAuthWiki
from tests.web.browsing import connected
from tests.web.conftest import Serve, WritableView
from tests.web.test_details import FakeDiffs, closer

pytestmark = [pytest.mark.browser, pytest.mark.mediawiki]

KEPT = "A kept paragraph about lighthouses."


def api_of(mediawiki: RealWiki):
    """The real wiki's Action API, which knows the user as one who has logged in."""

    async def ask(user: str | None, asked: dict[str, str]) -> Response:
        client = mediawiki.session(user)
        answer = await asyncio.to_thread(client.post, mediawiki.api_url, data=asked)
        return JSONResponse(answer.json(), answer.status_code)

    return ask


async def test_a_patroller_rolls_back_by_one_key(
    browser: Browser, view: WritableView, serve: Serve, mediawiki: RealWiki
) -> None:
    title, vandal = "Rolled back by key", mediawiki.create_user("Vandal of the key")
    kept = mediawiki.edit(title, KEPT)
    bad = mediawiki.edit(title, "haha", user=vandal)
    page_id = mediawiki.get(action="query", titles=title)["query"]["pages"][0]["pageid"]
    edited = {"title": title, "page_id": page_id, "user": vandal, "parent_id": kept}
    await view.write(change(bad, wiki_id="my_wiki", score=0.99, **edited))
    wiki = OAuthWiki(api_of(mediawiki), ADMIN, "")
    block = OAuthBlock(client_id=CLIENT_ID, client_secret=CLIENT_SECRET)

    async with serve(wiki.app) as front, httpx.AsyncClient(timeout=60) as asking:
        site = Site(wiki_id="my_wiki", name="My wiki", lang="en", dir="ltr", server=front)
        consumers = {"my_wiki": Consumer(block, site, f"{front}/w/api.php", asking)}
        here = create_app(
            view,
            {"my_wiki": site}.get,
            LEVELS,
            closer=closer(FakeDiffs()),
            logins=Logins(consumers),
        )
        async with serve(here) as address:
            wiki.callback_url = f"{address}/oauth/my_wiki/callback"
            context = await browser.new_context()
            page = await context.new_page()
            await page.goto(f"{address}/recent-changes")
            await page.get_by_role("link", name="Log in to My wiki").click()
            await expect(page.get_by_role("button", name="Log out")).to_be_visible()
            await connected(page)

            await page.keyboard.press("j")
            await page.keyboard.press("r")
            dialog = page.get_by_role("dialog", name="Roll back the latest edits")
            await expect(dialog).to_contain_text(title)
            await page.keyboard.press("Escape")
            await expect(dialog).to_be_hidden()
            assert latest(mediawiki, title)["revid"] == bad

            await page.keyboard.press("r")
            await expect(dialog).to_be_visible()
            await page.keyboard.press("Enter")
            await expect(page.locator("#outcome")).to_contain_text("Rolled back.")
            await expect(page.locator(f"#my_wiki\\:{bad}")).to_have_class("verylikelybad handled")

            now = latest(mediawiki, title)
            assert (now["user"], now["slots"]["main"]["content"]) == (ADMIN, KEPT)
            assert "mw-rollback" in now["tags"]

            await page.keyboard.press("r")
            await expect(dialog).to_be_visible()
            await page.keyboard.press("Enter")
            await expect(page.locator("#outcome")).to_contain_text("alreadyrolled")
            await page.get_by_role("button", name="Log out").click()
            await expect(page.get_by_role("link", name="Log in to My wiki")).to_be_visible()
            await context.close()


def latest(mediawiki: RealWiki, title: str):
    answer = mediawiki.get(
        action="query",
        prop="revisions",
        titles=title,
        rvprop="ids|user|content|tags",
        rvslots="main",
    )
    return answer["query"]["pages"][0]["revisions"][0]
