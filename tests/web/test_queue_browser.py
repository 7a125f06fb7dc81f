"""Queues by risk, highlights, groups, saved filters, languages, live: in a real browser."""

import re

import pytest
from playwright.async_api import expect

from tests.recent_changes.examples import change
from tests.web.browsing import Open, connected, keys
from tests.web.conftest import WritableView

pytestmark = pytest.mark.browser

BASE = 1_700_000_000


async def test_a_queue_is_by_risk_and_what_is_handled_or_reverted_drops_out(
    open_page: Open, view: WritableView
) -> None:
    await view.write(
        change(1, score=0.97, timestamp=BASE),
        change(2, score=0.05, timestamp=BASE + 60),
        change(3, score=0.65, timestamp=BASE + 30),
        change(4, score=0.99, is_reverted=True),
    )
    page = await open_page("order=riskiest")
    await connected(page)
    assert await keys(page) == ["enwiki:1", "enwiki:3", "enwiki:2"]

    await view.write(change(5, score=0.9, timestamp=BASE - 500))
    await expect(page.locator("#changes li")).to_have_count(4)
    assert await keys(page) == ["enwiki:1", "enwiki:5", "enwiki:3", "enwiki:2"]
    await view.write(change(1, score=0.97, timestamp=BASE, is_reverted=True))
    await expect(page.locator("#changes li")).to_have_count(3)
    await view.write(change(5, score=0.9, timestamp=BASE - 500, verdicts=1, verdict="fine"))
    await expect(page.locator("#changes li")).to_have_count(2)
    await page.reload()
    assert await keys(page) == ["enwiki:3", "enwiki:2"]


async def test_highlights_colour_and_hide_nothing(open_page: Open, view: WritableView) -> None:
    await view.write(change(1, score=0.95, is_bot=True), change(2, score=0.2), change(3, score=0.7))
    page = await open_page("damaging__verylikelybad_color=c5&hidebots_color=c1")
    await connected(page)
    row = page.locator("#enwiki\\:1")
    await expect(row).to_have_class("verylikelybad c1 c5")
    await expect(row).to_have_attribute("title", "Highlighted: Bot, Very likely to be reverted")
    await expect(row.locator(".dot")).to_have_count(2)
    await expect(page.locator("#changes li")).to_have_count(3)
    await view.write(change(4, score=0.96))
    await expect(page.locator("#enwiki\\:4")).to_have_class(re.compile("c5"))


async def test_changes_of_a_page_are_grouped(open_page: Open, view: WritableView) -> None:
    await view.write(change(1), change(2), change(3, title="Elsewhere", page_id=9))
    page = await open_page("enhanced=1")
    await connected(page)
    await page.get_by_text("Main Page (2 changes)").click()
    await expect(page.locator("#enwiki\\:1")).to_be_visible()
    await view.write(change(4))
    await page.get_by_role("button", name="View new changes: 1").click()
    await expect(page.get_by_text("Main Page (3 changes)")).to_be_visible()


async def test_filters_are_saved_by_name(open_page: Open, view: WritableView) -> None:
    await view.write(change(1, score=0.95), change(2))
    page = await open_page("revertrisk=verylikelybad")
    await connected(page)
    await page.get_by_text("Saved filters").click()
    await page.get_by_role("textbox", name="Name").fill("<b>Worst</b>")
    await page.get_by_role("button", name="Save these filters").click()
    await expect(page.get_by_role("button", name="Save these filters")).to_be_disabled()
    await page.get_by_role("button", name="Set as default: <b>Worst</b>").click()

    await page.goto(page.url.partition("?")[0])
    await expect(page).to_have_url(re.compile("revertrisk=verylikelybad"))
    await connected(page)
    await page.get_by_text("Saved filters").click()
    await expect(page.get_by_role("link", name="<b>Worst</b>")).to_have_attribute(
        "href", "/recent-changes?revertrisk=verylikelybad"
    )


async def test_a_reader_chooses_the_language_and_the_time_zone(
    open_page: Open, view: WritableView
) -> None:
    await view.write(change(1, timestamp=BASE, score=0.95))
    page = await open_page(java_script_enabled=False)
    await page.get_by_label("Language").select_option("ar")
    await page.get_by_label("Time zone").fill("Asia/Tokyo")
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator("h1")).to_have_text("أحدث التغييرات")
    await expect(page.locator("html")).to_have_attribute("dir", "rtl")
    await expect(page.locator("#changes time")).to_have_text("07:13")


async def test_the_browsers_language_is_taken(open_page: Open, view: WritableView) -> None:
    await view.write(change(1, score=0.95))
    page = await open_page(locale="de-AT")
    await expect(page.locator("h1")).to_have_text("Letzte Änderungen")
    await expect(page.locator("#status")).to_have_text("Auf dem neuesten Stand.")


async def test_paused_changes_are_counted_in_the_title_and_the_lag_is_told(
    open_page: Open, view: WritableView
) -> None:
    await view.write(change(1))
    page = await open_page()
    await connected(page)
    await expect(page.locator("#lag")).to_have_text(
        re.compile(r"^The newest score is \d+ d old\.$")
    )
    await page.keyboard.press("p")
    await view.write(change(2), change(3))
    await expect(page).to_have_title(re.compile(r"^\(2\) Recent changes"))
    await page.keyboard.press("n")
    await expect(page.locator("#changes li")).to_have_count(3)
    await expect(page).to_have_title(re.compile("^Recent changes"))


async def test_what_is_hidden_while_on_screen_is_gone_without_a_reload(
    open_page: Open, view: WritableView
) -> None:
    await view.write(change(1, user="Eve"), change(2))
    page = await open_page()
    await connected(page)
    hidden = change(1, user=None, user_hidden=True, comment=None, comment_hidden=True)
    await view.write(hidden)
    await view.delete(change(2))
    # It is pushed: the longer wait is for a busy machine, not for a question that is asked again.
    await expect(page.get_by_text("Eve", exact=True)).to_have_count(0, timeout=10_000)
    await expect(page.locator("#enwiki\\:2")).to_have_count(0, timeout=10_000)


async def test_two_tabs_save_filters_together(open_page: Open, view: WritableView) -> None:
    await view.write(change(1, score=0.95))
    one = await open_page("hidebots=1")
    other = await one.context.new_page()
    await other.goto(one.url.replace("hidebots", "hideminor"))
    for page, name in ((one, "One"), (other, "Other")):
        await connected(page)
        await page.get_by_text("Saved filters").click()
        await page.get_by_role("textbox", name="Name").fill(name)
        await page.get_by_role("button", name="Save these filters").click()
    await one.reload()
    await one.get_by_text("Saved filters").click()
    await expect(one.locator("#saved li > a")).to_have_text(["One", "Other"])


async def test_filters_that_the_page_opens_with_can_be_taken_away(
    open_page: Open, view: WritableView
) -> None:
    await view.write(change(1, score=0.95), change(2))
    page = await open_page()
    await connected(page)
    saved = '[{"name": "A", "query": "revertrisk=verylikelybad", "isDefault": true}]'
    await page.evaluate(f"localStorage.setItem('revq-filters', '{saved}')")
    await page.goto(page.url.partition("?")[0])
    await expect(page).to_have_url(re.compile("revertrisk"))
    await connected(page)
    await page.get_by_role("link", name="Clear all").click()
    await expect(page).not_to_have_url(re.compile("revertrisk"))
    await connected(page)
    await expect(page.locator("#changes li")).to_have_count(2)


async def test_the_filters_outlast_a_change_of_language(
    open_page: Open, view: WritableView
) -> None:
    await view.write(change(1, score=0.95), change(2))
    page = await open_page()
    await connected(page)
    await page.get_by_role("checkbox", name="Very likely to be reverted").check()
    await expect(page.locator("#changes li")).to_have_count(1)
    await page.get_by_label("Language").select_option("de")
    await page.get_by_role("button", name="Save", exact=True).click()
    await expect(page.locator("h1")).to_have_text("Letzte Änderungen")
    await expect(page.locator("#changes li")).to_have_count(1)


async def test_the_form_says_which_order_the_page_has(open_page: Open, view: WritableView) -> None:
    await view.write(change(1, tags=("a",)), change(2))
    page = await open_page("tagfilter=a&order=best")
    await connected(page)
    await expect(page.locator(".notice")).to_contain_text("“best”")
    await expect(page.get_by_label("Order")).to_have_value("newest")
    await page.get_by_label("Order").select_option("riskiest")
    await expect(page.locator("#results")).to_have_attribute("data-order", "riskiest")
    await expect(page.get_by_label("Order")).to_have_value("riskiest")
    assert await keys(page) == ["enwiki:1"]
