"""Eight hours at the open page: thousands of edits, bad lines, new releases, odd storage."""

import asyncio
import re

import pytest
from playwright.async_api import Browser, Route, expect
from starlette.applications import Starlette

from revision_quality.views.change import State
from tests.recent_changes.examples import change
from tests.web.browsing import Open, connected, keys
from tests.web.conftest import WritableView
from tests.web.test_patrol_browser import focused, press, streams
from tests.web.test_place_browser import app, diffs

__all__ = ["app", "diffs", "streams"]

pytestmark = pytest.mark.browser

EVENTS = re.compile(r"/recent-changes/events")
COUNT_WHAT_IS_SAID = """
() => {
  window.said = 0;
  new MutationObserver(() => { window.said += 1; })
    .observe(document.querySelector("#status"), { childList: true });
}
"""
LIST = re.compile(r"/recent-changes\?")


def cut_off(app: Starlette) -> None:
    """Tell all readers that they have missed too much: they load the page again."""
    for subscription in tuple(app.state.broadcaster._subscriptions):
        subscription.offer(())


async def test_thousands_of_edits_leave_the_page_as_long_as_it_was(
    open_page: Open, view: WritableView
) -> None:
    await view.write(*(change(n) for n in range(1, 61)))
    page = await open_page()
    await connected(page)
    await press(page, "j")
    at_first = await page.evaluate("document.querySelectorAll('*').length")
    for start in range(1000, 6000, 500):
        await view.write(*(change(n) for n in range(start, start + 500)))
    await expect(page.locator("#enwiki\\:5999")).to_be_visible()
    assert len(await keys(page)) <= 51
    assert await page.evaluate("document.querySelectorAll('*').length") < at_first * 1.1
    assert await focused(page) == "enwiki:60"


async def test_a_quiet_wikis_next_edit_is_told_again(open_page: Open, view: WritableView) -> None:
    await view.write(change(1))
    page = await open_page()
    await page.clock.install()
    await page.reload()
    await connected(page)
    await page.evaluate(COUNT_WHAT_IS_SAID)
    for n in (10, 11):
        await view.write(change(n))
        await expect(page.locator(f"#enwiki\\:{n}")).to_be_visible()
        await page.clock.run_for(30_000)
        await expect(page.locator("#status")).to_have_text("New changes: 1.")
    assert await page.evaluate("window.said") == 2


async def test_a_busy_wiki_does_not_talk_all_the_time(open_page: Open, view: WritableView) -> None:
    await view.write(change(1))
    page = await open_page()
    await page.clock.install()
    await page.reload()
    await connected(page)
    await page.evaluate(COUNT_WHAT_IS_SAID)
    for n in range(10, 110, 10):
        await view.write(*(change(n + more) for more in range(1 + n % 20 // 10)))
        await expect(page.locator(f"#enwiki\\:{n}")).to_be_visible()
        await page.clock.run_for(6000)
    assert 3 <= await page.evaluate("window.said") <= 4


async def test_another_page_in_place_of_ours_does_not_destroy_it(
    open_page: Open, view: WritableView, app: Starlette
) -> None:
    """A hotel's login page answers 200 to everything."""
    await view.write(change(1), change(2))
    page = await open_page()
    await connected(page)

    async def captive(route: Route) -> None:
        await route.fulfill(content_type="text/html", body="<h1>Please pay</h1>")

    await page.route(LIST, captive)
    await page.get_by_role("checkbox", name="Very likely to be reverted").check()
    await expect(page.locator("#status")).to_have_text("Connection lost; trying again.")
    await expect(page.locator("#changes li")).to_have_count(2)
    await page.unroute(LIST)
    await expect(page.locator(".empty")).to_be_visible(timeout=30_000)
    await expect(page.get_by_text("null", exact=True)).to_have_count(0)


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 429, "headers": {"Retry-After": "1"}, "body": "slow down"},
        {"status": 503, "body": "restarting"},
        {"status": 200, "content_type": "text/html", "body": "<h1>Please pay</h1>"},
        {"status": 204, "body": ""},
        None,
    ],
)
async def test_the_events_come_back_whatever_was_answered_meanwhile(
    browser: Browser, address: str, view: WritableView, app: Starlette, answer: dict | None
) -> None:
    await view.write(change(1))
    page = await browser.new_page(locale="en-GB")
    await page.goto(f"{address}/recent-changes")
    await connected(page)

    async def refuse(route: Route) -> None:
        await (route.abort("internetdisconnected") if answer is None else route.fulfill(**answer))

    await page.route(EVENTS, refuse)
    for subscription in tuple(app.state.broadcaster._subscriptions):
        subscription.end()
    await expect(page.locator("#status")).to_have_text("Connection lost; trying again.")
    await view.write(change(2))
    await page.unroute(EVENTS)
    await expect(page.locator("#enwiki\\:2")).to_be_visible(timeout=30_000)
    await page.close()


async def test_a_page_of_another_release_is_loaded_with_its_own_scripts(
    open_page: Open, view: WritableView, app: Starlette
) -> None:
    await view.write(change(1))
    page = await open_page()
    await connected(page)
    await page.evaluate("document.body.dataset.isOld = ''")

    async def upgraded(route: Route) -> None:
        answer = await route.fetch()
        text = re.sub(r"/static/\w+/", "/static/0123abcd/", await answer.text())
        await route.fulfill(response=answer, body=text)

    await page.route(re.compile(r"/recent-changes(\?|$)"), upgraded)
    cut_off(app)
    await expect(page.locator("body[data-is-old]")).to_have_count(0)
    await connected(page)
    await expect(page.locator("#changes li")).to_have_count(1)


async def test_what_was_hidden_of_an_edit_that_waits_is_not_shown_later(
    open_page: Open, view: WritableView
) -> None:
    await view.write(*(change(n, score=0.8) for n in range(1, 5)))
    page = await open_page("order=riskiest&limit=2")
    await connected(page)
    await press(page, "p")
    await view.write(change(9, score=0.99, user="Libel of Eve"))
    waiting = page.get_by_role("button", name="View new changes: 1")
    await expect(waiting).to_be_visible()
    hidden = {"user": None, "user_hidden": True, "content_hidden": True}
    await view.write(change(9, state=State.NOT_SCORABLE, score=None, **hidden))
    await expect(waiting).to_be_hidden()
    await view.write(change(10, score=0.98))
    await expect(waiting).to_be_visible()
    await press(page, "n")
    await expect(page.locator("#enwiki\\:10")).to_be_visible()
    await expect(page.get_by_text("Libel of Eve")).to_have_count(0)


async def test_who_paused_is_still_told_so_after_the_line_was_lost(
    open_page: Open, view: WritableView, app: Starlette
) -> None:
    await view.write(change(1))
    page = await open_page()
    await connected(page)
    await press(page, "p")
    await expect(page.locator("#status")).to_have_text("Paused.")
    for subscription in tuple(app.state.broadcaster._subscriptions):
        subscription.end()
    await expect(page.locator("#status")).to_have_text("Connection lost; trying again.")
    await expect(page.locator("#status")).to_have_text("Paused.", timeout=30_000)


async def test_the_age_of_the_newest_score_is_by_the_servers_clock(
    open_page: Open, view: WritableView
) -> None:
    """The clock of a laptop may be hours off."""
    await view.write(change(1))
    page = await open_page()
    await connected(page)
    told = await page.locator("#lag").text_content()
    await page.clock.install(time=0)
    await page.reload()
    await connected(page)
    await expect(page.locator("#lag")).to_have_text(told or "")


async def test_what_is_hidden_while_its_diff_is_loading_does_not_come_with_it(
    open_page: Open, view: WritableView
) -> None:
    """The answer was made before the edit beside was hidden, and arrives after it."""
    near = {"title": "Page", "page_id": 8}
    await view.write(change(4, user="Libel of Eve", **near), change(5, parent_id=4, **near))
    page = await open_page()
    await connected(page)
    sent, go_on = asyncio.Event(), asyncio.Event()
    is_first = True

    async def late(route: Route) -> None:
        nonlocal is_first
        answer = await route.fetch()
        if is_first:
            is_first = False
            sent.set()
            await go_on.wait()
        await route.fulfill(response=answer)

    await page.route(re.compile(r"/recent-changes/enwiki/5"), late)
    await press(page, "j", "d")
    await sent.wait()
    await view.write(change(4, user=None, user_hidden=True, **near))
    await expect(page.locator("#enwiki\\:4 .history-deleted")).to_be_visible()
    go_on.set()
    await expect(page.locator("#enwiki\\:5 .near-part")).to_be_visible()
    await expect(page.get_by_text("Libel of Eve")).to_have_count(0)


async def test_two_tabs_agree_on_keys_and_on_what_is_handled(
    open_page: Open, view: WritableView
) -> None:
    await view.write(change(1), change(2), change(3))
    one = await open_page()
    await connected(one)
    other = await one.context.new_page()
    await other.goto(one.url)
    await connected(other)
    await press(one, "j", "g")
    await expect(other.locator("#enwiki\\:3.handled")).to_be_visible()
    await press(one, "?")
    await one.get_by_role("button", name="Change: Next change").click()
    await press(one, "x")
    await expect(one.get_by_role("dialog").get_by_role("status")).to_have_text("Saved.")
    await expect(other.locator("#keys kbd").first).to_have_text("x")
    await press(other, "x")
    assert await focused(other) == "enwiki:3"


async def test_who_comes_back_sees_what_is_there_now(open_page: Open, view: WritableView) -> None:
    await view.write(change(1, user="Libel of Eve"), change(2))
    page = await open_page()
    await connected(page)
    await press(page, "j")
    await page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))")
    await view.delete(change(1))
    await view.write(change(3))
    await page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    await expect(page.locator("#enwiki\\:3")).to_be_visible()
    await expect(page.get_by_text("Libel of Eve")).to_have_count(0)
    await view.write(change(4))
    await expect(page.locator("#enwiki\\:4")).to_be_visible()


async def test_the_row_being_read_stays_where_it_is_when_edits_come_above(
    open_page: Open, view: WritableView
) -> None:
    await view.write(*(change(n) for n in range(1, 61)))
    page = await open_page("limit=100", viewport={"width": 1280, "height": 600})
    await connected(page)
    await press(page, *"j" * 40, "d")
    row = page.locator("#enwiki\\:21")
    await expect(row.locator(".panel .actions")).to_be_visible()
    before = await row.bounding_box()
    await view.write(*(change(n) for n in range(100, 110)))
    await expect(page.locator("#enwiki\\:109")).to_be_attached()
    after = await row.bounding_box()
    assert before is not None
    assert after is not None
    assert abs(after["y"] - before["y"]) < 2
