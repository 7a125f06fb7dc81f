"""Changes grouped by page: their days, their highlights, their wikis."""

import pytest
from msgspec.structs import replace
from playwright.async_api import Locator, expect

from revision_quality.web.app import create_app
from tests.recent_changes.examples import LEVELS, SITES, change
from tests.web.browsing import Open, connected
from tests.web.conftest import Serve, WritableView
from tests.web.test_browser import CONTRAST
from tests.web.test_patrol_browser import violations

pytestmark = pytest.mark.browser

EVENING = 1_700_000_000
"""14 November 2023, 22:13 UTC."""


TIMES = (EVENING, EVENING + 3600, EVENING + 7200, EVENING + 36_000)


async def days_of(rows: Locator) -> tuple[list[list[str]], list[list[str]]]:
    """Return the days under whose headings rows are, and those in the zone of the device."""
    headings = "rows => rows.map(row => [row.closest('section').dataset.day, row.id])"
    own = "rows => rows.map(row => [new Intl.DateTimeFormat('sv', {dateStyle: 'short'})"
    own += ".format(new Date(row.querySelector('time').dateTime)), row.id])"
    return await rows.evaluate_all(headings), await rows.evaluate_all(own)


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/Los_Angeles", "Pacific/Kiritimati"])
async def test_the_days_of_groups_are_the_readers_own(
    open_page: Open, view: WritableView, zone: str
) -> None:
    await view.write(*(change(n, timestamp=time) for n, time in enumerate(TIMES, start=1)))
    page = await open_page("enhanced=1", timezone_id=zone)
    await connected(page)

    rows = page.locator("#changes li[id]")
    await expect(page.locator("#zone")).to_have_text(zone)
    await expect(rows).to_have_count(4)
    headings, own = await days_of(rows)
    assert headings == own


async def test_the_days_stay_the_readers_when_one_wiki_is_chosen(
    open_page: Open, view: WritableView, serve: Serve
) -> None:
    sites = {**SITES, "hewiki": replace(SITES["hewiki"], zone="America/New_York")}
    await view.write(
        *(change(n, timestamp=time, wiki_id="hewiki") for n, time in enumerate(TIMES, start=1)),
        change(9),
    )
    async with serve(create_app(view, sites.get, LEVELS)) as server:
        page = await open_page("enhanced=1", at=server, timezone_id="Asia/Tokyo")
        await connected(page)
        await page.get_by_text("More filters").click()
        await page.locator("[name=wiki][value=hewiki]").check()
        rows = page.locator("#changes li[id]")
        await expect(rows).to_have_count(4)
        await expect(page.locator("#zone")).to_have_text("Asia/Tokyo")
        headings, own = await days_of(rows)
        assert headings == own


async def test_a_group_has_the_highlights_of_its_changes(
    open_page: Open, view: WritableView
) -> None:
    alike = [change(n, score=0.95) for n in (1, 2)]
    unlike = [
        change(3, title="Mixed", page_id=3, score=0.95),
        change(4, title="Mixed", page_id=3, score=0.1, is_bot=True),
    ]
    plain = [change(n, title="Plain", page_id=5, score=0.1) for n in (5, 6)]
    await view.write(*alike, *unlike, *plain)
    page = await open_page(
        "enhanced=1&damaging__verylikelybad_color=c5&automated__hidebots_color=c1"
    )
    await connected(page)

    for title, classes, dots, told in (
        ("Main Page", "group c5", 1, "Highlighted: Very likely to be reverted"),
        ("Mixed", "group mixed", 2, "Highlighted: Bot, Very likely to be reverted"),
        ("Plain", "group", 0, None),
    ):
        group = page.locator("li.group").filter(has=page.locator("summary", has_text=title))
        await expect(group).to_have_class(classes)
        await expect(group.locator("summary .dot")).to_have_count(dots)
        summary = group.locator("summary")
        assert await summary.get_attribute("title") == told


async def test_a_group_names_its_wiki_on_a_page_of_several(
    open_page: Open, view: WritableView
) -> None:
    await view.write(*(change(n, wiki_id=wiki) for wiki in ("enwiki", "hewiki") for n in (1, 2)))
    page = await open_page("enhanced=1")
    await connected(page)

    wikis = page.locator("li.group summary .wiki")
    assert sorted(await wikis.all_inner_texts()) == ["enwiki", "hewiki"]


async def test_a_group_counts_the_changes_that_are_left(
    open_page: Open, view: WritableView
) -> None:
    rows = [change(n, title="404 (of 9)") for n in (1, 2, 3)]
    await view.write(*rows)
    page = await open_page("enhanced=1")
    await connected(page)
    await page.get_by_text("404 (of 9) (3 changes)").click()
    await view.delete(rows[1])

    await expect(page.locator("summary", has_text="404 (of 9) (2 changes)")).to_be_visible()


async def test_an_open_group_stays_open_when_new_changes_are_shown(
    open_page: Open, view: WritableView
) -> None:
    rows = [change(n, title=title) for n, title in enumerate("AABBCC", start=1)]
    await view.write(*rows)
    page = await open_page("enhanced=1")
    await connected(page)
    await page.get_by_text("B (2 changes)").click()
    await view.write(change(7, title="C"), change(8, title="B"), change(9, title="C"))
    await page.get_by_role("button", name="View new changes: 3").click()

    await expect(page.locator("summary", has_text="B (3 changes)")).to_be_visible()
    await expect(page.locator("#enwiki\\:8")).to_be_visible()
    await expect(page.locator("#enwiki\\:1")).to_be_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_highlighted_groups_can_be_read_by_everybody(
    open_page: Open, view: WritableView, scheme: str
) -> None:
    rows = [
        change(10 * n + place, title=f"T{n}", page_id=n, score=score, is_bot=is_bot, wiki_id=wiki)
        for n, (score, wiki) in enumerate(((0.95, "enwiki"), (0.7, "hewiki"), (0.1, "enwiki")))
        for place, is_bot in enumerate((True, True, n == 2))
    ]
    await view.write(*rows)
    colours = "damaging__verylikelybad_color=c5&damaging__maybebad_color=c3&namespace__0_color=c2"
    page = await open_page(
        f"enhanced=1&{colours}&automated__hidebots_color=c1", color_scheme=scheme
    )
    await connected(page)
    for summary in await page.locator("li.group summary").all():
        await summary.click()
    await page.emulate_media(reduced_motion="reduce")

    assert await page.evaluate(CONTRAST) == []
    assert await violations(page) == []
