import asyncio
import shutil
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
import uvicorn
from msgspec.structs import replace
from playwright.async_api import Browser, Page, async_playwright, expect
from sqlalchemy import Connection, bindparam, delete, func, insert, select
from starlette.applications import Starlette

from revision_quality.views import change_tags, change_writes
from revision_quality.views.change import Change
from revision_quality.views.changes import ChangesView, note_facets
from revision_quality.views.database import Database
from revision_quality.views.tables import change_counts, changes, progress
from revision_quality.views.tables import change_tags as tagged
from revision_quality.web.app import create_app
from revision_quality.web.server import Server
from tests.recent_changes.examples import LEVELS, SITES
from tests.recent_changes.test_query import values
from tests.web.browsing import Open


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the tests of this folder in one event loop, so that they share one browser."""
    for item in items:
        if Path(__file__).parent in item.path.parents and pytest_asyncio.is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


PATIENCE_MILLISECONDS = 60_000
"""How long a page is waited for, its wiki busy too; Playwright's own five seconds are too few."""


async def until(holds: Callable[[], bool], seconds: float = 60) -> None:
    """Wait for something to hold. Raises TimeoutError."""
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110 (what is waited for rings no bell)
            await asyncio.sleep(0.01)


_DELETE = delete(changes).where(
    changes.c.wiki_id == bindparam("wiki"), changes.c.rev_id == bindparam("rev")
)

_FORGET_TAGS = delete(tagged).where(tagged.c.rev_id == bindparam("its_rev"))

_COLUMNS = changes.c.keys()
_COUNTED = ["wiki_id", "state", "number"]
_COUNT = (
    select(changes.c.wiki_id, changes.c.state, func.count())
    .where(changes.c.deleted.is_(False))
    .group_by(changes.c.wiki_id, changes.c.state)
)


class WritableView(ChangesView):
    """The real view, into which a test writes rows without events."""

    async def write(self, *rows: Change) -> None:
        """Write rows, new or again, as one transaction."""
        seq = max(await self.last_seq(), 0)
        numbered = [replace(row, seq=seq + n) for n, row in enumerate(rows, start=1)]

        def save(connection: Connection) -> None:
            connection.execute(_DELETE, [{"wiki": row.wiki_id, "rev": row.rev_id} for row in rows])
            stored = [values(row) for row in numbered]
            connection.execute(insert(changes), stored)
            connection.execute(_FORGET_TAGS, [{"its_rev": row.rev_id} for row in rows])
            change_tags.keep_in_step(connection, numbered, {})
            note_facets(connection, [tuple(row[name] for name in _COLUMNS) for row in stored])
            edits = [(row.wiki_id, row.rev_id) for row in numbered]
            change_writes.note(connection, edits, numbered[-1].seq)
            connection.execute(delete(progress).where(progress.c.name == "seq"))
            connection.execute(insert(progress).values(name="seq", value=numbered[-1].seq))
            connection.execute(delete(change_counts))
            connection.execute(insert(change_counts).from_select(_COUNTED, _COUNT))

        await self.database.write(save)
        self.bell.ring()

    async def delete(self, row: Change) -> None:
        """Leave of a row what a deletion leaves."""
        await self.write(Change(wiki_id=row.wiki_id, rev_id=row.rev_id, seq=0, deleted=True))

    async def break_down(self) -> None:
        """Make every further call fail."""
        await self.database.write(changes.drop)
        await self.database.write(progress.drop)
        await self.database.write(change_counts.drop)


@pytest_asyncio.fixture(loop_scope="session")
async def view(tmp_path: Path, empty_view: Path) -> AsyncIterator[WritableView]:
    file = shutil.copy(empty_view, tmp_path / "views.sqlite")
    view = WritableView(Database(f"sqlite:///{file}"))
    yield view
    await view.close()


@pytest.fixture
def app(view: WritableView) -> Starlette:
    return create_app(view, SITES.get, LEVELS)


@pytest_asyncio.fixture(loop_scope="session")
async def client(app: Starlette) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


Serve = Callable[[Starlette], AbstractAsyncContextManager[str]]


@pytest.fixture
def serve() -> Serve:
    """Serve an application by uvicorn on loopback; gives its address."""
    return _serve


@asynccontextmanager
async def _serve(app: Starlette) -> AsyncIterator[str]:
    listening = socket.create_server(("127.0.0.1", 0))
    # Another's application has no open streams to end.
    end = app.state.broadcaster.close if hasattr(app.state, "broadcaster") else bool
    server = Server(uvicorn.Config(app, log_level="critical", lifespan="off"), end)
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    await until(lambda: server.started)
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        await asyncio.wait_for(serving, 60)


@pytest_asyncio.fixture(loop_scope="session")
async def address(app: Starlette) -> AsyncIterator[str]:
    async with _serve(app) as address:
        yield address


CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--no-first-run",
]


@pytest.fixture(scope="session")
def chromium() -> Path:
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is missing: apt-get install --no-install-recommends chromium")
    return CHROMIUM


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(chromium: Path) -> AsyncIterator[Browser]:
    expect.set_options(timeout=PATIENCE_MILLISECONDS)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def open_page(browser: Browser, address: str) -> AsyncIterator[Open]:
    """Open a page; afterwards, it must have asked nobody else and said no error."""
    complaints: list[str] = []

    async def open_page(query: str = "", at: str = address, **options: Any) -> Page:
        context = await browser.new_context(**{"timezone_id": "UTC", "locale": "en-GB", **options})
        page = await context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text))
        page.on(
            "request", lambda sent: None if sent.url.startswith(at) else complaints.append(sent.url)
        )
        await page.goto(f"{at}/recent-changes?{query}")
        return page

    yield open_page
    for context in browser.contexts:
        await context.close()
    assert complaints == []
