"""`revq init` writes a file that `revq run` reads, whatever the wiki calls itself."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from revision_quality.cli import init as module
from revision_quality.cli.init import init, toml
from revision_quality.errors import SettingsError
from revision_quality.settings import Settings, Wiki, load_settings
from revision_quality.wiki.siteinfo import SiteInfo
from tests.sources.wiki import INFO, SITE

API = "https://wiki.example/w/api.php"


def written(path: Path, api: str = API, name: str = "Wiki", file: str = "revq.toml") -> Settings:
    info = SiteInfo(site=replace(SITE, name=name), generator="MediaWiki 1.39.17")
    path.write_text(toml(api, info, file), encoding="utf-8")
    return load_settings(path)


def test_the_file_says_what_holds_anyway(tmp_path):
    path = tmp_path / "revq.toml"

    expected = Settings(wikis=(Wiki(api=API),), data_folder=str(tmp_path / "revq-data"), model={})
    assert written(path) == expected


def test_each_commented_setting_is_a_default(tmp_path):
    """Without its #, every setting reads as what holds without it."""
    path = tmp_path / "revq.toml"
    defaults = written(path)
    text = path.read_text()
    for line in text.splitlines():
        if not line.startswith("# ") or " = " not in line:
            continue
        path.write_text(text.replace(line, line.removeprefix("# ")))
        changed = load_settings(path)
        if "REVQ_TOKEN" in line:
            assert changed.wikis[0].access_token_env == "REVQ_TOKEN"
        elif "model.npz" in line:
            assert changed.model == {"file": str(tmp_path / "model.npz")}
        else:
            assert changed.streams_file == defaults.streams_file
            assert changed.changes_url == defaults.changes_url
            assert (changed.web, changed.wikis) == (defaults.web, defaults.wikis)
            assert changed.streams.keep_days == defaults.streams.keep_days
            assert changed.changes_view.keep_days == defaults.changes_view.keep_days


@pytest.mark.parametrize(
    "name",
    [
        'A "quoted" name',
        "two\nlines\r\n[[wikis]]\napi = 'x'",
        "$api ${file} $",
        "bell \x07 delete \x7f null \x00",
        "separator \u2028 next \x85 line",
        "עברית ויקי 💩",
        "",
    ],
)
def test_a_hostile_name_stays_in_its_comment(tmp_path, name):
    assert written(tmp_path / "revq.toml", name=name).wikis == (Wiki(api=API),)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.text(), file=st.text())
def test_any_name_stays_in_its_comment(tmp_path, name, file):
    assert written(tmp_path / "revq.toml", name=name, file=file).wikis == (Wiki(api=API),)


@pytest.mark.parametrize(
    "api", ["https://x.example/?a=\"b\"&c='d'\\", "https://вики.example/w", "https://💩.example/"]
)
def test_an_address_is_read_as_it_was_given(tmp_path, api):
    assert written(tmp_path / "revq.toml", api=api).wikis == (Wiki(api=api),)


def test_the_wiki_is_asked_and_the_file_written(tmp_path, monkeypatch, capsys):
    out = tmp_path / "my.toml"
    monkeypatch.setattr(module, "_ask", answer)

    init(API, out)

    assert load_settings(out).wikis == (Wiki(api=API),)
    assert f"revq run {out}" in capsys.readouterr().out


async def answer(url: str) -> SiteInfo:
    assert url == API
    return INFO


def test_a_file_that_is_there_is_kept_unless_forced(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_ask", answer)
    out = tmp_path / "revq.toml"
    out.write_text("mine")

    with pytest.raises(SettingsError, match=r"revq\.toml is there already: .*--force"):
        init(API, out)
    assert out.read_text() == "mine"

    init(API, out, force=True)
    assert tomllib.loads(out.read_text())["wikis"] == [{"api": API}]


def test_a_place_that_cannot_be_written_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_ask", answer)

    with pytest.raises(SettingsError, match=r"no/revq\.toml cannot be written \(No such file"):
        init(API, tmp_path / "no/revq.toml")


def test_what_is_no_address_is_told_before_anything_is_asked(tmp_path):
    with pytest.raises(SettingsError, match="'wiki' is no web address"):
        init("wiki", tmp_path / "revq.toml")
