"""The TOML file, typed. Every place is a URL or a path in it."""

import difflib
import os
import re
import tomllib
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace

from revision_quality.errors import SettingsError

Port = Annotated[int, Meta(ge=0, le=65535)]
Days = Annotated[int, Meta(ge=1, le=36_500)]
Seconds = Annotated[float, Meta(gt=0, le=86_400)]

_SQLITE = "sqlite:///"


class Wiki(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A wiki to score: `api` is the address of its api.php.

    `access_token_env` names the environment variable that holds an OAuth 2 access token, for a
    wiki that only its users may read. `interval` and `overlap` are seconds, see `sources.polling`.
    `slots` is how many requests may be under way at once.
    """

    api: str
    access_token_env: str | None = None
    interval: Seconds = 3.0
    overlap: Seconds = 60.0
    slots: Annotated[int, Meta(ge=1, le=16)] = 2


class Web(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the pages are served; port 0 takes any that is free.

    `accepts_events` lets whoever reaches the port post edits to `/v1/events`, as a MediaWiki with
    EventBus does.
    """

    host: str = "127.0.0.1"
    port: Port = 8080
    accepts_events: bool = False


class Streams(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The durable log: `url` is `sqlite:///file`, by default a file in the data folder.

    Events older than `keep_days` are dropped; Wikimedia's EventStreams keeps 7 to 31 days.
    """

    url: str | None = None
    keep_days: Days = 31


class ChangesView(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The changes view: `url` is a SQLAlchemy URL, by default a SQLite file in the data folder.

    Rows of edits older than `keep_days` are dropped; MediaWiki keeps recent changes for 90 days
    ($wgRCMaxAge).
    """

    url: str | None = None
    keep_days: Days = 90


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that `revq run` is told. Relative paths start at the TOML file's folder."""

    wikis: tuple[Wiki, ...] = ()
    data_folder: str = "revq-data"
    web: Web = Web()
    model: dict[str, Any] = {}
    """`kind` (revert_risk, the default; lift_wing; an installed one) and its options."""
    streams: Streams = Streams()
    changes_view: ChangesView = ChangesView()

    @property
    def data(self) -> Path:
        """The data folder."""
        return Path(self.data_folder)

    @property
    def streams_file(self) -> Path:
        """The SQLite file of the streams."""
        return sqlite_file(self.streams.url, "streams.url") or self.data / "streams.sqlite"

    @property
    def changes_url(self) -> str:
        """The SQLAlchemy URL of the changes view."""
        return self.changes_view.url or f"sqlite:///{self.data / 'changes.sqlite'}"


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
    return _at(path.parent, _convert(path, values))


def check_settings(settings: Settings) -> None:
    """Raise SettingsError for what the types cannot tell."""
    if not settings.wikis:
        raise SettingsError("no wiki to score: add a [[wikis]] block with its api, or --wiki URL")
    for wiki in settings.wikis:
        check_api_url(wiki.api)
    apis = [wiki.api for wiki in settings.wikis]
    twice = {api for api in apis if apis.count(api) > 1}
    if twice:
        raise SettingsError(f"wikis: {sorted(twice)[0]} is configured twice, remove one")
    _ = settings.streams_file


def check_api_url(url: str) -> None:
    """Raise SettingsError if `url` cannot be the address of an api.php."""
    try:
        parts = urlsplit(url)
        is_address = parts.scheme in ("http", "https") and bool(parts.hostname and parts.port != 0)
    except ValueError:
        is_address = False
    if not is_address:
        raise SettingsError(
            f"{url!r} is no web address: give the wiki's api.php,"
            " such as https://example.org/w/api.php"
        )


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
        data_folder=str(folder / settings.data_folder),
        model=_model_at(folder, settings.model),
        streams=replace(streams, url=_url_at(folder, streams.url)),
        changes_view=replace(view, url=_url_at(folder, view.url)),
    )


def _model_at(folder: Path, model: dict[str, Any]) -> dict[str, Any]:
    if isinstance(model.get("file"), str):
        return {**model, "file": str(folder / model["file"])}
    return model


def _url_at(folder: Path, url: str | None) -> str | None:
    name = (url or "").removeprefix(_SQLITE)
    if url is None or not url.startswith(_SQLITE) or name in ("", ":memory:"):
        return url
    return f"{_SQLITE}{folder / name}"


def _convert(path: Path, values: dict[str, Any]) -> Settings:
    try:
        return msgspec.convert(values, Settings)
    except msgspec.ValidationError as error:
        raise SettingsError(f"{path}: {_explain(str(error))}") from error


def _explain(message: str) -> str:
    """Turn msgspec's message into one that speaks of keys: `web.port: expected int`."""
    text, _, place = message.partition(" - at `$")
    key = place.rstrip("`").lstrip(".")
    unknown = re.fullmatch(r"Object contains unknown field `(.*)`", text)
    if unknown:
        name = unknown.group(1)
        return f"{_join(key, name)}: no such setting{_suggest(key, name)}"
    if key == "wikis" and text == "Expected `array`, got `object`":
        return "wikis: write [[wikis]], in double brackets, one block for each wiki"
    missing = re.fullmatch(r"Object missing required field `(.*)`", text)
    if missing:
        return f"{_join(key, missing.group(1))}: is missing"
    return f"{key}: {text[0].lower()}{text[1:]}"


def _join(key: str, name: str) -> str:
    return f"{key}.{name}" if key else name


def _suggest(key: str, name: str) -> str:
    sections: dict[str, type[Struct]] = {
        "": Settings,
        "wikis": Wiki,
        "web": Web,
        "streams": Streams,
        "changes_view": ChangesView,
    }
    section = re.sub(r"\[\d+\]", "", key)
    known = list(sections[section].__struct_fields__) if section in sections else []
    close = difflib.get_close_matches(name, known, 1)
    return f", did you mean {close[0]}?" if close else f"; known are {', '.join(known)}"
