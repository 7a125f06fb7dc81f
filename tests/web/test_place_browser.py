"""What a patroller has in hand stays theirs, whatever arrives meanwhile: in a real browser."""

import asyncio
import re

import pytest
from playwright.async_api import Browser, Page, Route, expect
from starlette.applications import Starlette

from revision_quality.streams.sqlite import SqliteStreams
from revision_quality.views.change import State
from revision_quality.views.verdicts import GivenVerdicts
from revision_quality.web.app import create_app
from revision_quality.web.verdicts import Verdicts
from tests.recent_changes.examples import LEVELS, SITES, change
from tests.web.browsing import Open, connected, keys
from tests.web.conftest import WritableView
from tests.web.test_details import FakeDiffs, closer
from tests.web.test_patrol_browser import focused, press, streams

__all__ = ["streams"]

pytestmark = pytest.mark.browser

PENDING = {"state": State.PENDING, "score": None}
DETAIL = re.compile(r"/recent-changes/enwiki/\d+")


@pytest.fixture
def diffs() -> FakeDiffs:
    return FakeDiffs()


@pytest.fixture
def app(view: WritableView, streams: SqliteStreams, diffs: FakeDiffs) -> Starlette:
    verdicts = Verdicts(streams, view, GivenVerdicts(view))
    return create_app(view, SITES.get, LEVELS, closer=closer(diffs), routes=verdicts.routes)


async def held_back(page: Page, address: str | re.Pattern[str]) -> asyncio.Event:
    """Let no request to an address go on before the event is set."""
    go_on = asyncio.Event()

    async def wait(route: Route) -> None:
        await go_on.wait()
        await route.continue_()

    await page.route(address, wait)
    return go_on


async def test_who_goes_on_before_the_diff_is_there_is_not_called_back(
    open_page: Open, view: WritableView, diffs: FakeDiffs
) -> None:
    await view.write(*(change(n, parent_id=n - 1) for n in range(1, 5)))
    page = await open_page()
    await connected(page)
    diffs.held.clear()
    await press(page, "j", "d", "j")
    assert await focused(page) == "enwiki:3"
    diffs.held.set()
    await expect(page.locator(".panel .diff")).to_be_visible()
    assert await focused(page) == "enwiki:3"


async def test_a_quick_hand_judges_one_edit_after_the_other(
    open_page: Open, view: WritableView
) -> None:
    await view.write(*(change(n) for n in range(1, 6)))
    page = await open_page()
    await connected(page)
    go_on = await held_back(page, "**/v1/verdicts")
    sent: list[str] = []
    page.on("request", lambda one: sent.append(one.post_data or "") if one.post_data else None)
    await press(page, "j", "g", "g", "f")
    go_on.set()
    await expect(page.locator("#changes .handled")).to_have_count(3)
    assert [re.findall(r'"rev_id":(\d+)', one) for one in sent] == [["5"], ["4"], ["3"]]
    assert await focused(page) == "enwiki:2"


async def test_a_key_that_is_held_down_acts_once(open_page: Open, view: WritableView) -> None:
    await view.write(*(change(n) for n in range(1, 6)))
    page = await open_page()
    await connected(page)
    await press(page, "j")
    for _ in range(4):
        await page.keyboard.down("g")
    await page.keyboard.up("g")
    assert await focused(page) == "enwiki:4"
    await expect(page.locator("#changes .handled")).to_have_count(1)


async def test_a_diff_being_read_stays_when_newer_edits_fill_the_page(
    open_page: Open, view: WritableView
) -> None:
    await view.write(*(change(n, parent_id=n - 1) for n in range(1, 6)))
    page = await open_page("limit=3")
    await connected(page)
    await press(page, "j", "j", "j", "d")
    await expect(page.locator("#enwiki\\:3 .diff")).to_be_visible()
    await view.write(*(change(n) for n in range(10, 16)))
    await expect(page.locator("#enwiki\\:15")).to_be_visible()
    await expect(page.locator("#enwiki\\:3 .diff")).to_be_visible()
    assert await focused(page) == "enwiki:3"


async def test_older_changes_follow_the_last_row_that_is_shown(
    open_page: Open, view: WritableView
) -> None:
    await view.write(*(change(n) for n in range(1, 4)))
    page = await open_page("limit=3")
    await connected(page)
    await view.write(*(change(n) for n in range(10, 14)))
    await expect(page.locator("#enwiki\\:13")).to_be_visible()
    shown = await keys(page)
    await page.get_by_role("link", name="Older changes").click()
    await expect(page).to_have_url(re.compile("before="))
    await connected(page)
    shown += await keys(page)
    assert shown == [f"enwiki:{n}" for n in (13, 12, 11, 10, 3, 2)]


async def test_a_score_that_moves_a_row_takes_its_diff_and_the_focus_along(
    open_page: Open, view: WritableView
) -> None:
    await view.write(change(1, **PENDING), change(2, score=0.5), change(3, score=0.4))
    page = await open_page("order=riskiest")
    await connected(page)
    await press(page, "j", "j", "j", "d")
    await expect(page.locator("#enwiki\\:1 .diff")).to_be_visible()
    await view.write(change(1, score=0.95))
    await expect(page.locator("#changes li").first).to_have_id("enwiki:1")
    await expect(page.locator("#enwiki\\:1 .diff")).to_be_visible()
    assert await focused(page) == "enwiki:1"


async def test_the_focus_within_a_panel_outlives_its_row(
    open_page: Open, view: WritableView
) -> None:
    await view.write(change(1, **PENDING), change(2))
    page = await open_page()
    await connected(page)
    await press(page, "j", "j", "d")
    fine = page.locator("#enwiki\\:1 .panel").get_by_role("button", name="fine")
    await fine.focus()
    await view.write(change(1, score=0.95))
    await expect(page.locator("#enwiki\\:1 a.risk").first).to_contain_text("0.95")
    await expect(fine).to_be_focused()


async def test_the_focus_stays_in_the_list_when_what_waited_is_shown(
    open_page: Open, view: WritableView
) -> None:
    await view.write(change(1))
    page = await open_page()
    await connected(page)
    await press(page, "p")
    await view.write(change(2))
    button = page.get_by_role("button", name="View new changes: 1")
    await button.focus()
    await press(page, "Enter")
    await expect(page.locator("#changes li")).to_have_count(2)
    assert await focused(page) == "enwiki:2"


async def test_a_page_that_loads_itself_anew_keeps_the_place(
    open_page: Open, view: WritableView, app: Starlette
) -> None:
    await view.write(*(change(n) for n in range(1, 4)))
    page = await open_page()
    await connected(page)
    await press(page, "j", "j", "d")
    await expect(page.locator("#enwiki\\:2 .panel .diff")).to_be_visible()
    for subscription in tuple(app.state.broadcaster._subscriptions):
        subscription.offer(())
    await view.write(change(4))
    await expect(page.locator("#enwiki\\:4")).to_be_visible()
    await expect(page.locator("#enwiki\\:2 .panel .diff")).to_be_visible()
    assert await focused(page) == "enwiki:2"


async def test_a_server_that_is_away_does_not_take_the_page_along(
    browser: Browser, address: str, view: WritableView
) -> None:
    await view.write(change(1, score=0.95), change(2))
    page = await browser.new_page(locale="en-GB")
    await page.goto(f"{address}/recent-changes")
    await connected(page)
    away = re.compile(r"/recent-changes\?.*revertrisk=")
    await page.route(away, lambda route: route.fulfill(status=503, body="down"))
    await page.get_by_role("checkbox", name="Very likely to be reverted").check()
    await expect(page.locator("#status")).to_have_text("Connection lost; trying again.")
    await expect(page.locator("#changes li")).to_have_count(2)
    await page.unroute(away)
    await expect(page.locator("#changes li")).to_have_count(1, timeout=30_000)
    await page.close()


async def test_keys_open_the_groups_that_they_come_to(open_page: Open, view: WritableView) -> None:
    await view.write(change(1), change(2), change(3, title="Elsewhere", page_id=9))
    page = await open_page("enhanced=1")
    await connected(page)
    await press(page, "j")
    assert await focused(page) == "enwiki:3"
    await press(page, "j")
    assert await focused(page) == "enwiki:2"
    await press(page, "j")
    assert await focused(page) == "enwiki:1"


async def test_of_a_deleted_page_nothing_stays_in_its_group(
    open_page: Open, view: WritableView
) -> None:
    libel = [change(n, title="Eve is a thief", page_id=9) for n in (1, 2)]
    await view.write(*libel, change(3))
    page = await open_page("enhanced=1")
    await connected(page)
    await expect(page.get_by_text("Eve is a thief (2 changes)")).to_be_visible()
    await view.delete(libel[0])
    await view.delete(libel[1])
    await expect(page.locator("#changes li[id]")).to_have_count(1)
    await expect(page.get_by_text("Eve is a thief")).to_have_count(0)


async def test_a_queue_that_is_worked_off_fills_again(open_page: Open, view: WritableView) -> None:
    await view.write(*(change(n) for n in range(1, 5)))
    page = await open_page("order=riskiest&limit=2")
    await connected(page)
    await press(page, "j", "g", "g")
    await view.write(change(4, verdicts=1), change(3, verdicts=1))
    await expect(page.locator("#enwiki\\:1")).to_be_visible()
    assert await keys(page) == ["enwiki:2", "enwiki:1"]


async def test_links_to_the_wiki_do_not_wait_for_the_diff(
    open_page: Open, view: WritableView, diffs: FakeDiffs
) -> None:
    await view.write(change(5, parent_id=4))
    page = await open_page()
    await connected(page)
    await page.evaluate("window.open = (url) => { document.title = url }")
    diffs.held.clear()
    await press(page, "j", "o")
    await expect(page).to_have_title(re.compile("diff=5"))
    await press(page, "h")
    await expect(page).to_have_title(re.compile("action=history"))
    diffs.held.set()


async def test_two_tabs_remember_together_what_is_handled(
    open_page: Open, view: WritableView
) -> None:
    await view.write(*(change(n) for n in range(1, 4)))
    one = await open_page()
    await connected(one)
    other = await one.context.new_page()
    await other.goto(one.url)
    await connected(other)
    await press(one, "j", "g")
    await expect(one.locator("#changes .handled")).to_have_count(1)
    await press(other, "j", "j", "g")
    await expect(other.locator("#enwiki\\:2")).to_have_class(re.compile("handled"))
    await one.reload()
    await expect(one.locator("#changes .handled")).to_have_count(2)
