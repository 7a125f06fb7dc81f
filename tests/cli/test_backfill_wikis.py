"""`revq backfill --since` on a real wiki: its past is brought once, into a folder that is made."""

import json

import pytest
from typer.testing import CliRunner

from revision_quality.cli.main import app
from tests.servers.mediawiki import ADMIN, RealWiki


@pytest.mark.mediawiki
def test_the_past_is_brought_once(mediawiki: RealWiki, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "revq.toml").write_text(f"[[wikis]]\napi = {json.dumps(mediawiki.api_url)}\n")
    mediawiki.edit("Of the past", "Some words.", user=ADMIN)

    first, again = (CliRunner().invoke(app, ["backfill", "--since", "1d"]) for _ in range(2))

    assert (first.exit_code, again.exit_code) == (0, 0), first.output
    assert f"{mediawiki.wiki_id}: " in first.output
    assert " 0 of them new" not in first.output
    assert " 0 of them new" in again.output
    assert (tmp_path / "revq-data" / "streams.sqlite").exists()


@pytest.mark.mediawiki
def test_a_wiki_that_is_not_configured_is_told(mediawiki: RealWiki, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "revq.toml").write_text(f"[[wikis]]\napi = {json.dumps(mediawiki.api_url)}\n")

    found = CliRunner().invoke(app, ["backfill", "--since", "1d", "--wiki", "otherwiki"])

    assert found.exit_code == 1
    assert "no configured wiki is otherwiki" in str(found.exception)
