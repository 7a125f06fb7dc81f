from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from revision_quality.views.changes import ChangesView
from tests.views.examples import open_view


@pytest.fixture
async def view(tmp_path: Path) -> AsyncIterator[ChangesView]:
    async with open_view(tmp_path) as opened:
        yield opened
