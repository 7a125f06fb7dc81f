"""The TOML file: what is wrong is told with the file, the key and what was expected."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from msgspec import convert

from revision_quality.errors import SettingsError
from revision_quality.settings import (
    ChangesView,
    EventGate,
    EventStreams,
    Ores,
    RcFeed,
    ScoreStore,
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
    assert (settings.web, settings.model, settings.models) == (Web(), None, ())
    assert [block.kind for block in settings.blocks] == ["revert_risk"]
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
        [event_streams]
        url = "https://stream.wikimedia.org/v2/stream"
        streams = ["mediawiki.page_change.v1", "mediawiki.recentchange"]
        [rc_feed]
        host = "::1"
        port = 9390
        [event_gate]
        url = "https://eventgate.example/v1/events"
        errors = false
        [ores.aliases]
        damaging = "revertrisk-language-agnostic"
        [[models]]
        kind = "lift_wing"
        url = "http://lift.wing"
        """,
    )

    assert settings == Settings(
        wikis=(Wiki(api=API, access_token_env="TOKEN", interval=10, overlap=120.5, slots=4),),
        data_folder="/var/lib/revq",
        web=Web(host="::1", port=0),
        model={"file": "/models/m.npz"},
        streams=Streams(url="sqlite:////data/s.sqlite", keep_days=7),
        changes_view=ChangesView(url="mysql+asyncmy://u:p@host/db", keep_days=30),
        event_streams=EventStreams(
            url="https://stream.wikimedia.org/v2/stream",
            streams=("mediawiki.page_change.v1", "mediawiki.recentchange"),
        ),
        rc_feed=RcFeed(host="::1", port=9390),
        event_gate=EventGate(url="https://eventgate.example/v1/events", errors=False),
        ores=Ores(aliases={"damaging": "revertrisk-language-agnostic"}),
        models=({"kind": "lift_wing", "url": "http://lift.wing"},),
    )


def test_the_streams_that_are_followed_are_one_address():
    at_home = EventStreams(url="http://127.0.0.1:8080/v2/stream/", streams=("a", "b"))

    assert at_home.address == "http://127.0.0.1:8080/v2/stream/a,b"


def test_a_block_parts_the_keys_of_every_model_from_the_options_of_its_kind(path):
    text = """
    [model]
    [[models]]
    kind = "lift_wing"
    url = "http://lift.wing"
    stream = "scores.v1"
    namespaces = [0, 4]
    concurrency = 5
    match.wiki_id = "/wiki$/"
    match_not = [{ performer = { is_bot = true } }, { meta = { domain = "canary" } }]
    [[models]]
    file = "m.npz"
    """
    own, remote, file = load(path, text).blocks

    assert (own.place, own.group, own.options) == ("model", "scoring", {})
    assert (remote.place, remote.kind, remote.options) == (
        "models[0]",
        "lift_wing",
        {"url": "http://lift.wing"},
    )
    assert (remote.stream, remote.namespaces, remote.concurrency) == ("scores.v1", (0, 4), 5)
    assert remote.match == {"wiki_id": "/wiki$/"}
    assert len(remote.match_not) == 2
    assert file.options == {"file": str(path.parent / "m.npz")}


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
        ("[models]\nkind = 'x'", "models: write [[models]], in double brackets"),
        ("[[models]]\nnamespaces = ['x']", "models[0].namespaces[0]: expected `int`"),
        ("[model]\nconcurrency = 0", "model.concurrency: expected `int` >= 1"),
        ("[event_streams]\nurl = 'x'", "event_streams.url: expected `str` matching"),
        ("[event_streams]", "event_streams.url: is missing"),
        ("[event_streams]\nurl = 'http://a'\nstreams = []", "event_streams.streams: expected"),
        ("[event_gate]\nulr = 'x'", "event_gate.ulr: no such setting, did you mean url?"),
        ("[rc_feed]", "rc_feed.port: is missing"),
        ("[ores]\nalias = 1", "ores.alias: no such setting, did you mean aliases?"),
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
        (Settings(), r"no wiki to score: add a \[\[wikis\]\] block with its api, a wikis_folder,"),
        (Settings(wikis=(Wiki(api=API),) * 2), f"wikis: {API} is configured twice, remove one"),
        (Settings(wikis=(Wiki(api="wiki.example"),)), "'wiki.example' is no web address"),
        (
            Settings(wikis=(Wiki(api=API, time_zone="Berlin"),)),
            f"wikis.time_zone: 'Berlin' of {API} is no time zone known on this machine, give one",
        ),
        (
            Settings(wikis=(Wiki(api=API),), streams=Streams(url="redis://host")),
            "streams.url: expected sqlite:///file, got 'redis://host'",
        ),
        (
            Settings(wikis=(Wiki(api=API),), streams=Streams(options={"client.id": "x"})),
            "streams.options: are those of Kafka's clients, and streams.url is not",
        ),
        (
            Settings(wikis=(Wiki(api=API),), web=Web(accepts_scores=True)),
            "web.accepts_scores: takes scores only with accepts_events = true",
        ),
    ],
)
def test_what_the_types_cannot_tell_is_checked(settings, expected):
    with pytest.raises(SettingsError, match=expected):
        check_settings(settings)


@pytest.mark.parametrize(
    "key", ["alarms.webhook", "event_gate.url", "event_streams.url", "tracing.endpoint"]
)
@pytest.mark.parametrize("url", ["http://hook.example:808O/", "https://[::1/", "http://xn--/"])
def test_no_address_is_taken_that_cannot_be_asked(key, url):
    block, name = key.split(".")
    settings = convert({"wikis": [{"api": API}], block: {name: url}}, Settings)

    with pytest.raises(SettingsError, match=f"{key}: .* is no web address"):
        check_settings(settings)


@pytest.mark.parametrize(
    "url",
    [
        *("", "wiki.example/api.php", "ftp://wiki.example", "https://", "https:///api.php"),
        *("file:///x", "http://[::1", "http://[bad]/api.php", "http://wiki.example:99999/"),
        *("http://wiki.example:port/", "http://xn--/", "http://wiki.example/\x7f"),
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


def test_places_beyond_one_machine_are_urls(path):
    settings = load(
        path,
        f"""
        {WIKI}
        [streams]
        url = "kafka://one:9092,two:9092?prefix=eqiad."
        options = {{ "security.protocol" = "SSL" }}
        [score_store]
        url = "cassandra://one,two/revq"
        keep_days = 400
        """,
    )

    check_settings(settings)
    assert settings.streams.is_kafka
    assert settings.streams.options == {"security.protocol": "SSL"}
    assert settings.score_store == ScoreStore(url="cassandra://one,two/revq", keep_days=400)


def test_wikis_come_from_blocks_a_folder_and_a_table(path):
    folder = path.parent / "wikis.d"
    folder.mkdir()
    (folder / "b.toml").write_text('api = "https://b.example/api.php"\ninterval = 30\n')
    (folder / "a.toml").write_text('api = "https://a.example/api.php"\n')
    (folder / ".hidden.toml").write_text("no wiki")
    (path.parent / "more.tsv").write_text(
        "api\tslots\toverlap\nhttps://c.example/api.php\t4\t\n\nhttps://d.example/api.php\t\t9.5\n"
    )

    settings = load(path, f'wikis_folder = "wikis.d"\nwikis_table = "more.tsv"\n{WIKI}')

    assert settings.wikis == (
        Wiki(api=API),
        Wiki(api="https://a.example/api.php"),
        Wiki(api="https://b.example/api.php", interval=30.0),
        Wiki(api="https://c.example/api.php", slots=4),
        Wiki(api="https://d.example/api.php", overlap=9.5),
    )
    check_settings(settings)


@pytest.mark.parametrize(
    ("key", "name", "text", "sentence"),
    [
        ("folder", "d/a.toml", "api = 7", "d/a.toml: api: expected `str`, got `int`"),
        (
            "folder",
            "d/a.toml",
            "slotz = 7",
            "d/a.toml: slotz: no such setting, did you mean slots?",
        ),
        ("folder", "d/a.toml", "slots = 2", "d/a.toml: api: is missing"),
        ("folder", "d/a.toml", "[", "d/a.toml: not valid TOML: "),
        ("folder", "elsewhere", "", "wikis_folder: {0}/d is no folder: make it, or name another"),
        ("table", "d.csv", "api,slots\nx,many", "d.csv, line 2: slots: expected `int`, got `str`"),
        ("table", "d.csv", "api\nx,9", "d.csv, line 2: has 2 cells, line 1 names 1"),
        ("table", "d.csv", "slots\n9", "d.csv, line 1: expected the names of keys, such as api"),
        ("table", "d.csv", "", "d.csv, line 1: expected the names of keys, such as api"),
        ("table", "d.csv", 'api\n"x', "d.csv: no table in UTF-8 ("),
        ("table", "elsewhere", "", "wikis_table: {0}/d.csv cannot be read (No such file"),
    ],
)
def test_a_listed_wiki_that_is_wrong_is_told_with_its_place(path, key, name, text, sentence):
    file = path.parent / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)

    with pytest.raises(SettingsError) as raised:
        load(path, f'wikis_{key} = "{"d" if key == "folder" else "d.csv"}"')

    assert sentence.format(path.parent) in str(raised.value)


def test_a_table_of_another_kind_is_refused(path):
    with pytest.raises(
        SettingsError, match=r"wikis.xls is no table: name a file.csv or a file.tsv"
    ):
        load(path, 'wikis_table = "wikis.xls"')
