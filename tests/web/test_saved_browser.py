"""What a browser keeps for its reader, and filters by name above all, whatever is left of it."""

import json
import re

import pytest
from playwright.async_api import Page, expect

from tests.recent_changes.examples import change
from tests.web.browsing import Open, connected
from tests.web.conftest import WritableView

pytestmark = pytest.mark.browser

BOTS = {"name": "Bots", "query": "hidehumans=1"}


async def opened_with(page: Page, kept: str) -> None:
    await page.evaluate("kept => localStorage.setItem('revq-filters', kept)", kept)
    await page.reload()
    await connected(page)
    await page.get_by_text("Saved filters").click()


@pytest.mark.parametrize(
    ("kept", "names"),
    [
        ("not JSON", []),
        ('{"a": 1}', []),
        ('"text"', []),
        ("7", []),
        (json.dumps([None, 5, [], {"name": 3, "query": ""}, {"name": "no query"}, BOTS]), ["Bots"]),
        (json.dumps([{"name": "Odd", "query": 'x"><b>&before'}]), ["Odd"]),
    ],
)
async def test_what_cannot_be_read_of_saved_filters_is_passed_over(
    open_page: Open, view: WritableView, kept: str, names: list[str]
) -> None:
    await view.write(change(1))
    page = await open_page("hidebots=1")
    await opened_with(page, kept)

    await expect(page.locator("#saved li > a")).to_have_text(names)
    await page.get_by_role("textbox", name="Name").fill("Mine")
    await page.get_by_role("button", name="Save these filters").click()
    await expect(page.locator("#saved li > a")).to_have_text([*names, "Mine"])


@pytest.mark.parametrize("name", ["revq-keys", "revq-handled", "revq-filters"])
async def test_the_page_works_with_anything_that_a_browser_has_kept(
    open_page: Open, view: WritableView, name: str
) -> None:
    await view.write(change(1, is_bot=True), change(2))
    page = await open_page()
    for kept in ("7", "null", '"x"', '{"a": {"b": 1}}', '[[], {"a": 1}, 2]', "["):
        await page.evaluate("kept => localStorage.setItem(kept[0], kept[1])", [name, kept])
        await page.reload()
        await connected(page)
        await page.keyboard.press("j")
        await expect(page.locator("#enwiki\\:2")).to_be_focused()


async def test_a_browser_that_keeps_nothing_is_told(open_page: Open, view: WritableView) -> None:
    await view.write(change(1))
    page = await open_page("hidebots=1")
    await opened_with(page, json.dumps([BOTS]))
    fill_up = "() => { Storage.prototype.setItem = () => { throw new Error('full'); }; }"
    await page.evaluate(fill_up)
    await page.get_by_role("textbox", name="Name").fill("Mine")
    await page.get_by_role("button", name="Save these filters").click()

    await expect(page.locator("#outcome")).to_have_text("This browser has not kept it.")
    await expect(page.locator("#saved li > a")).to_have_text(["Bots"])
    await expect(page.get_by_role("textbox", name="Name")).to_have_value("Mine")


async def test_a_name_that_is_taken_takes_no_filters_away(
    open_page: Open, view: WritableView
) -> None:
    await view.write(change(1))
    page = await open_page("hidebots=1")
    await opened_with(page, json.dumps([{"name": "A", "query": "hideminor=1"}, BOTS]))
    page.on("dialog", lambda dialog: dialog.accept("Bots"))
    await page.get_by_role("button", name="Rename: A").click()

    await expect(page.locator("#saved li > a")).to_have_text(["Bots (2)", "Bots"])


async def test_filters_saved_anew_under_their_name_stay_the_default(
    open_page: Open, view: WritableView
) -> None:
    await view.write(change(1))
    page = await open_page("hidebots=1")
    await opened_with(page, json.dumps([{**BOTS, "isDefault": True}]))
    await page.get_by_role("textbox", name="Name").fill("Bots")
    await page.get_by_role("button", name="Save these filters").click()

    link = page.get_by_role("link", name="Bots", exact=True)
    await expect(link).to_have_attribute("href", "/recent-changes?hidebots=1")
    await expect(page.get_by_role("button", name="Remove as default: Bots")).to_be_visible()


async def test_no_filters_are_saved_and_opened_beside_a_default(
    open_page: Open, view: WritableView
) -> None:
    await view.write(change(1))
    page = await open_page("hidebots=1")
    kept = [{**BOTS, "isDefault": True}, {"name": "All", "query": ""}]
    await opened_with(page, json.dumps(kept))
    await page.get_by_role("link", name="All", exact=True).click()
    await connected(page)
    await expect(page.locator(".chosen")).to_have_count(0)

    await page.reload()
    await connected(page)
    await expect(page.locator(".chosen")).to_have_count(0)

    await page.get_by_label("Language").select_option("de")
    await page.get_by_role("button", name="Save", exact=True).click()
    await expect(page.locator("h1")).to_have_text("Letzte Änderungen")
    await expect(page).not_to_have_url(re.compile("hidehumans"))
    await expect(page.locator(".chosen")).to_have_count(0)
