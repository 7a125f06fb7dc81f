import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from revision_quality.views.changes import ChangesView
from tests.views.examples import open_view


@pytest.fixture
async def view(url: str, empty_view: Path) -> AsyncIterator[ChangesView]:
    if url.startswith("sqlite:"):
        shutil.copy(empty_view, url.removeprefix("sqlite:///"))
    async with open_view(url) as opened:
        yield opened
