"""One change closely: as a page, as JSON, and what it never tells."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import httpx
import pytest
import pytest_asyncio

from revision_quality.errors import WikiUnavailableError
from revision_quality.models.reasons import Reason
from revision_quality.scoring.on_request import AskedWiki
from revision_quality.views.change import State
from revision_quality.web.app import create_app
from revision_quality.web.assets import ASSETS
from revision_quality.web.details import Closer
from revision_quality.web.diffs import Diffs
from revision_quality.web.explanations import Explanations
from revision_quality.wiki.revision import Revision
from revision_quality.wiki.text_diff import diff_rows
from tests.events.examples import page_change
from tests.recent_changes.examples import LEVELS, SITES, change
from tests.scoring.asked import FakeEdits
from tests.scoring.fakes import FakeModel, FakeReader
from tests.web.conftest import WritableView, until
from tests.web.test_recent_changes import HOSTILE, KNOWN_TAGS, Elements

ROWS = diff_rows("The cat sat.", "The dog sat.")


class FakeDiffs:
    """Answers with one diff, or an error, and keeps what was asked."""

    def __init__(self) -> None:
        self.rows: str | WikiUnavailableError | None = ROWS
        self.asked: list[tuple[int, int | None]] = []
        self.held = asyncio.Event()
        self.held.set()

    async def read(self, rev_id: int, parent_id: int | None) -> str | None:
        self.asked.append((rev_id, parent_id))
        await self.held.wait()
        if isinstance(self.rows, WikiUnavailableError):
            raise self.rows
        return self.rows


class Explaining(FakeModel):
    name, version = "revertrisk", "1"

    def explain(self, revision: Revision) -> Sequence[Reason]:
        return (
            Reason("lines_added", 1.0, 0.5, "adds 1 line"),
            Reason("user_edit_count", 900.0, -1.0, "by an editor with 900 edits before"),
        )


@pytest.fixture
def diffs() -> FakeDiffs:
    return FakeDiffs()


def closer(diffs: FakeDiffs) -> Closer:
    edits = FakeEdits(page_change(rev_id=5))
    wikis = {"enwiki": AskedWiki(edits, FakeReader(), diffs)}
    return Closer(Diffs(wikis.get), Explanations(Explaining(), wikis.get))


@pytest_asyncio.fixture(loop_scope="session")
async def client(view: WritableView, diffs: FakeDiffs) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(view, SITES.get, LEVELS, closer=closer(diffs))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


async def test_an_edit_closely(client: httpx.AsyncClient, view: WritableView) -> None:
    await view.write(
        change(4, parent_id=3, score=0.2),
        change(5, parent_id=4, score=0.95),
        change(6, parent_id=5, user="Bob"),
        change(7, page_id=8, title="Elsewhere", score=0.7),
        change(8, page_id=9, wiki_id="hewiki"),
        change(9, page_id=9, user="Bob"),
    )
    html = (await client.get("/recent-changes/enwiki/5")).text
    told = (await client.get("/recent-changes/enwiki/5.json")).json()

    assert '<del class="diffchange">cat</del>' in html
    assert "by an editor with 900 edits before" in html
    assert html.index("900 edits") < html.index("adds 1 line")
    assert "about 9 of 10 of them get reverted" in html
    assert "action=edit&amp;undo=5&amp;undoafter=4" in html
    assert "action=rollback&amp;from=Alice" in html
    assert (told["change"]["key"], told["previous"]["rev_id"], told["next"]["rev_id"]) == (
        "enwiki:5",
        4,
        6,
    )
    assert [other["rev_id"] for other in told["user_changes"]] == [7, 4]
    assert [reason["feature"] for reason in told["explanation"]] == [
        "lines_added",
        "user_edit_count",
    ]
    assert "diff-addedline" in told["diff"]
    assert told["diff_absence"] is None


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        (
            "ru",
            ["добавляет или переписывает 1 строку", "от участника, у которого уже 900 правок",  # noqa: RUF001
             "4,0\xa0% правок; отменяют: около 9 из 10; находит 60\xa0% отменяемого"],
        ),
        (
            "ar",
            ["يضيف أو يعيد كتابة سطرًا واحدًا", "من محرر له 900 تعديل سابق",
             "4.0% من التعديلات؛ المسترجع منها: نحو 9 من كل 10؛ يجد 60% مما يُسترجع"],
        ),
    ],
)  # fmt: skip
async def test_the_reasons_and_the_level_speak_the_readers_language(
    client: httpx.AsyncClient, view: WritableView, lang: str, words: list[str]
) -> None:
    await view.write(change(5, parent_id=4, score=0.95))
    html = (await client.get(f"/recent-changes/enwiki/5?uselang={lang}")).text
    told = (await client.get(f"/recent-changes/enwiki/5.json?uselang={lang}")).json()

    why = html[html.index('class="why-part') : html.index('class="near-part')]
    for text in words:
        assert text in why
    assert 'lang="en"' not in why
    assert [reason["text"] for reason in told["explanation"]] == [
        "adds 1 line",
        "by an editor with 900 edits before",
    ]
    assert "of them get reverted" in told["level"]


@pytest.mark.parametrize(
    ("lang", "shown"),
    [
        ("en", "<bdi>The page is json, not wikitext.</bdi>"),
        ("ru", "<bdi>Страница не в вики-разметке.</bdi>"),
        ("ar", "<bdi>الصفحة ليست نص ويكي.</bdi>"),
    ],
)
async def test_why_there_is_no_score_is_told_in_the_readers_language(
    client: httpx.AsyncClient, view: WritableView, lang: str, shown: str
) -> None:
    message = "The page is json, not wikitext."
    await view.write(
        change(5, state=State.NOT_SCORABLE, score=None, reason="not_wikitext", message=message),
        change(6, state=State.FAILED, score=None, reason="of_another_model", message="It broke."),
    )
    for path in ("/recent-changes", "/recent-changes/enwiki/5"):
        assert shown in (await client.get(path, params={"uselang": lang})).text
    other = (await client.get("/recent-changes", params={"uselang": lang})).text
    assert ("<bdi lang=en>It broke.</bdi>" in other) == (lang != "en")


async def test_a_diff_is_asked_for_once(
    client: httpx.AsyncClient, view: WritableView, diffs: FakeDiffs
) -> None:
    await view.write(change(5, parent_id=4), change(6, parent_id=0), change(7, kind="create"))
    diffs.held.clear()
    both = [asyncio.ensure_future(client.get("/recent-changes/enwiki/5")) for _ in range(2)]
    await until(lambda: bool(diffs.asked))
    diffs.held.set()
    await asyncio.gather(*both)
    for rev_id in (5, 6, 7):
        await client.get(f"/recent-changes/enwiki/{rev_id}")
    assert diffs.asked == [(5, 4), (6, None), (7, 1)]


async def test_a_diff_that_the_wiki_did_not_have_yet_is_asked_for_again(
    client: httpx.AsyncClient, view: WritableView, diffs: FakeDiffs
) -> None:
    """A replica that lags does not know a revision of seconds ago."""
    await view.write(change(5, parent_id=4))
    diffs.rows = None
    assert "The wiki does not show it." in (await client.get("/recent-changes/enwiki/5")).text
    diffs.rows = ROWS
    assert ">cat<" in (await client.get("/recent-changes/enwiki/5")).text
    await client.get("/recent-changes/enwiki/5")
    assert len(diffs.asked) == 2


async def test_what_is_hidden_is_not_told_even_if_it_was_before(
    client: httpx.AsyncClient, view: WritableView, diffs: FakeDiffs
) -> None:
    await view.write(change(4), change(5, parent_id=4, user="Eve"))
    assert ">cat<" in (await client.get("/recent-changes/enwiki/5")).text

    await view.write(change(4, content_hidden=True))
    after_the_parent = await client.get("/recent-changes/enwiki/5")
    await view.write(
        change(4), change(5, parent_id=4, user="Eve", content_hidden=True, user_hidden=True)
    )
    after_itself = await client.get("/recent-changes/enwiki/5")
    for answer in (after_the_parent, after_itself):
        assert ">cat<" not in answer.text
        assert "What the edit changed is hidden." in answer.text
    assert "Eve" not in after_itself.text

    await view.delete(change(5))
    assert (await client.get("/recent-changes/enwiki/5")).status_code == 404


@pytest.mark.parametrize("hidden", [4, 5])
async def test_what_is_hidden_while_the_wiki_is_asked_is_not_told(
    client: httpx.AsyncClient, view: WritableView, diffs: FakeDiffs, hidden: int
) -> None:
    await view.write(change(4, parent_id=3), change(5, parent_id=4))
    diffs.held.clear()
    asking = asyncio.ensure_future(client.get("/recent-changes/enwiki/5.json"))
    await until(lambda: bool(diffs.asked))
    await view.write(change(hidden, parent_id=hidden - 1, content_hidden=True))
    diffs.held.set()
    assert (await asking).json()["diff_absence"] == "hidden"


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (None, ("not_shown", "The wiki does not show it.")),
        ("x" * 2_000_000, ("too_large", "It is too large")),
        ("<div>" * 190_000, ("too_large", "It is too large")),
        ("", (None, "The text stays the same.")),
        (WikiUnavailableError("down"), ("no_answer", "The wiki does not answer")),
    ],
)
async def test_why_there_is_no_diff(
    client: httpx.AsyncClient,
    view: WritableView,
    diffs: FakeDiffs,
    rows: str | WikiUnavailableError | None,
    told: tuple[str | None, str],
) -> None:
    diffs.rows = rows
    absence, words = told
    await view.write(change(5))
    assert (await client.get("/recent-changes/enwiki/5.json")).json()["diff_absence"] == absence
    assert words in (await client.get("/recent-changes/enwiki/5")).text


async def test_wikis_that_cannot_be_asked_and_changes_that_are_not_here(
    client: httpx.AsyncClient, view: WritableView, diffs: FakeDiffs
) -> None:
    await view.write(change(5, wiki_id="hewiki"), change(6, state=State.PENDING, score=None))
    html = (await client.get("/recent-changes/hewiki/5")).text
    assert "This wiki cannot be asked for it from here." in html
    assert "Not scored yet" in (await client.get("/recent-changes/enwiki/6")).text
    for path in ("enwiki/99", "nosuchwiki/5", f"enwiki/{10**30}"):
        assert (await client.get(f"/recent-changes/{path}")).status_code == 404
    assert [rev_id for rev_id, _ in diffs.asked] == [6]


DIFFS = (
    *(
        f'<tr><td class="diff-addedline {text}" data-marker="{text}">{text}</td></tr>{text}'
        for text in HOSTILE
    ),
    "</table></div></main><script src=/evil.js></script>",
    "<tr><td><a href='javascript:alert(1)'>x</a><iframe src=//evil></iframe></td></tr>",
    "<tr><td style='background:url(//evil)'><style>*{}</style><form action=//e><input></td></tr>",
    "<svg><a xlink:href='javascript:alert(1)'><animate onbegin=alert(1)>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
    "<tr><td colspan='9' id=texts class='panel risk'>x</td></tr>",
)
DIFF_TAGS = "table colgroup col tbody tr td div del ins br h2 svg rect thead th"


@pytest.mark.parametrize("rows", DIFFS)
async def test_a_hostile_diff_stays_text(
    client: httpx.AsyncClient, view: WritableView, diffs: FakeDiffs, rows: str
) -> None:
    diffs.rows = rows
    await view.write(change(5))
    html = (await client.get("/recent-changes/enwiki/5")).text
    for tag, attributes in Elements(html).tags:
        assert tag in {*KNOWN_TAGS.split(), *DIFF_TAGS.split()}
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
        if tag == "script":
            assert attributes["src"] == f"{ASSETS}/alone.js"
        assert (attributes.get("href") or "/").startswith(("/", "https://en.example/"))
        if tag == "td":
            assert set(attributes) <= {"class", "colspan", "data-marker"}
            assert set((attributes.get("class") or "diff-").split()) <= {"diff-addedline", "diff-"}
