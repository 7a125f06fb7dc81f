from collections.abc import AsyncIterator

import pytest

from revision_quality.views.changes import ChangesView
from tests.views.examples import open_view


@pytest.fixture
async def view(url: str) -> AsyncIterator[ChangesView]:
    async with open_view(url) as opened:
        yield opened
