"""The documentation builds without a dead link, and its reference is what the code says."""

import os
import re
import subprocess
import sys
from html import unescape
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import pytest

from revision_quality import web
from revision_quality.cli.metrics import METRICS
from revision_quality.cli.verbs import VERBS
from revision_quality.settings import SECTIONS

PROJECT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def site(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("docs")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", folder],
        cwd=PROJECT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def words(site: Path, page: str) -> str:
    html = (site / f"reference/{page}.html").read_text()
    return unescape(re.sub(r"<[^>]+>", "", html))


def test_every_setting_is_told_with_its_block(site):
    told = words(site, "settings")

    for key, kind in SECTIONS.items():
        assert (f"[{key}]" if key else "The file") in told
        for name in kind.__struct_fields__:
            assert name in told
    assert "integer, 1 to 36500" in told


def test_every_verb_is_told_with_its_options(site):
    told = words(site, "verbs")

    assert all(f"revq {name}" in told for name in VERBS)
    assert {"--role", "--speed", "--reason", "--json"} <= set(re.findall(r"--\w+", told))


def test_every_metric_is_told(site):
    told = words(site, "metrics")

    assert all(one.name in told and one.text in told for one in METRICS)


def test_every_call_of_a_running_service_is_told(site):
    told = words(site, "urls")
    # What the service's modules have, not the table that the page is made from.
    found = [import_module(f"{web.__name__}.{name}") for _, name, _ in iter_modules(web.__path__)]
    operations = [one for module in found for one in getattr(module, "OPERATIONS", ())]

    assert len(operations) > 10
    for one in operations:
        assert re.sub(r"\{(\w+):\w+\}", r"{\1}", one.path) in told
        assert one.summary in told


def test_every_stream_and_field_is_told(site):
    told = words(site, "events")

    for word in (
        "mediawiki.page_change.v1",
        "revision_quality.pause.v1",
        "predicted_classification",
        "rev_parent_id",
        "is_paused",
    ):
        assert word in told


def test_every_page_of_docs_is_built(site):
    pages = {file.stem for file in (PROJECT / "docs").glob("*.md")}

    assert pages <= {file.stem for file in site.glob("*.html")}
