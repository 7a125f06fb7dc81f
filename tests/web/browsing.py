"""What tests look for in the open page."""

from collections.abc import Awaitable, Callable

from playwright.async_api import Page, expect

Open = Callable[..., Awaitable[Page]]
"""Opens the page with a query string; `at` is another server, further options are the context's."""


def keys(page: Page) -> Awaitable[list[str]]:
    found: Awaitable[list[str]] = page.eval_on_selector_all(
        "#changes li", "rows => rows.map(row => row.id)"
    )
    return found


async def connected(page: Page) -> None:
    await expect(page.locator("#status")).to_have_text("Up to date.")
