"""The TOML file, typed. Every place is a URL or a path in it."""

import difflib
import os
import re
import tomllib
from collections import Counter
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace

from revision_quality.errors import SettingsError
from revision_quality.mediawiki_tables_block import MediaWikiTablesBlock
from revision_quality.oauth_block import OAuthBlock
from revision_quality.ores_tables_block import OresTablesBlock
from revision_quality.secrets_in_settings import with_secrets
from revision_quality.wiki_lists import ListedWiki, read_wikis_folder, read_wikis_table

_LAST_PORT = 65535

Port = Annotated[int, Meta(ge=0, le=_LAST_PORT)]
Days = Annotated[int, Meta(ge=1, le=36_500)]
Seconds = Annotated[float, Meta(gt=0, le=86_400)]

Url = Annotated[str, Meta(pattern="^https?://[^/]")]
StreamName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9._-]{1,249}$")]
"""What Kafka takes as a topic's name (kafka.apache.org, `Topic.java`)."""

DEFAULT_KIND = "revert_risk"
FIRST_GROUP = "scoring"

_SQLITE, _KAFKA = "sqlite:///", "kafka://"


class Wiki(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A wiki to score: `api` is the address of its api.php.

    `access_token_env` names the environment variable that holds an OAuth 2 access token, for a
    wiki that only its users may read. `interval` and `overlap` are seconds, see `sources.polling`.
    `slots` is how many requests may be under way at once. `backfill` is how far back the changes
    of a wiki that is polled for the first time are read, in days or hours ("0d" not at all).
    `ores_tables` is where its extension ORES has its tables, if they are to show the scores;
    `mediawiki_tables` is where our own extension has them. With `oauth` patrollers log in here.
    `time_zone` is the one in which its times are told, by default the wiki's own.
    """

    api: str
    access_token_env: str | None = None
    interval: Seconds = 3.0
    overlap: Seconds = 60.0
    slots: Annotated[int, Meta(ge=1, le=16)] = 2
    backfill: Annotated[str, Meta(pattern=r"^[0-9]{1,4}[dh]$")] = "7d"
    ores_tables: OresTablesBlock | None = None
    mediawiki_tables: MediaWikiTablesBlock | None = None
    oauth: OAuthBlock | None = None
    time_zone: str | None = None


class Web(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the pages are served; port 0 takes any that is free.

    `accepts_events` lets whoever reaches the port post edits to `/v1/events`, as a MediaWiki with
    EventBus does; `accepts_scores` also what another instance has scored.
    `requests_per_second` is what one client may ask for, 0 without a limit; this machine itself is
    not limited. `trusted_proxies` are the addresses or networks of reverse proxies, whose
    X-Forwarded-For says who the client is. `operator_token_env` names the environment variable
    that holds the token which `/metrics` and `/status` then ask for.
    """

    host: str = "127.0.0.1"
    port: Port = 8080
    accepts_events: bool = False
    accepts_scores: bool = False
    requests_per_second: Annotated[float, Meta(ge=0, le=1_000_000)] = 100.0
    trusted_proxies: tuple[str, ...] = ("127.0.0.1", "::1")
    operator_token_env: str | None = None


class Streams(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The durable log: `url` is `sqlite:///file`, by default a file in the data folder, or
    `kafka://host:port,host:port?prefix=…&partitions=…&replication=…`.

    Events older than `keep_days` are dropped; Wikimedia's EventStreams keeps 7 to 31 days. Kafka
    does so itself: topics that are missing are made so. `options` are those of Kafka's clients,
    such as `security.protocol` (librdkafka's CONFIGURATION.md).
    """

    url: str | None = None
    keep_days: Days = 31
    options: dict[str, str | int | float | bool] = {}

    @property
    def is_kafka(self) -> bool:
        """Whether the log is Kafka."""
        return (self.url or "").startswith(_KAFKA)


class ChangesView(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The changes view: `url` is a SQLAlchemy URL, by default a SQLite file in the data folder.

    Rows of edits older than `keep_days` are dropped; MediaWiki keeps recent changes for 90 days
    ($wgRCMaxAge).
    """

    url: str | None = None
    keep_days: Days = 90


class ScoreStore(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All scores by revision: `url` is `cassandra://user:password@host1,host2/keyspace`.

    Scores of edits older than `keep_days` drop out; without it all are kept.
    """

    url: str
    keep_days: Days | None = None


class EventStreams(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An EventStreams service that brings the edits of the configured wikis.

    `url` is its address without the streams, such as `https://stream.wikimedia.org/v2/stream`.
    """

    url: Url
    streams: Annotated[tuple[StreamName, ...], Meta(min_length=1)] = ("mediawiki.page_change.v1",)

    @property
    def address(self) -> str:
        """The address that is followed."""
        return f"{self.url.rstrip('/')}/{','.join(self.streams)}"


class RcFeed(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where datagrams of wikis' recent changes are listened for, over UDP."""

    host: str = "127.0.0.1"
    port: Port


class EventGate(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An EventGate that every score is published to: `url` ends in `/v1/events`.

    `errors` publishes the reasons of edits without a score too; its stream is this package's own.
    """

    url: Url
    errors: bool = True


class Verdicts(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether whoever reaches the port may give verdicts on edits, and how many in a minute.

    `per_minute` is for each client by its address.
    """

    accepted: bool = True
    per_minute: Annotated[int, Meta(ge=1, le=10_000)] = 30


class Alarms(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is told as an alarm, and to whom; the numbers are those from which one is raised.

    `score_shift` and `flag_rate` are standard deviations (`alarms.unlikeness`), both limits at
    least: what a wiki's edits usually differ by goes before. `coverage` is the share of a day's
    edits that must have a score or a reason why they can have none. `webhook` gets a POST of every
    alarm that is raised or ends. What has been unusual for `accepted_after_days` is usual then.
    A level's precision is told from `precision_edits` labelled edits of `precision_days` on.
    """

    webhook: Url | None = None
    score_shift: Annotated[float, Meta(gt=0, le=100)] = 3.0
    flag_rate: Annotated[float, Meta(gt=0, le=1000)] = 4.0
    no_score_minutes: Annotated[float, Meta(gt=0, le=1440)] = 10.0
    coverage: Annotated[float, Meta(gt=0, le=1)] = 0.99
    accepted_after_days: Annotated[float, Meta(gt=0, le=365)] = 7.0
    precision_edits: Annotated[int, Meta(ge=10, le=1_000_000)] = 50
    precision_days: Annotated[int, Meta(ge=2, le=365)] = 14


class Ores(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Further names for models in ORES's protocol: by alias the name of the model that answers."""

    aliases: dict[str, str] = {}


class Levels(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How levels are chosen: an edit that nobody reverts for `label_hours` counts as kept.

    `targets` are what the thresholds are chosen for, by the level's name, such as `likelybad =
    "maximum recall @ precision >= 0.6"`; those not named have the shipped one. `wikis` has a table
    of them by wiki_id. Levels are chosen on the edits of the last `window_days`, of more where
    those are too few, at the start and every `every_hours`.
    """

    label_hours: Annotated[int, Meta(ge=1, le=24 * 60)] = 48
    window_days: Annotated[int, Meta(ge=7, le=365)] = 56
    every_hours: Annotated[float, Meta(gt=0, le=24 * 30)] = 24.0
    targets: dict[str, str] = {}
    wikis: dict[str, dict[str, str]] = {}

    @property
    def wait(self) -> int:
        """The waiting time of a label, in seconds."""
        return self.label_hours * 3600


class ModelBlock(Struct, frozen=True, kw_only=True):
    """A model, which edits it scores and where it publishes: `[model]` or one of `[[models]]`.

    `place` is what errors call it. `match` and `match_not` are as `scoring.matching` reads them,
    `concurrency` is how many calls of the model may be under way at once, `group` names its
    position in the streams, `options` are those of its kind.
    """

    place: str = "model"
    kind: str = DEFAULT_KIND
    stream: StreamName | None = None
    match: dict[str, Any] | list[dict[str, Any]] = {}
    match_not: dict[str, Any] | list[dict[str, Any]] = {}
    namespaces: Annotated[tuple[int, ...], Meta(min_length=1)] | None = None
    concurrency: Annotated[int, Meta(ge=1, le=1000)] = 8
    group: StreamName | None = None
    options: dict[str, Any] = {}


class Logs(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The lines on standard error: `auto` is text on a terminal and JSON elsewhere.

    At the level `debug` there is a line for every outcome, with the ids of event and request.
    """

    format: Literal["auto", "json", "text"] = "auto"
    level: Literal["debug", "info", "warning", "error"] = "info"


class Tracing(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Spans for OpenTelemetry (the extra `otel`): `endpoint` takes OTLP over HTTP.

    `share` is the share of the traces that is kept, 0 to 1.
    """

    endpoint: Url | None = None
    share: Annotated[float, Meta(ge=0, le=1)] = 1.0


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that `revq run` is told. Relative paths start at the TOML file's folder."""

    wikis: tuple[Wiki, ...] = ()
    wikis_folder: str | None = None
    """A folder of TOML files, each with the keys of one `[[wikis]]` block."""
    wikis_table: str | None = None
    """A CSV or TSV file (by its name), whose first line names keys of a `[[wikis]]` block."""
    data_folder: str = "revq-data"
    stop_seconds: Seconds = 20.0
    """How long a stop may take: requests under way are answered, what is under way is written."""
    web: Web = Web()
    model: dict[str, Any] | None = None
    """The first model: `kind` (revert_risk, the default; lift_wing; an installed one), its options
    and the other keys of a ModelBlock."""
    models: tuple[dict[str, Any], ...] = ()
    """More models; without `model` the first of them is the first model."""
    streams: Streams = Streams()
    changes_view: ChangesView = ChangesView()
    score_store: ScoreStore | None = None
    event_streams: EventStreams | None = None
    rc_feed: RcFeed | None = None
    event_gate: EventGate | None = None
    ores: Ores = Ores()
    logs: Logs = Logs()
    tracing: Tracing = Tracing()
    verdicts: Verdicts = Verdicts()
    alarms: Alarms = Alarms()
    levels: Levels = Levels()

    @property
    def data(self) -> Path:
        """The data folder."""
        return Path(self.data_folder)

    @property
    def streams_file(self) -> Path:
        """The SQLite file of the streams. Raises SettingsError if they are elsewhere."""
        return sqlite_file(self.streams.url, "streams.url") or self.data / "streams.sqlite"

    @property
    def changes_url(self) -> str:
        """The SQLAlchemy URL of the changes view."""
        return self.changes_view.url or f"sqlite:///{self.data / 'changes.sqlite'}"

    @property
    def blocks(self) -> list[ModelBlock]:
        """The models, the first one first. Raises SettingsError naming the key."""
        more = [
            _block(f"models[{number}]", values, None) for number, values in enumerate(self.models)
        ]
        if self.model is None and more:
            return more
        return [_block("model", self.model or {}, FIRST_GROUP), *more]


def load_settings(path: Path) -> Settings:
    """Read a TOML file. Raises SettingsError naming the file, the key and what was expected."""
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise SettingsError(
            f"settings file {path} cannot be read ({error.strerror}):"
            " make one with `revq init --wiki URL`"
        ) from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path}: not UTF-8 text ({error})") from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise SettingsError(f"{path}: not valid TOML: {error}") from error
    return _with_listed(path, _at(path.parent, _convert(path, values)))


def check_settings(settings: Settings) -> None:
    """Raise SettingsError for what the types cannot tell."""
    if not settings.wikis:
        raise SettingsError(
            "no wiki to score: add a [[wikis]] block with its api, a wikis_folder, a wikis_table,"
            " or --wiki URL"
        )
    for wiki in settings.wikis:
        check_api_url(wiki.api)
        if wiki.time_zone is not None and wiki.time_zone not in available_timezones():
            raise SettingsError(
                f"wikis.time_zone: {wiki.time_zone!r} of {wiki.api} is no time zone known on this"
                " machine, give one such as Europe/Berlin"
            )
    twice = [
        api for api, number in Counter(wiki.api for wiki in settings.wikis).items() if number > 1
    ]
    if twice:
        raise SettingsError(f"wikis: {min(twice)} is configured twice, remove one")
    _check_addresses(settings)
    if settings.web.accepts_scores and not settings.web.accepts_events:
        raise SettingsError("web.accepts_scores: takes scores only with accepts_events = true")
    if not settings.streams.is_kafka:
        _ = settings.streams_file
    if settings.streams.options and not settings.streams.is_kafka:
        raise SettingsError("streams.options: are those of Kafka's clients, and streams.url is not")
    _ = settings.blocks


def check_api_url(url: str) -> None:
    """Raise SettingsError if `url` cannot be the address of an api.php."""
    if not _is_web_address(url):
        raise SettingsError(
            f"{url!r} is no web address: give the wiki's api.php,"
            " such as https://example.org/w/api.php"
        )


def _check_addresses(settings: Settings) -> None:
    gate, streams = settings.event_gate, settings.event_streams
    addresses = {
        "alarms.webhook": settings.alarms.webhook,
        "event_gate.url": gate.url if gate else None,
        "event_streams.url": streams.url if streams else None,
        "tracing.endpoint": settings.tracing.endpoint,
    }
    for key, url in addresses.items():
        if url is not None and not _is_web_address(url):
            raise SettingsError(f"{key}: {url!r} is no web address")


def _is_web_address(url: str) -> bool:
    """Tell whether a client can ask it: what it cannot read would end the service when asked."""
    # Not for `revq --help`: to import it takes longer than all else there.
    import httpx  # noqa: PLC0415

    try:
        parts = httpx.URL(url)
        host, port = parts.host, parts.port
    except (httpx.InvalidURL, ValueError):
        return False
    is_port = port is None or 0 < port <= _LAST_PORT
    return parts.scheme in ("http", "https") and bool(host) and is_port


def access_token(variable: str | None, place: str, what: str) -> str | None:
    """Return what an environment variable holds, None where none is named.

    Raises SettingsError if it is not set; `place` and `what` say where it is asked for, and what.
    """
    if not variable:
        return None
    token = os.environ.get(variable)
    if not token:
        raise SettingsError(
            f"{place}: the environment variable {variable} that should hold {what} is not set"
        )
    return token


def sqlite_file(url: str | None, key: str) -> Path | None:
    """Return the file that a `sqlite:///file` URL names, None for no URL."""
    if url is None:
        return None
    if not url.startswith(_SQLITE) or url == _SQLITE:
        raise SettingsError(f"{key}: expected {_SQLITE}file, got {url!r}")
    return Path(url.removeprefix(_SQLITE))


def _at(folder: Path, settings: Settings) -> Settings:
    """Return the settings with relative paths starting at `folder`."""
    streams, view = settings.streams, settings.changes_view
    return replace(
        settings,
        wikis=tuple(_wiki_at(folder, wiki) for wiki in settings.wikis),
        data_folder=str(folder / settings.data_folder),
        model=None if settings.model is None else _model_at(folder, settings.model),
        models=tuple(_model_at(folder, model) for model in settings.models),
        wikis_folder=_path_at(folder, settings.wikis_folder),
        wikis_table=_path_at(folder, settings.wikis_table),
        streams=replace(streams, url=_url_at(folder, streams.url)),
        changes_view=replace(view, url=_url_at(folder, view.url)),
    )


def _wiki_at(folder: Path, wiki: Wiki) -> Wiki:
    ores, mediawiki = wiki.ores_tables, wiki.mediawiki_tables
    return replace(
        wiki,
        ores_tables=ores and replace(ores, database=str(_url_at(folder, ores.database))),
        mediawiki_tables=mediawiki
        and replace(mediawiki, database=str(_url_at(folder, mediawiki.database))),
    )


def _model_at(folder: Path, model: dict[str, Any]) -> dict[str, Any]:
    if isinstance(model.get("file"), str):
        return {**model, "file": str(folder / model["file"])}
    return model


def _path_at(folder: Path, name: str | None) -> str | None:
    return None if name is None else str(folder / name)


def _url_at(folder: Path, url: str | None) -> str | None:
    name = (url or "").removeprefix(_SQLITE)
    if url is None or not url.startswith(_SQLITE) or name in ("", ":memory:"):
        return url
    return f"{_SQLITE}{folder / name}"


def _convert(path: Path, values: dict[str, Any]) -> Settings:
    try:
        settings = msgspec.convert(with_secrets(values), Settings)
        _ = settings.blocks
    except msgspec.ValidationError as error:
        raise SettingsError(f"{path}: {_explain(str(error))}") from error
    except SettingsError as error:
        raise SettingsError(f"{path}: {error}") from error
    return settings


def _with_listed(path: Path, settings: Settings) -> Settings:
    """Return the settings with the wikis of the folder and of the table."""
    folder, table = settings.wikis_folder, settings.wikis_table
    try:
        listed = [
            *(read_wikis_folder(Path(folder)) if folder is not None else ()),
            *(read_wikis_table(Path(table)) if table is not None else ()),
        ]
    except SettingsError as error:
        raise SettingsError(f"{path}: {error}") from error
    return replace(settings, wikis=(*settings.wikis, *map(_listed_wiki, listed)))


def _listed_wiki(listed: ListedWiki) -> Wiki:
    try:
        return msgspec.convert(with_secrets(dict(listed.values)), Wiki, strict=listed.is_typed)
    except msgspec.ValidationError as error:
        told = _explain(str(error), _LISTED).removeprefix(_LISTED).lstrip(".:")
        raise SettingsError(f"{listed.place}: {told.strip()}") from error


_LISTED = "wikis"

_BLOCK_KEYS = tuple(key for key in ModelBlock.__struct_fields__ if key not in ("place", "options"))


def model_block(place: str, values: dict[str, Any]) -> ModelBlock:
    """Read a `[[models]]` block that is kept elsewhere. Raises SettingsError naming `place`."""
    return _block(place, values, None)


def _block(place: str, values: dict[str, Any], group: str | None) -> ModelBlock:
    """Part the keys of every model from the options of its kind. Raises SettingsError."""
    own = {key: value for key, value in values.items() if key in _BLOCK_KEYS}
    options = {key: value for key, value in values.items() if key not in _BLOCK_KEYS}
    try:
        block = msgspec.convert({"group": group} | own, ModelBlock)
    except msgspec.ValidationError as error:
        raise SettingsError(_explain(str(error), place)) from error
    return replace(block, place=place, options=options)


def _explain(message: str, within: str = "") -> str:
    """Turn msgspec's message into one that speaks of keys: `web.port: expected int`."""
    text, _, place = message.replace(" | null", "").partition(" - at `$")
    key = f"{within}{place.rstrip('`')}".lstrip(".")
    unknown = re.fullmatch(r"Object contains unknown field `(.*)`", text)
    if unknown:
        name = unknown.group(1)
        return f"{_join(key, name)}: no such setting{_suggest(key, name)}"
    if key == "wikis" and text == "Expected `array`, got `object`":
        return "wikis: write [[wikis]], in double brackets, one block for each wiki"
    if key == "models" and text == "Expected `array`, got `object`":
        return "models: write [[models]], in double brackets, one block for each model"
    missing = re.fullmatch(r"Object missing required field `(.*)`", text)
    if missing:
        return f"{_join(key, missing.group(1))}: is missing"
    return f"{key}: {text[0].lower()}{text[1:]}"


def _join(key: str, name: str) -> str:
    return f"{key}.{name}" if key else name


SECTIONS: dict[str, type[Struct]] = {
    "": Settings,
    "wikis": Wiki,
    "wikis.ores_tables": OresTablesBlock,
    "wikis.mediawiki_tables": MediaWikiTablesBlock,
    "web": Web,
    "streams": Streams,
    "changes_view": ChangesView,
    "score_store": ScoreStore,
    "event_streams": EventStreams,
    "rc_feed": RcFeed,
    "event_gate": EventGate,
    "ores": Ores,
    "logs": Logs,
    "tracing": Tracing,
    "verdicts": Verdicts,
    "alarms": Alarms,
    "levels": Levels,
}
"""The blocks of the file, by their keys."""


def _suggest(key: str, name: str) -> str:
    section = re.sub(r"\[\d+\]", "", key)
    known = list(SECTIONS[section].__struct_fields__) if section in SECTIONS else []
    close = difflib.get_close_matches(name, known, 1)
    return f", did you mean {close[0]}?" if close else f"; known are {', '.join(known)}"
