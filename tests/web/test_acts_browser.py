"""Rollback and undo by key: what a slow wiki, a hasty hand and a bad line must not do."""

from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio
from msgspec.structs import replace
from playwright.async_api import Browser, Page, Route, expect
from starlette.responses import JSONResponse, Response

from revision_quality.oauth_block import OAuthBlock
from revision_quality.web.app import create_app
from revision_quality.web.consumer import Consumer
from revision_quality.web.logins import Logins
from tests.recent_changes.examples import LEVELS, SITE, SITES, change
from tests.servers.oauth import CLIENT_ID, CLIENT_SECRET, OAuthWiki
from tests.web.browsing import connected
from tests.web.conftest import Serve, WritableView
from tests.web.test_details import FakeDiffs, closer
from tests.web.test_logins import Api
from tests.web.test_patrol_browser import focused, press
from tests.web.test_place_browser import held_back

pytestmark = pytest.mark.browser


class BusyApi(Api):
    """Says that the wiki is read-only while it is told to be."""

    is_readonly = False

    async def __call__(self, user: str | None, asked: dict[str, str]) -> Response:
        if self.is_readonly and asked["action"] == "rollback":
            said = {"de": "Die Datenbank ist gesperrt."}.get(asked["errorlang"], "Locked.")
            return JSONResponse({"errors": [{"code": "readonly", "text": said}]})
        return await super().__call__(user, asked)


@pytest.fixture
def api() -> BusyApi:
    return BusyApi()


@pytest.fixture
def diffs() -> FakeDiffs:
    return FakeDiffs()


@pytest_asyncio.fixture(loop_scope="session")
async def page(
    browser: Browser, view: WritableView, serve: Serve, api: BusyApi, diffs: FakeDiffs
) -> AsyncIterator[Page]:
    """The page of three edits, 3 the newest, open before a patroller who has logged in."""
    wiki = OAuthWiki(api, "Pat", "")
    block = OAuthBlock(client_id=CLIENT_ID, client_secret=CLIENT_SECRET)
    await view.write(
        *(change(n, parent_id=n - 1, title=f"Page {n}", page_id=n) for n in range(1, 4))
    )
    async with serve(wiki.app) as front, httpx.AsyncClient(timeout=60) as asking:
        site = replace(SITE, server=front)
        logins = Logins({"enwiki": Consumer(block, site, f"{front}/w/api.php", asking)})
        sites = {**SITES, "enwiki": site}
        app = create_app(view, sites.get, LEVELS, closer=closer(diffs), logins=logins)
        async with serve(app) as address:
            wiki.callback_url = f"{address}/oauth/enwiki/callback"
            context = await browser.new_context(locale="en-GB")
            page = await context.new_page()
            complaints: list[str] = []
            page.on("pageerror", lambda error: complaints.append(str(error)))
            await page.goto(f"{address}/recent-changes")
            await page.get_by_role("link", name="Log in to").click()
            await connected(page)
            yield page
            diffs.held.set()
            await context.close()
            assert complaints == []


async def test_a_slow_question_does_not_ask_who_has_gone_on(page: Page, api: BusyApi) -> None:
    slow = await held_back(page, "**/recent-changes/enwiki/3?*")
    await press(page, "j", "r", "j", "r")
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("Page 2")
    slow.set()
    await page.wait_for_load_state("networkidle")
    await expect(dialog).to_contain_text("Page 2")
    await press(page, "Enter")
    await expect(page.locator("#enwiki\\:2.handled")).to_be_visible()
    assert [done["pageid"] for done in api.done] == ["2"]
    await expect(page.locator(".handled")).to_have_count(1)


async def test_a_rollback_does_not_wait_for_the_diff(
    page: Page, diffs: FakeDiffs, api: BusyApi
) -> None:
    diffs.held.clear()
    await press(page, "j", "r")
    await expect(page.get_by_role("dialog")).to_contain_text("Page 3")
    await press(page, "Enter")
    await expect(page.locator("#enwiki\\:3.handled")).to_be_visible()


async def test_a_key_that_is_held_down_does_not_confirm(page: Page, api: BusyApi) -> None:
    await press(page, "j", "d")
    await page.locator("#enwiki\\:3").get_by_role("button", name="rollback").focus()
    for _ in range(5):
        await page.keyboard.down("Enter")
    await expect(page.get_by_role("dialog")).to_be_visible()
    await page.keyboard.up("Enter")
    await expect(page.get_by_role("dialog")).to_be_visible()
    assert api.done == []
    await press(page, "Enter")
    await expect(page.locator("#outcome")).to_have_text("Rolled back.")


async def test_two_presses_of_enter_do_one_rollback(page: Page, api: BusyApi) -> None:
    await press(page, "j", "r")
    await expect(page.get_by_role("dialog")).to_be_visible()
    await press(page, "Enter", "Enter")
    await expect(page.locator("#outcome")).to_have_text("Rolled back.")
    await page.wait_for_load_state("networkidle")
    assert len(api.done) == 1


async def test_what_became_of_an_act_is_not_claimed_where_the_line_broke(page: Page) -> None:
    await page.route("**/rollback?*", lambda route: route.abort("connectionreset"))
    await press(page, "j", "r")
    await expect(page.get_by_role("dialog")).to_be_visible()
    await press(page, "Enter")
    await expect(page.locator("#outcome")).to_have_text(
        "No answer came: look at the page's history whether it is done."
    )


async def test_a_wiki_that_is_read_only_says_so_in_the_readers_language(
    page: Page, api: BusyApi
) -> None:
    api.is_readonly = True
    await page.goto(f"{page.url.partition('?')[0]}?uselang=de")
    await expect(page.locator("#status")).to_have_text("Auf dem neuesten Stand.")
    await press(page, "j", "r")
    await expect(page.get_by_role("dialog")).to_be_visible()
    await press(page, "Enter")
    await expect(page.locator("#outcome")).to_have_text(
        "Das Wiki hat es nicht getan: readonly: Die Datenbank ist gesperrt."
    )


async def test_an_edit_that_is_hidden_leaves_the_open_question(
    page: Page, view: WritableView
) -> None:
    row = {"parent_id": 2, "title": "Page 3", "page_id": 3}
    await view.write(change(3, user="Libel of Eve", **row))
    await expect(page.locator("#enwiki\\:3")).to_contain_text("Libel of Eve")
    await press(page, "j", "r")
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("Libel of Eve")
    await view.write(change(3, user=None, user_hidden=True, **row))
    await expect(page.get_by_text("Libel of Eve")).to_have_count(0, timeout=10_000)
    assert await focused(page) == "enwiki:3"


async def test_what_failed_stays_to_be_read_while_new_edits_come(
    page: Page, view: WritableView, api: BusyApi
) -> None:
    api.refusal = "alreadyrolled"
    await press(page, "j", "r")
    await expect(page.get_by_role("dialog")).to_be_visible()
    await press(page, "Enter")
    said = page.get_by_text("alreadyrolled: Not <b>now</b>.")
    await expect(said).to_be_visible()
    await view.write(change(9))
    await expect(page.get_by_text("New changes: 1.")).to_be_visible()
    await expect(said).to_be_visible()
    await press(page, "j")
    await expect(said).to_be_visible()


async def test_a_button_acts_on_its_own_row_where_the_focus_is_in_another(
    page: Page, view: WritableView
) -> None:
    """Safari puts no focus on a button that is clicked."""
    sent: list[str] = []
    page.on("request", lambda one: sent.append(one.post_data or "") if one.post_data else None)
    await page.route("**/v1/verdicts", lambda route: route.fulfill(status=201, json={}))
    await page.locator("#enwiki\\:1 > a.risk").click()
    button = page.locator("#enwiki\\:1").get_by_role("button", name="mark as fine")
    await expect(button).to_be_visible()
    await press(page, "k")
    assert await focused(page) == "enwiki:2"
    await button.evaluate("button => button.click()")
    await expect(page.locator("#enwiki\\:1.handled")).to_be_visible()
    assert '"rev_id":1,' in "".join(sent)


async def test_a_verdict_that_is_too_quick_for_the_server_waits(page: Page) -> None:
    answers = [429, 503, 201]

    async def answer(route: Route) -> None:
        await route.fulfill(status=answers.pop(0), headers={"Retry-After": "1"}, json={})

    await page.route("**/v1/verdicts", answer)
    await press(page, "j", "g")
    await expect(page.locator("#outcome")).to_have_text("Marked as fine.")
    await expect(page.locator("#enwiki\\:3.handled")).to_be_visible()
    assert answers == []


async def test_a_verdict_that_fails_calls_nobody_back(page: Page) -> None:
    await page.route("**/v1/verdicts", lambda route: route.abort("connectionreset"))
    await press(page, "j", "g", "j")
    await expect(page.locator("#outcome")).to_have_text(
        "The report was not taken. \u2068Page 3\u2069"
    )
    assert await focused(page) == "enwiki:1"


async def test_a_page_that_is_deleted_is_not_named_in_what_failed(
    page: Page, view: WritableView
) -> None:
    libel = change(4, title="Eve is a thief", page_id=9)
    await view.write(libel)
    await expect(page.locator("#enwiki\\:4")).to_be_visible()
    await page.route("**/v1/verdicts", lambda route: route.abort("connectionreset"))
    await press(page, "j", "g")
    await expect(page.locator("#outcome")).to_contain_text("Eve is a thief")
    await view.delete(libel)
    await expect(page.get_by_text("Eve is a thief")).to_have_count(0)


async def test_what_cannot_be_done_with_an_edit_is_told(page: Page, view: WritableView) -> None:
    await view.write(change(4, parent_id=0, kind="create", title="New", page_id=9))
    await expect(page.locator("#enwiki\\:4")).to_be_visible()
    await press(page, "j", "r")
    await expect(page.locator("#outcome")).to_have_text("That cannot be done with this edit.")


@pytest.mark.parametrize("size", [(1280, 600), (320, 256)])
async def test_what_became_of_a_key_is_in_sight_wherever_the_reader_is(
    page: Page, view: WritableView, size: tuple[int, int]
) -> None:
    await page.set_viewport_size({"width": size[0], "height": size[1]})
    await view.write(*(change(n) for n in range(10, 50)))
    await expect(page.locator("#enwiki\\:49")).to_be_visible()
    await page.route("**/v1/verdicts", lambda route: route.abort("connectionreset"))
    await press(page, *"j" * 30, "g")
    await expect(page.locator("#outcome")).to_contain_text("The report was not taken.")
    await expect(page.locator("#outcome")).to_be_in_viewport(ratio=1)
    for key in "j" * 9 + "k" * 20:
        await press(page, key)
        assert await page.evaluate(UNCOVERED)


UNCOVERED = """
() => {
  const { left, top, bottom, height } = document.activeElement.getBoundingClientRect();
  const bars = [...document.querySelectorAll(".live, #outcome:not(:empty)")]
    .filter((bar) => getComputedStyle(bar).position !== "static")
    .map((bar) => bar.getBoundingClientRect());
  return bars.every((bar) => bottom <= bar.top + 1 || top >= bar.bottom - 1);
}
"""
"""WCAG 2.2, 2.4.11: nothing that sticks hides what has the focus."""
