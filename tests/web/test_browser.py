"""The page in a real browser."""

import asyncio
import re

import pytest
from playwright.async_api import Page, expect
from starlette.applications import Starlette

from revision_quality.views.change import State
from revision_quality.web import changes_feed
from revision_quality.web.app import create_app
from revision_quality.web.interface import languages
from tests.recent_changes.examples import LEVELS, SITES, change
from tests.web.browsing import Open, connected, keys
from tests.web.conftest import Serve, WritableView
from tests.web.test_details import FakeDiffs, closer

pytestmark = pytest.mark.browser

PENDING = change(3, state=State.PENDING, score=None, title="Pending page")
RISKY = change(2, score=0.95, title="Risky page")
HEBREW = change(1, wiki_id="hewiki", title="C++ (שפת תכנות)", user="דנה", score=0.05)


async def test_new_edits_appear_in_their_place(open_page: Open, view: WritableView) -> None:
    await view.write(change(10), change(30))
    page = await open_page()
    await connected(page)

    await view.write(change(40, timestamp=1_700_100_000))
    await view.write(change(20))
    await expect(page.locator("#changes li")).to_have_count(4)

    assert await keys(page) == ["enwiki:40", "enwiki:30", "enwiki:20", "enwiki:10"]
    await expect(page.locator("#changes h2")).to_have_text(["16 November 2023", "14 November 2023"])
    await expect(page.locator("#status")).to_have_text("New changes: 2.")
    await expect(page.locator("#summary")).to_contain_text("4 edits: 4 scored")


async def test_a_score_comes_in_place_and_the_focus_stays(
    open_page: Open, view: WritableView
) -> None:
    await view.write(PENDING)
    page = await open_page()
    await connected(page)
    await page.locator("#changes a", has_text="hist").focus()

    await view.write(change(3, score=0.97, title="Pending page"))
    await expect(page.locator("#changes .risk")).to_have_text("0.97 Very likely")
    await expect(page.locator("#changes a", has_text="hist")).to_be_focused()


async def test_deleted_edits_disappear(open_page: Open, view: WritableView) -> None:
    await view.write(change(1), change(2, timestamp=1_700_100_000))
    page = await open_page()
    await connected(page)

    await view.delete(change(2))
    await expect(page.locator("#changes li")).to_have_count(1)
    await expect(page.locator("#changes h2")).to_have_count(1)


async def test_an_edit_that_gets_its_score_leaves_the_page_of_those_without(
    open_page: Open, view: WritableView
) -> None:
    await view.write(PENDING)
    page = await open_page("state=pending")
    await connected(page)
    await view.write(change(3))
    await expect(page.locator("#changes li")).to_have_count(0)


async def test_the_page_keeps_its_length_and_its_end(open_page: Open, view: WritableView) -> None:
    await view.write(*(change(n) for n in range(10, 15)))
    page = await open_page("limit=3")
    await connected(page)

    await view.write(change(5))
    await view.write(change(20))
    await expect(page.locator("#changes li").first).to_have_attribute("id", "enwiki:20")
    assert await keys(page) == ["enwiki:20", "enwiki:14", "enwiki:13"]
    await expect(page.locator("#status")).to_have_text("New changes: 1.")


async def test_with_live_updates_off_new_edits_wait(open_page: Open, view: WritableView) -> None:
    await view.write(change(1), change(2))
    page = await open_page()
    await connected(page)
    await page.get_by_role("switch", name="Live updates").uncheck()

    await view.write(change(3), change(4))
    await view.delete(change(1))
    await view.delete(change(4))
    held = page.get_by_role("button", name="View new changes: 1")
    await expect(held).to_be_visible()
    assert await keys(page) == ["enwiki:2"]
    await held.click()
    assert await keys(page) == ["enwiki:3", "enwiki:2"]
    await expect(held).to_be_hidden()


async def test_filters_apply_at_once(open_page: Open, view: WritableView) -> None:
    await view.write(PENDING, RISKY, HEBREW)
    page = await open_page()
    await connected(page)

    await page.get_by_role("checkbox", name="Very likely to be reverted").check()
    await expect(page.locator("#changes li")).to_have_count(1)
    await expect(page).to_have_url(re.compile(r"/recent-changes\?revertrisk=verylikelybad$"))
    await view.write(change(8, score=0.91), change(9, score=0.2))
    await expect(page.locator("#changes li")).to_have_count(2)
    assert await keys(page) == ["enwiki:8", "enwiki:2"]

    await page.get_by_role("link", name="Remove filter").click()
    await expect(page.locator("#changes li")).to_have_count(5)


async def test_the_page_works_without_javascript(open_page: Open, view: WritableView) -> None:
    await view.write(PENDING, RISKY, HEBREW)
    page = await open_page(java_script_enabled=False)
    await expect(page.locator("#changes li")).to_have_count(3)
    await expect(page.locator(".live")).to_be_hidden()

    await page.get_by_role("checkbox", name="Very likely to be reverted").check()
    await page.get_by_text("More filters").click()
    await page.get_by_role("checkbox", name="Unregistered Editors").check()
    await page.get_by_role("checkbox", name="Experienced users At").check()
    await page.get_by_role("button", name="Show").click()
    await expect(page.locator("#changes li")).to_have_count(1)
    await expect(page.locator(".chosen")).to_have_count(3)

    await page.get_by_role("link", name="Clear all").click()
    await expect(page.locator("#changes li")).to_have_count(3)


async def test_times_are_the_readers_own(open_page: Open, view: WritableView) -> None:
    await view.write(change(1, timestamp=1_700_000_000))
    page = await open_page(timezone_id="Asia/Tokyo")
    await expect(page.locator("#zone")).to_have_text("Asia/Tokyo")
    await expect(page.locator("#changes time")).to_have_text("07:13")
    await expect(page.locator("#changes h2")).to_have_text("15 November 2023")


async def test_a_wiki_from_right_to_left_keeps_its_direction(
    open_page: Open, view: WritableView
) -> None:
    await view.write(RISKY, HEBREW)
    page = await open_page()
    title = page.get_by_role("link", name=HEBREW.title)
    direction = "link => getComputedStyle(link.parentElement).direction"
    assert await title.evaluate(direction) == "rtl"
    assert await page.get_by_role("link", name="Risky page").evaluate(direction) == "ltr"


async def test_an_interface_from_right_to_left_is_mirrored(
    open_page: Open, view: WritableView, serve: Serve
) -> None:
    await view.write(RISKY, HEBREW)
    app = create_app(view, SITES.get, LEVELS, closer=closer(FakeDiffs()))
    async with serve(app) as address:
        page = await open_page("uselang=he", at=address)
        await expect(page.locator("#status")).to_have_text("מעודכן.")
        risk = await page.locator("#changes .risk").first.bounding_box()
        text = await page.locator("#changes li > div").first.bounding_box()
        assert risk is not None
        assert text is not None
        assert risk["x"] > text["x"] + text["width"]

        # What comes later is in Hebrew too, though the browser asks for English.
        await view.write(change(5, parent_id=4, score=0.95))
        row = page.locator("#enwiki\\:5")
        await expect(row.locator("a.risk")).to_contain_text("סביר מאוד")
        await row.locator("a.risk").click()
        await expect(row.locator(".bars li").first).to_have_text("מאת מי שערך לפני כן 900 עריכות")
        await page.context.close()


@pytest.mark.parametrize("query", ["", "revertrisk=maybebad&wiki=nosuchwiki&limit=x"])
async def test_a_narrow_screen_needs_no_sideways_scrolling(
    open_page: Open, view: WritableView, query: str
) -> None:
    long = change(7, title="Donaudampfschifffahrtsgesellschaft" * 5, comment="x" * 400)
    await view.write(RISKY, HEBREW, PENDING, long)
    page = await open_page(query, viewport={"width": 360, "height": 740})
    await page.get_by_text("More filters").click()
    assert await page.evaluate("document.documentElement.scrollWidth") <= 360


TEXT_SPACING = """
* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important }
"""
"""WCAG 2.2, 1.4.12: what a reader may set, and nothing gets lost."""

RUN_INTO = """
() => [...document.querySelectorAll("#changes li > .risk")].filter((risk) => {
  const text = document.createRange();
  text.selectNodeContents(risk);
  const [own, next] = [text, risk.nextElementSibling].map((part) => part.getBoundingClientRect());
  return document.dir === "rtl" ? own.left < next.right : own.right > next.left;
}).map((risk) => risk.textContent)
"""


@pytest.mark.parametrize("spacing", ["/**/", TEXT_SPACING])
async def test_levels_and_states_do_not_run_into_the_edit_in_any_language(
    open_page: Open, view: WritableView, spacing: str
) -> None:
    scores = enumerate((0.01, 0.2, 0.4, 0.7, 0.97), start=1)
    without = (State.PENDING, State.NOT_SCORABLE, State.FAILED)
    await view.write(
        *(change(n, score=score) for n, score in scores),
        *(change(n, state=state, score=None) for n, state in enumerate(without, start=10)),
    )
    page = await open_page(bypass_csp=True)
    for lang in languages():
        await page.goto(f"{page.url.partition('?')[0]}?uselang={lang}")
        await page.add_style_tag(content=spacing)
        assert await page.evaluate(RUN_INTO) == []


async def test_dark_as_the_reader_prefers(open_page: Open, view: WritableView) -> None:
    await view.write(RISKY)
    colours = [await _colours(await open_page(color_scheme=scheme)) for scheme in ("light", "dark")]
    (light_back, light_text), (dark_back, dark_text) = colours
    assert (light_back > 0.8, light_text < 0.2) == (True, True)
    assert (dark_back < 0.1, dark_text > 0.7) == (True, True)


async def _colours(page: Page) -> tuple[float, float]:
    return await _luminance(page, "backgroundColor"), await _luminance(page, "color")


async def _luminance(page: Page, name: str) -> float:
    colour = await page.evaluate(f"getComputedStyle(document.body).{name}")
    red, green, blue = (int(part) / 255 for part in re.findall(r"\d+", colour)[:3])
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


CONTRAST = """
() => {
  const channel = (value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  };
  const luminance = ([red, green, blue]) =>
    0.2126 * channel(red) + 0.7152 * channel(green) + 0.0722 * channel(blue);
  const parts = (colour) => {
    const [red, green, blue, ...rest] = (colour.match(/[\\d.]+/g) || []).map(Number);
    const most = colour.startsWith("color(srgb") ? 255 : 1;
    return [red * most, green * most, blue * most, ...rest];
  };
  const background = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = parts(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const poor = [];
  for (const element of document.querySelectorAll("main *")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!own || element.closest("option, select") || !element.offsetParent) continue;
    const one = luminance(parts(getComputedStyle(element).color));
    const other = luminance(background(element));
    const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    if (ratio < 4.5) poor.push(`${element.outerHTML.slice(0, 80)} ${ratio.toFixed(2)}`);
  }
  return poor;
}
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_texts_have_the_contrast_of_wcag_aa(
    open_page: Open, view: WritableView, scheme: str
) -> None:
    scored = [change(30 + n, score=n / 10, size=100 + n, parent_size=105) for n in range(1, 10)]
    hidden = change(
        20, user=None, user_hidden=True, comment=None, comment_hidden=True, content_hidden=True
    )
    await view.write(*scored, RISKY, HEBREW, PENDING, hidden, change(21, tags=("mobile edit",)))
    await view.write(change(22, score=0.95, tags=("a",), comment="/* A */ [[b]]", size=1))
    page = await open_page("limit=x&wiki=enwiki;hewiki", color_scheme=scheme)
    await page.get_by_text("More filters").click()
    await page.emulate_media(reduced_motion="reduce")
    assert await page.evaluate(CONTRAST) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("marks", [*({n} for n in range(1, 6)), {1, 2, 4, 5}, {1, 2, 3, 4, 5}])
async def test_highlighted_rows_have_the_contrast_of_wcag_aa(
    open_page: Open, view: WritableView, scheme: str, marks: set[int]
) -> None:
    filters = ("userExpLevel__experienced", "hidehumans", "hidemajor", "hidepageedits")
    names = [f"{name}_color=c{n}" for n, name in enumerate((*filters, "hideunreverted"), 1)]
    shown = [change(n, score=n / 10, size=98 + n) for n in range(1, 6)]
    hidden = change(20, user=None, user_hidden=True, comment=None, comment_hidden=True)
    tagged = change(22, score=0.95, tags=("a",), comment="/* A */ [[b]]", size=1)
    await view.write(*shown, hidden, tagged, change(23, wiki_id="hewiki"))
    page = await open_page("&".join(names[n - 1] for n in marks), color_scheme=scheme)
    await expect(page.locator("#enwiki\\:22 .dot")).to_have_count(len(marks))
    assert await page.evaluate(CONTRAST) == []


async def test_a_row_opens_to_its_diff_and_its_reasons(
    open_page: Open, view: WritableView, serve: Serve
) -> None:
    await view.write(change(4, parent_id=3, score=0.2), change(5, parent_id=4, score=0.95))
    app = create_app(view, SITES.get, LEVELS, closer=closer(FakeDiffs()))
    async with serve(app) as address:
        page = await open_page(at=address)
        await connected(page)
        row = page.locator("#enwiki\\:5")
        await row.get_by_role("link", name="0.95 Very likely").click()
        await expect(row.locator(".diff del")).to_have_text("cat")
        await expect(row.locator(".diff ins")).to_have_text("dog")
        await expect(row.locator(".bars li")).to_have_count(2)
        await expect(row.locator("a.risk").first).to_have_attribute("aria-expanded", "true")
        left, right = [await row.locator(f".diff {tag}").bounding_box() for tag in ("del", "ins")]
        assert left is not None
        assert right is not None
        assert left["x"] + 200 < right["x"]

        await view.write(change(5, parent_id=4, score=0.97))
        await expect(row.locator("a.risk").first).to_contain_text("0.97")
        await expect(row.locator(".diff del")).to_have_text("cat")
        await page.set_viewport_size({"width": 360, "height": 740})
        above, below = [await row.locator(f".diff {tag}").bounding_box() for tag in ("del", "ins")]
        assert above is not None
        assert below is not None
        assert above["y"] < below["y"]
        assert await page.evaluate("document.documentElement.scrollWidth") <= 360

        await view.write(change(5, parent_id=4, content_hidden=True))
        await expect(row.locator(".panel")).to_have_count(0)
        await page.context.close()


async def test_one_change_without_javascript(
    open_page: Open, view: WritableView, serve: Serve
) -> None:
    await view.write(change(5, parent_id=4, score=0.95))
    app = create_app(view, SITES.get, LEVELS, closer=closer(FakeDiffs()))
    async with serve(app) as address:
        page = await open_page(at=address, java_script_enabled=False)
        await page.get_by_role("link", name="0.95 Very likely").click()
        await expect(page.locator(".diff del")).to_have_text("cat")
        await (
            page.get_by_role("navigation", name="Pages")
            .get_by_role("link", name="Recent changes")
            .click()
        )
        await expect(page.locator("#changes li")).to_have_count(1)
        await page.context.close()


async def test_levels_differ_by_shape_and_text(open_page: Open, view: WritableView) -> None:
    await view.write(*(change(n, score=score) for n, score in enumerate((0.01, 0.4, 0.7, 0.95), 1)))
    page = await open_page()
    shapes = await page.eval_on_selector_all(
        "#changes .risk",
        """marks => marks.map((mark) => {
          const style = getComputedStyle(mark, "::before");
          return [style.clipPath, style.rotate, style.borderRadius].join();
        })""",
    )
    texts = await page.locator("#changes .risk").all_inner_texts()
    assert len(set(shapes)) == 4
    assert texts == ["0.95 Very likely", "0.70 Likely", "0.40 Maybe", "0.01 Good"]


async def test_the_page_comes_back_after_the_server_was_away(
    open_page: Open, view: WritableView, app: Starlette
) -> None:
    await view.write(change(1))
    page = await open_page()
    await connected(page)

    for subscription in tuple(app.state.broadcaster._subscriptions):
        subscription.end()
    await expect(page.locator("#status")).to_have_text("Connection lost; trying again.")
    await view.write(change(2))
    await asyncio.sleep(0)
    await expect(page.locator("#changes li")).to_have_count(2, timeout=30_000)


ALIVE = """
new Promise((heard) => {
  const source = new EventSource("/recent-changes/events");
  source.addEventListener("alive", () => heard(source.close()));
})
"""


@pytest.mark.parametrize(("keep_alive", "times"), [(0.02, 1), (600, 2)])
async def test_a_connection_that_has_fallen_silent_is_made_anew(
    open_page: Open,
    view: WritableView,
    monkeypatch: pytest.MonkeyPatch,
    keep_alive: float,
    times: int,
) -> None:
    monkeypatch.setattr(changes_feed, "KEEP_ALIVE_SECONDS", keep_alive)
    await view.write(change(1))
    page = await open_page()
    await page.clock.install()
    asked: list[str] = []
    page.on("request", lambda sent: asked.append(sent.url) if "&since=" in sent.url else None)
    await page.goto(f"{page.url}?limit=9")
    await connected(page)
    for _ in range(2):
        if times == 1:
            await page.evaluate(ALIVE)
        await page.clock.fast_forward(30_000)
    await connected(page)
    assert len(asked) == times


async def test_the_levels_of_the_chosen_wiki_are_described(
    open_page: Open, view: WritableView
) -> None:
    await view.write(RISKY, HEBREW)
    page = await open_page()
    await page.get_by_text("More filters").click()
    await expect(page.locator(".risks")).not_to_contain_text("Not available for this wiki")
    await page.get_by_role("checkbox", name="עברית").check()
    await expect(page.locator(".risks")).to_contain_text("Not available for this wiki")
