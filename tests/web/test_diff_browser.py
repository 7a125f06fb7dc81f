"""Diffs as wikis send them, on wide and on narrow screens, in a real browser."""

import pytest
from playwright.async_api import Page, expect
from starlette.applications import Starlette

from revision_quality.web.app import create_app
from tests.recent_changes.examples import LEVELS, SITES, change
from tests.web.browsing import Open, connected
from tests.web.conftest import WritableView
from tests.web.test_details import FakeDiffs, closer
from tests.web.test_patrol_browser import press

pytestmark = pytest.mark.browser

REMOVED = (
    '<tr><td class="diff-marker" data-marker="\N{MINUS SIGN}"></td>'
    '<td class="diff-deletedline diff-side-deleted"><div>Taken away.</div></td>'
    '<td colspan="2" class="diff-empty diff-side-added"></td></tr>'
)
ADDED = (
    '<tr><td colspan="2" class="diff-empty diff-side-deleted"></td>'
    '<td class="diff-marker" data-marker="+"></td>'
    '<td class="diff-addedline diff-side-added"><div>Put in.</div></td></tr>'
)
MARKS = """
(row) => [...row.querySelectorAll(".diff td")]
  .filter((cell) => cell.checkVisibility())
  .map((cell) => getComputedStyle(cell, "::before").content)
  .filter((mark) => mark !== "none")
"""


@pytest.fixture
def diffs() -> FakeDiffs:
    return FakeDiffs()


@pytest.fixture
def app(view: WritableView, diffs: FakeDiffs) -> Starlette:
    return create_app(view, SITES.get, LEVELS, closer=closer(diffs))


async def opened(open_page: Open, view: WritableView, **options: object) -> Page:
    await view.write(change(5, parent_id=4))
    page = await open_page(**options)
    await connected(page)
    await press(page, "j", "d")
    await expect(page.locator("#enwiki\\:5 .diff-part")).to_be_visible()
    return page


@pytest.mark.parametrize("width", [1280, 320])
@pytest.mark.parametrize("colours", ["none", "active"])
async def test_what_was_taken_away_and_put_in_differ_by_more_than_colour(
    open_page: Open, view: WritableView, diffs: FakeDiffs, width: int, colours: str
) -> None:
    diffs.rows = REMOVED + ADDED
    size = {"width": width, "height": 600}
    page = await opened(open_page, view, viewport=size, forced_colors=colours)
    marks = await page.locator("#enwiki\\:5").evaluate(MARKS)
    assert [mark.strip('"\N{NO-BREAK SPACE}') for mark in marks] == ["\N{MINUS SIGN}", "+"]
    assert await page.evaluate("document.documentElement.scrollWidth") <= width


async def test_a_diff_stays_within_its_panel(
    open_page: Open, view: WritableView, diffs: FakeDiffs
) -> None:
    """Whatever it closes, names or asks for; the fixture complains of any request elsewhere."""
    diffs.rows = (
        f"{REMOVED}</tbody></table></div></section></div></li></ul>"
        "<style>body { display: none }</style><img src='//evil.example/x.png' onerror='alert(1)'>"
        "<div id='outcome' class='panel' style='position: fixed; inset: 0'>Evil</div>"
        "<li id='enwiki:9'>Evil</li><base href='//evil.example/'><meta http-equiv='refresh'>"
    )
    page = await opened(open_page, view)
    panel = page.locator("#enwiki\\:5 .diff-part")
    assert await page.get_by_text("Evil").count() == await panel.get_by_text("Evil").count()
    assert await page.locator("#outcome").count() == 1
    assert await page.locator("#changes li[id]").count() == 1
    assert await panel.locator("img, style, base, meta, [style], [id]").count() == 0


async def test_the_keys_fit_on_a_phone(open_page: Open, view: WritableView) -> None:
    page = await opened(open_page, view, viewport={"width": 320, "height": 500})
    await press(page, "?")
    dialog = page.get_by_role("dialog", name="Keyboard")
    await expect(dialog).to_be_visible()
    assert await dialog.evaluate("all => all.scrollWidth <= all.clientWidth")
    heights = await dialog.locator("td button").evaluate_all(
        "all => all.map(one => one.getBoundingClientRect().height)"
    )
    assert max(heights) < 40
