"""The TOML file: what is wrong is told with the file, the key and what was expected."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from revision_quality.errors import SettingsError
from revision_quality.settings import (
    ChangesView,
    Settings,
    Streams,
    Web,
    Wiki,
    check_api_url,
    check_settings,
    load_settings,
    sqlite_file,
)

API = "https://wiki.example/w/api.php"
WIKI = f'[[wikis]]\napi = "{API}"\n'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "revq.toml"


def load(path: Path, text: str) -> Settings:
    path.write_text(text, encoding="utf-8")
    return load_settings(path)


def test_one_wiki_is_enough(path):
    settings = load(path, WIKI)

    assert settings.wikis == (Wiki(api=API),)
    assert settings.data == path.parent / "revq-data"
    assert settings.streams_file == path.parent / "revq-data/streams.sqlite"
    assert settings.changes_url == f"sqlite:///{path.parent}/revq-data/changes.sqlite"
    assert (settings.web, settings.model) == (Web(), {})
    check_settings(settings)


def test_everything_can_be_said(path):
    settings = load(
        path,
        f"""
        data_folder = "/var/lib/revq"
        [[wikis]]
        api = "{API}"
        access_token_env = "TOKEN"
        interval = 10
        overlap = 120.5
        slots = 4
        [web]
        host = "::1"
        port = 0
        [model]
        file = "/models/m.npz"
        [streams]
        url = "sqlite:////data/s.sqlite"
        keep_days = 7
        [changes_view]
        url = "mysql+asyncmy://u:p@host/db"
        keep_days = 30
        """,
    )

    assert settings == Settings(
        wikis=(Wiki(api=API, access_token_env="TOKEN", interval=10, overlap=120.5, slots=4),),
        data_folder="/var/lib/revq",
        web=Web(host="::1", port=0),
        model={"file": "/models/m.npz"},
        streams=Streams(url="sqlite:////data/s.sqlite", keep_days=7),
        changes_view=ChangesView(url="mysql+asyncmy://u:p@host/db", keep_days=30),
    )


def test_relative_paths_start_at_the_files_folder(path):
    settings = load(
        path,
        """
        data_folder = "data"
        model.file = "m.npz"
        streams.url = "sqlite:///s.sqlite"
        changes_view.url = "sqlite:///v.sqlite"
        """,
    )

    folder = path.parent
    assert settings.data == folder / "data"
    assert settings.model == {"file": str(folder / "m.npz")}
    assert settings.streams_file == folder / "s.sqlite"
    assert settings.changes_url == f"sqlite:///{folder}/v.sqlite"


def test_a_file_from_another_editor_may_begin_with_a_mark(path):
    assert load(path, "\ufeff" + WIKI).wikis == (Wiki(api=API),)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[wbe]", "wbe: no such setting, did you mean web?"),
        ("data_foldr = 'x'", "data_foldr: no such setting, did you mean data_folder?"),
        ("[web]\nprot = 1", "web.prot: no such setting, did you mean port?"),
        ("[web]\nxyzzy = 1", "web.xyzzy: no such setting; known are host, port"),
        ("[[wikis]]\napu = 'x'", "wikis[0].apu: no such setting, did you mean api?"),
        ("[streams]\nkeep_day = 1", "streams.keep_day: no such setting, did you mean keep_days?"),
        ("[changes_view]\nurll = ''", "changes_view.urll: no such setting, did you mean url?"),
        ("model = 3", "model: expected `object`, got `int`"),
        ("[[wikis]]", "wikis[0].api: is missing"),
        ("[wikis]\napi = 'x'", "wikis: write [[wikis]], in double brackets"),
        (WIKI * 2 + "slot = 2", "wikis[1].slot: no such setting, did you mean slots?"),
        ("wikis = 'x'", "wikis: expected `array`, got `str`"),
        ("[[wikis]]\napi = 5", "wikis[0].api: expected `str`, got `int`"),
        ("[web]\nport = '8080'", "web.port: expected `int`, got `str`"),
        ("[web]\nport = 65536", "web.port: expected `int` <= 65535"),
        ("[web]\nport = -1", "web.port: expected `int` >= 0"),
        ("[web]\nport = 8080.5", "web.port: expected `int`, got `float`"),
        ("[web]\nhost = true", "web.host: expected `str`, got `bool`"),
        ("web = 8080", "web: expected `object`, got `int`"),
        ("data_folder = 2026-01-01", "data_folder: expected `str`, got `date`"),
        ("[streams]\nkeep_days = 0", "streams.keep_days: expected `int` >= 1"),
        ("[streams]\nkeep_days = 99999999999", "streams.keep_days: expected `int` <= 36500"),
        (WIKI + "interval = 0", "wikis[0].interval: expected `float` > 0.0"),
        (WIKI + "interval = inf", "wikis[0].interval: expected `float` <= 86400.0"),
        (WIKI + "overlap = nan", "wikis[0].overlap: expected `float`"),
        (WIKI + "slots = 17", "wikis[0].slots: expected `int` <= 16"),
        ("[web\nport = 1", "not valid TOML: Expected ']' at the end of a table declaration"),
        ("a = [" + "[" * 5000, "not valid TOML"),
        ("[web]\n[web]", "not valid TOML: Cannot declare ('web',) twice"),
    ],
)
def test_what_is_wrong_is_named(path, text, expected):
    with pytest.raises(SettingsError) as caught:
        load(path, text)

    assert str(caught.value).startswith(f"{path}: {expected}")
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_is_told_how_to_make(path):
    with pytest.raises(SettingsError, match=r"revq\.toml cannot be read \(No such file.*revq init"):
        load_settings(path)
    with pytest.raises(SettingsError, match=r"cannot be read \(Is a directory\)"):
        load_settings(path.parent)


def test_a_file_that_is_no_text_is_told(path):
    path.write_bytes(b"\xff\xfe[\x00w\x00")

    with pytest.raises(SettingsError, match=r"revq\.toml: not UTF-8 text"):
        load_settings(path)


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=60))
def test_any_text_is_settings_or_one_sentence(path, text):
    try:
        settings = load(path, text)
    except SettingsError as error:
        assert str(path) in str(error)  # noqa: PT017, both ends are right
    else:
        assert settings.data == path.parent / "revq-data"


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (Settings(), r"no wiki to score: add a \[\[wikis\]\] block with its api, or --wiki URL"),
        (Settings(wikis=(Wiki(api=API),) * 2), f"wikis: {API} is configured twice, remove one"),
        (Settings(wikis=(Wiki(api="wiki.example"),)), "'wiki.example' is no web address"),
        (
            Settings(wikis=(Wiki(api=API),), streams=Streams(url="kafka://host")),
            "streams.url: expected sqlite:///file, got 'kafka://host'",
        ),
    ],
)
def test_what_the_types_cannot_tell_is_checked(settings, expected):
    with pytest.raises(SettingsError, match=expected):
        check_settings(settings)


@pytest.mark.parametrize(
    "url",
    [
        *("", "wiki.example/api.php", "ftp://wiki.example", "https://", "https:///api.php"),
        *("file:///x", "http://[::1", "http://[bad]/api.php", "http://wiki.example:99999/"),
        "http://wiki.example:port/",
    ],
)
def test_what_is_no_web_address_is_refused(url):
    with pytest.raises(SettingsError, match=r"is no web address: give the wiki's api\.php"):
        check_api_url(url)


@pytest.mark.parametrize(
    "url", [API, "http://127.0.0.1:8480/api.php", "http://[::1]:80/api.php", "https://вики.рф/w"]
)
def test_a_web_address_is_taken(url):
    check_api_url(url)


def test_a_sqlite_url_names_a_file():
    assert sqlite_file(None, "streams.url") is None
    assert sqlite_file("sqlite:///a/b.sqlite", "streams.url") == Path("a/b.sqlite")
    assert sqlite_file("sqlite:////a/b.sqlite", "streams.url") == Path("/a/b.sqlite")
    with pytest.raises(SettingsError, match=r"streams\.url: expected sqlite:///file"):
        sqlite_file("sqlite:///", "streams.url")
