"""`revq doctor`, as it is typed, on a real MediaWiki with ORES's tables."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from revision_quality.cli.diagnosis import Finding, Section, as_text
from revision_quality.cli.main import app
from revision_quality.errors import SettingsError
from revision_quality.models.revert_risk import RevertRisk
from tests.servers.mediawiki import RealWiki
from tests.views.ores_house import RISK, make_ores_tables


@pytest.fixture
def settings(tmp_path: Path, mediawiki: RealWiki) -> Path:
    file = tmp_path / "revq.toml"
    url = f"sqlite:///{mediawiki._folder}/data/{mediawiki.wiki_id}.sqlite"
    file.write_text(
        f"[[wikis]]\napi = {json.dumps(mediawiki.api_url)}\n"
        f"[wikis.ores_tables]\ndatabase = {json.dumps(url)}\nprefix = 'doctored'\n"
    )
    return file


@pytest.mark.mediawiki
def test_it_tells_what_lacks_and_then_that_all_is_well(settings, mediawiki):
    before = CliRunner().invoke(app, ["doctor", str(settings)])
    url = f"sqlite:///{mediawiki._folder}/data/{mediawiki.wiki_id}.sqlite"
    make_ores_tables(url, "doctored")
    prefixed = CliRunner().invoke(app, ["doctor", str(settings)])
    settings.write_text(settings.read_text().replace("'doctored'", "''"))
    make_ores_tables(url)
    after = CliRunner().invoke(app, ["doctor", str(settings)])

    assert (before.exit_code, prefixed.exit_code, after.exit_code) == (1, 1, 0)
    assert f"({mediawiki.wiki_id}), MediaWiki 1." in before.output
    assert "WRONG  INSERT doctoredores_classification: " in before.output
    assert "no such table: doctoredores_classification" in before.output
    assert "ok     INSERT doctoredores_classification" in prefixed.output
    assert "WRONG  SELECT doctoredarchive: " in prefixed.output
    assert "WRONG" not in after.output
    version = RevertRisk.load().version
    assert f"$wgOresModelVersions['models']['{RISK}'] = [ 'version' => '{version}' ];" in (
        after.output
    )
    assert f"$wgOresFiltersThresholds['{RISK}']['revertrisk'] = [ 'min' => 0." in after.output


@pytest.mark.mediawiki
def test_a_database_that_cannot_be_opened_is_told(settings):
    text = settings.read_text()
    settings.write_text(text.replace(".sqlite", ".absent"))
    absent = CliRunner().invoke(app, ["doctor", str(settings)])
    settings.write_text(text.replace("sqlite:///", "oracle://"))
    other = CliRunner().invoke(app, ["doctor", str(settings)])

    assert absent.exit_code == other.exit_code == 1
    assert "WRONG  database: " in absent.output
    assert "unable to open database file" in absent.output
    assert "WRONG  database: " in other.output
    assert "the URL cannot be used" in other.output


@pytest.mark.mediawiki
def test_a_key_that_is_none_is_told(settings):
    settings.write_text(settings.read_text().replace("prefix", "prefx"))

    done = CliRunner().invoke(app, ["doctor", str(settings)])

    assert isinstance(done.exception, SettingsError)
    assert "did you mean prefix?" in str(done.exception)


def test_a_wiki_that_does_not_answer_is_told(tmp_path: Path):
    file = tmp_path / "revq.toml"
    file.write_text("[[wikis]]\napi = 'http://127.0.0.1:1/w/api.php'\n")

    done = CliRunner().invoke(app, ["doctor", str(file)])

    assert done.exit_code == 1
    assert "WRONG  its API: " in done.output


def test_a_section_is_told_line_by_line():
    section = Section("Place", [Finding("this"), Finding("that", "is broken: mend it")], "Copy me")

    assert as_text(section) == (
        "Place\n  ok     this\n  WRONG  that: is broken: mend it\n\nCopy me\n"
    )
    assert not section.is_well
