"""Diffs of a real MediaWiki, read and made safe."""

import httpx
import pytest

from revision_quality.recent_changes.diff_html import clean_diff
from revision_quality.wiki.client import ActionApi
from revision_quality.wiki.diff import CompareReader
from tests.servers.mediawiki import RealWiki

pytestmark = pytest.mark.mediawiki


async def test_a_real_wiki_shows_what_an_edit_changed(mediawiki: RealWiki) -> None:
    first = mediawiki.edit("Diff", "Hello <script>alert(1)</script> world\n\nEnd")
    second = mediawiki.edit("Diff", "Hello <b>small</b> world\n\nEnd")
    third = mediawiki.edit("Diff", "Hello <b>small</b> secret world\n\nEnd")
    fourth = mediawiki.edit("Diff", "Hello again")
    mediawiki.hide_revision(third)
    async with httpx.AsyncClient(timeout=60) as client:
        reader = CompareReader(ActionApi(mediawiki.api_url, client))
        changed = clean_diff(await reader.read(second, first) or "")
        created = clean_diff(await reader.read(first, 0) or "")
        relative = clean_diff(await reader.read(second, None) or "")
        hidden = await reader.read(third, second), await reader.read(fourth, third)
        missing = await reader.read(10**9, first)

    assert changed is not None
    assert changed.count("diff-addedline") == 1
    assert "&lt;" in changed
    assert "<script" not in changed
    assert "small" in changed
    assert created is not None
    assert "diff-addedline" in created
    assert "diff-deletedline" not in created
    assert relative == changed
    assert hidden == (None, None)
    assert missing is None
