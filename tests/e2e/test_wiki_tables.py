"""A wiki whose own tables are kept by `revq run`: ORES's, and those of our extension."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from scripts.loopback import free_port

from tests.e2e.service import Service
from tests.e2e.test_extension import EXTENSION
from tests.servers.mediawiki import ADMIN, RealWiki
from tests.views.ores_house import make_ores_tables

pytestmark = pytest.mark.mediawiki


def test_edits_are_posted_scored_and_found_by_both_extensions(
    start_wiki: Any, tmp_path: Path
) -> None:
    port = free_port()
    wiki: RealWiki = start_wiki("tables_wiki")
    wiki.configure(
        f"wfLoadExtension( 'RevisionQuality', '{EXTENSION}/extension.json' );\n"
        f"$wgRevisionQualityServiceUrl = 'http://127.0.0.1:{port}';\n"
    )
    wiki.maintain("update", "--quick")
    make_ores_tables(f"sqlite:///{wiki.database}")
    wiki.edit("Lighthouse", "A tower by the sea, with a lamp. " * 20, user=ADMIN)
    rev_id = wiki.edit("Lighthouse", "POOP POOP POOP lol!!!!!!")

    with Service("run", _settings(tmp_path, wiki, port)) as revq:
        score = revq.dealt_with(rev_id)["score"]
        known = revq.until(lambda: _told(wiki, rev_id).get("state") == "scored" or None)
        assert known
        told = _told(wiki, rev_id)
        assert told["score"] == pytest.approx(score, abs=0.001)
        (kept,) = revq.until(lambda: _ores_scores(wiki, rev_id))
        assert kept == pytest.approx(min(score, 0.999), abs=0.001)

        posted = wiki.edit("Lighthouse", "POOP POOP POOP lol!!!!!! again")
        wiki.run_jobs()
        assert revq.dealt_with(posted)["state"] == "scored"
        revq.until(lambda: _ores_scores(wiki, posted))
        revq.until(lambda: _told(wiki, posted).get("state") == "scored" or None)
        assert revq.stop() == 0
        assert not re.search("warning|error", revq.log), revq.log


def _settings(folder: Path, wiki: RealWiki, port: int) -> Path:
    database = f'database = "sqlite:///{wiki.database}"'
    file = folder / "revq.toml"
    file.write_text(
        f"[web]\nport = {port}\naccepts_events = true\n"
        f'[[wikis]]\napi = "{wiki.api_url}"\ninterval = 0.3\n'
        f"[wikis.ores_tables]\n{database}\n[wikis.mediawiki_tables]\n{database}\n"
    )
    return file


def _told(wiki: RealWiki, rev_id: int) -> dict[str, Any]:
    answer = wiki.get(action="query", prop="revisions", revids=rev_id, rvprop="ids|revisionquality")
    (revision,) = answer["query"]["pages"][0]["revisions"]
    found: dict[str, Any] = revision.get("revisionquality") or {}
    return found


def _ores_scores(wiki: RealWiki, rev_id: int) -> list[float]:
    with closing(sqlite3.connect(wiki.database, timeout=30)) as database:
        rows = database.execute(
            "SELECT oresc_probability FROM ores_classification WHERE oresc_rev = ?", (rev_id,)
        )
        return [float(probability) for (probability,) in rows]
