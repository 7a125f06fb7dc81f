"""A patrol by keyboard alone, and what WCAG asks of the page, in a real browser."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, expect
from starlette.applications import Starlette

from revision_quality.events.streams import VERDICT
from revision_quality.streams.sqlite import SqliteStreams
from revision_quality.views.change import State
from revision_quality.views.verdicts import GivenVerdicts
from revision_quality.web.app import create_app
from revision_quality.web.verdicts import Verdicts
from tests.recent_changes.examples import LEVELS, SITES, change
from tests.web.browsing import Open, connected
from tests.web.conftest import WritableView
from tests.web.test_details import FakeDiffs, closer

pytestmark = pytest.mark.browser

NOTE_WINDOWS = "window.open = (url) => { document.body.dataset.opened += url + ' '; }"
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RULES = {"td-has-header": {"enabled": True}}
"""Off by default."""


@pytest_asyncio.fixture(loop_scope="session")
async def streams(tmp_path: Path) -> AsyncIterator[SqliteStreams]:
    async with SqliteStreams(tmp_path / "streams.sqlite") as streams:
        yield streams


@pytest.fixture
def app(view: WritableView, streams: SqliteStreams) -> Starlette:
    verdicts = Verdicts(streams, view, GivenVerdicts(view))
    return create_app(view, SITES.get, LEVELS, closer=closer(FakeDiffs()), routes=verdicts.routes)


async def focused(page: Page) -> str:
    found: str = await page.evaluate("document.activeElement.id")
    return found


async def press(page: Page, *names: str) -> None:
    for name in names:
        await page.keyboard.press(name)


async def test_a_patrol_by_keyboard_alone(
    open_page: Open,
    view: WritableView,
    streams: SqliteStreams,
) -> None:
    await view.write(*(change(n, parent_id=n - 1, score=n / 10) for n in range(1, 6)))
    page = await open_page()
    await connected(page)
    await page.evaluate(NOTE_WINDOWS)

    await press(page, "j", "j")
    assert await focused(page) == "enwiki:4"
    await press(page, "k", "d")
    row = page.locator("#enwiki\\:5")
    await expect(row.locator(".diff del")).to_have_text("cat")
    assert await focused(page) == "enwiki:5"
    await press(page, "u", "h", "r", "o")
    opened = (
        "undo=5&undoafter=4",
        "action=history",
        "action=rollback&from=Alice",
        r"\?diff=5",
    )
    for part in opened:
        await expect(page.locator("body")).to_have_attribute("data-opened", re.compile(part))

    await press(page, "Escape")
    await expect(row.locator(".panel")).to_have_count(0)
    await press(page, "f")
    await expect(page.locator("#outcome")).to_have_text("Reported as a false positive.")
    await expect(row).to_have_class(re.compile("handled"))
    await expect(row).to_have_attribute("aria-description", "dealt with")
    assert await focused(page) == "enwiki:4"
    await press(page, "g")
    await expect(page.locator("#outcome")).to_have_text("Marked as fine.")
    records = await streams.read(VERDICT, 0, 9)
    assert [b"false_positive" in record.value for record in records] == [True, False]

    await press(page, "/")
    assert await page.evaluate("document.activeElement.closest('form') !== null")
    await press(page, "j")
    assert await focused(page) == "enwiki:3"
    await page.reload()
    await connected(page)
    await expect(row).to_have_class(re.compile("handled"))
    await expect(row).to_have_attribute("aria-description", "dealt with")


async def test_keys_are_the_readers_own(open_page: Open, view: WritableView) -> None:
    await view.write(change(1), change(2))
    page = await open_page()
    await connected(page)

    await press(page, "?")
    dialog = page.get_by_role("dialog", name="Keyboard")
    await expect(dialog).to_be_visible()
    await dialog.get_by_role("button", name="Change: Next change").click()
    await press(page, "k")
    await expect(dialog.get_by_role("status")).to_have_text("k is taken by “Previous change”.")
    await dialog.get_by_role("button", name="Change: Next change").click()
    await press(page, "x", "?")
    await expect(dialog).to_be_hidden()

    await page.reload()
    await connected(page)
    await press(page, "j")
    assert await focused(page) == ""
    await press(page, "x")
    assert await focused(page) == "enwiki:2"


async def test_keys_do_nothing_while_typing(open_page: Open, view: WritableView) -> None:
    await view.write(change(1), change(2))
    page = await open_page("wiki=other")
    await connected(page)
    await page.get_by_text("More filters").click()
    field = page.get_by_label("Other wikis")
    await field.press("End")
    await field.press("j")
    await expect(field).to_have_value("otherj")
    assert await page.evaluate("document.activeElement.tagName") == "INPUT"


async def test_the_focus_is_not_lost_with_its_row(open_page: Open, view: WritableView) -> None:
    await view.write(change(1), change(2), change(3))
    page = await open_page()
    await connected(page)
    await press(page, "j", "j")
    await view.delete(change(2))
    await expect(page.locator("#changes li[id]")).to_have_count(2)
    assert await focused(page) == "enwiki:1"
    await view.write(change(1, score=0.9))
    await expect(page.locator("#enwiki\\:1 .risk")).to_contain_text("0.90")
    assert await focused(page) == "enwiki:1"


@pytest.mark.parametrize("options", [{"color_scheme": "light"}, {"color_scheme": "dark"}])
async def test_axe_finds_nothing_against_wcag_aa(
    open_page: Open,
    view: WritableView,
    options: dict[str, Any],
) -> None:
    levels = [change(10 + n, score=n / 10, tags=("x",)) for n in range(10)]
    pending = change(30, state=State.PENDING, score=None)
    hidden = change(31, user=None, user_hidden=True, comment_hidden=True, content_hidden=True)
    await view.write(*levels, change(1, wiki_id="hewiki", user="דנה"), pending, hidden)
    page = await open_page(
        "limit=x&revertrisk=likelybad;verylikelybad&wiki=enwiki;hewiki", **options
    )
    await connected(page)
    await page.get_by_text("More filters").click()
    await press(page, "j", "d")
    await expect(page.locator(".panel .diff")).to_be_visible()
    await page.emulate_media(reduced_motion="reduce")
    assert await violations(page) == []
    await press(page, "?")
    assert await violations(page) == []
    await page.goto(page.url.partition("?")[0] + "/enwiki/19")
    assert await violations(page) == []


async def violations(page: Page, context: dict[str, Any] | None = None) -> list[str]:
    """Return what axe finds in the page, or in those of its parts that `context` names."""
    options = {"runOnly": {"type": "tag", "values": WCAG}, "rules": RULES}
    results = await Axe().run(page, context, options)
    return [
        f"{found['id']}: {node['html'][:150]}"
        for found in results.response["violations"]
        for node in found["nodes"]
    ]


async def test_what_is_hidden_of_the_edit_before_leaves_an_open_diff(
    open_page: Open, view: WritableView
) -> None:
    await view.write(change(4, parent_id=3), change(5, parent_id=4))
    page = await open_page()
    await connected(page)
    await press(page, "j", "d")
    row = page.locator("#enwiki\\:5")
    await expect(row.locator(".diff del")).to_have_text("cat")
    await view.write(change(4, parent_id=3, content_hidden=True))
    await expect(row.locator(".diff")).to_have_count(0)
    await expect(row.locator(".diff-part")).to_contain_text("hidden")


async def test_what_is_hidden_leaves_the_page_of_one_change(
    open_page: Open, view: WritableView
) -> None:
    await view.write(change(4, parent_id=3), change(5, parent_id=4))
    listed = await open_page()
    # A page of its own, for the browser complains of what is gone.
    page = await listed.context.new_page()
    await page.goto(listed.url.partition("?")[0] + "/enwiki/5")
    await expect(page.locator(".diff del")).to_have_text("cat")
    await view.write(change(4, parent_id=3, content_hidden=True))
    await expect(page.locator(".diff")).to_have_count(0)
    await expect(page.locator(".diff-part")).to_contain_text("hidden")
    await expect(page.locator(".one")).to_contain_text("Main Page")
    await view.write(change(5, parent_id=4, deleted=True))
    await expect(page.locator("body")).not_to_contain_text("Main Page")


async def test_a_keyboard_of_another_script_has_the_same_keys(
    open_page: Open, view: WritableView
) -> None:
    await view.write(change(1), change(2))
    page = await open_page()
    await connected(page)
    await page.evaluate(
        "dispatchEvent(new KeyboardEvent('keydown', { key: 'ח', code: 'KeyJ', cancelable: true }))"
    )
    assert await focused(page) == "enwiki:2"


async def test_the_switch_shows_its_state_in_the_systems_own_colours(
    open_page: Open, view: WritableView
) -> None:
    await view.write(change(1))
    page = await open_page(forced_colors="active")
    await connected(page)
    switch = page.locator("#live")
    await page.mouse.move(0, 0)
    on = await switch.screenshot()
    await press(page, "p")
    assert await switch.screenshot() != on
    marks = await page.locator("#changes .risk").evaluate_all(
        "all => all.map(one => getComputedStyle(one, '::before').forcedColorAdjust)"
    )
    assert marks == ["none"]
