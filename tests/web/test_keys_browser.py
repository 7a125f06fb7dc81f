"""Keys on all kinds of keyboards, set by all kinds of hands, in a real browser."""

import json

import pytest
from playwright.async_api import Page, expect

from tests.recent_changes.examples import change
from tests.web.browsing import Open, connected
from tests.web.conftest import WritableView
from tests.web.test_patrol_browser import focused, press

pytestmark = pytest.mark.browser

NO_KEY = "\N{EN DASH}"


async def strike(page: Page, **key: object) -> None:
    """Send a key as a keyboard does that the driver cannot be."""
    await page.evaluate(
        """(key) => document.activeElement.dispatchEvent(
          new KeyboardEvent("keydown", { bubbles: true, cancelable: true, ...key }))""",
        key,
    )


async def opened(open_page: Open, view: WritableView, kept: object = None) -> Page:
    await view.write(change(1), change(2))
    page = await open_page()
    await connected(page)
    if kept is not None:
        await page.evaluate("kept => localStorage.setItem('revq-keys', kept)", json.dumps(kept))
        await page.reload()
        await connected(page)
    return page


@pytest.mark.parametrize(
    ("key", "moves"),
    [
        ({"key": "j"}, True),
        ({"key": "J", "modifierCapsLock": True}, True),
        ({"key": "J", "shiftKey": True}, False),
        ({"key": "j", "shiftKey": True, "modifierCapsLock": True}, False),
        ({"key": "\N{CYRILLIC CAPITAL LETTER O}", "code": "KeyJ", "modifierCapsLock": True}, True),
        ({"key": "j", "ctrlKey": True}, False),
        ({"key": "j", "metaKey": True}, False),
        ({"key": "j", "altKey": True}, False),
        ({"key": "j", "isComposing": True}, False),
        ({"key": "Process", "code": "KeyJ"}, False),
        ({"key": "Dead", "code": "KeyJ"}, False),
        ({"key": "Unidentified", "code": "KeyJ"}, False),
    ],
)
async def test_which_key_goes_to_the_next_change(
    open_page: Open, view: WritableView, key: dict[str, object], moves: bool
) -> None:
    page = await opened(open_page, view)
    await strike(page, **key)
    assert (await focused(page) == "enwiki:2") is moves


@pytest.mark.parametrize("key", [{"key": "؟", "shiftKey": True}, {"key": "?", "shiftKey": True}])
async def test_the_help_opens_on_an_arabic_keyboard(
    open_page: Open, view: WritableView, key: dict[str, object]
) -> None:
    page = await opened(open_page, view)
    await strike(page, code="Slash", **key)
    await expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible()


async def test_only_what_can_be_struck_again_is_taken_as_a_key(
    open_page: Open, view: WritableView
) -> None:
    page = await opened(open_page, view)
    await press(page, "?")
    dialog = page.get_by_role("dialog", name="Keyboard")
    await dialog.get_by_role("button", name="Change: Next change").click()
    await expect(dialog.get_by_role("status")).to_have_text("Press a key… Backspace: no key.")
    for name in ("AltGraph", "Dead", "CapsLock", "NumLock", "Process", "Unidentified", "Shift"):
        await strike(page, key=name)
    await strike(page, key="r", ctrlKey=True)
    await strike(page, key="@", altKey=True)
    await strike(page, key="Q", modifierCapsLock=True)
    await expect(dialog.locator("kbd").first).to_have_text("q")
    await press(page, "?")
    await press(page, "q")
    assert await focused(page) == "enwiki:2"


async def test_a_key_that_is_taken_away_does_nothing(open_page: Open, view: WritableView) -> None:
    page = await opened(open_page, view)
    await press(page, "?")
    dialog = page.get_by_role("dialog", name="Keyboard")
    await dialog.get_by_role("button", name="Change: Next change").click()
    await press(page, "Backspace")
    await expect(dialog.locator("kbd").first).to_have_text(NO_KEY)
    await press(page, "?", "j")
    assert await focused(page) == ""


async def test_one_key_does_one_thing(open_page: Open, view: WritableView) -> None:
    """Kept by hand, or by a release that had other keys."""
    page = await opened(open_page, view, {"fine": "k", "wrong": "k", "toString": "j", "next": 7})
    shown = await page.locator("#keys kbd").all_text_contents()
    assert shown[:2] == ["j", NO_KEY]
    assert shown[7:9] == ["k", NO_KEY]
    await press(page, "j")
    assert await focused(page) == "enwiki:2"


async def test_enter_stays_that_of_links_and_buttons(open_page: Open, view: WritableView) -> None:
    page = await opened(open_page, view, {"release": "Enter", "diff": " "})
    await page.get_by_role("button", name="Keyboard").focus()
    await press(page, "Enter")
    await expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible()


async def test_escape_leads_out_of_the_filters_and_leaves_the_diff_open(
    open_page: Open, view: WritableView
) -> None:
    page = await opened(open_page, view)
    await press(page, "j", "d")
    row = page.locator("#enwiki\\:2")
    await expect(row.locator(".panel .actions")).to_be_visible()
    await press(page, "/", "Escape")
    assert await focused(page) == "enwiki:2"
    await expect(row.locator(".panel")).to_be_visible()
    await press(page, "Escape")
    await expect(row.locator(".panel")).to_have_count(0)
    assert await focused(page) == "enwiki:2"


async def test_every_button_has_a_name_of_its_own(open_page: Open, view: WritableView) -> None:
    page = await opened(open_page, view)
    await press(page, "j", "d", "?")
    names = await page.locator("#keys button").evaluate_all(
        "all => all.map(one => one.ariaLabel || one.textContent)"
    )
    assert len(set(names)) == len(names) == 16
