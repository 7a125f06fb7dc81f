"""`revq backup`: a copy of the embedded store, taken while it runs."""

import hashlib
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_hex
from typing import Annotated

import msgspec
import typer
from msgspec import Struct

from revision_quality import __version__
from revision_quality.cli.pause import DEFAULT_FILE, Config
from revision_quality.errors import SettingsError, StoreError
from revision_quality.settings import Settings, load_settings, sqlite_file

MANIFEST = "backup.json"

STATES = ("polling", "event_streams", "wikis", "replay.json")
"""Small state beside the databases, copied first: positions that are too low cost a repetition."""


class Kept(Struct, frozen=True):
    """A file of a backup."""

    name: str
    size: int
    sha256: str


class Manifest(Struct, frozen=True):
    """What a backup holds."""

    version: str
    made: datetime
    files: tuple[Kept, ...]


def backup(
    folder: Annotated[Path, typer.Argument(help="Folder to make; it must not be there yet.")],
    config: Config = None,
    *,
    data: Annotated[Path | None, typer.Option(help="Data folder, instead of the file's.")] = None,
) -> None:
    """Copy the embedded store into a folder, while it runs or not."""
    settings = settings_of(config, data)
    if folder.exists():
        raise SettingsError(f"{folder} is there already: name another folder")
    manifest = write(settings, folder)
    size = sum(file.size for file in manifest.files)
    typer.echo(f"{len(manifest.files)} files, {size / 1e6:,.1f} MB, in {folder}.")
    for place in elsewhere(settings):
        typer.echo(f"Not in it: {place}, which has a backup of its own.")


def settings_of(config: Path | None, data: Path | None) -> Settings:
    """Return the settings of a store. Raises SettingsError."""
    if config is None and data is not None and not DEFAULT_FILE.exists():
        return Settings(data_folder=str(data))
    settings = load_settings(config or DEFAULT_FILE)
    return msgspec.structs.replace(settings, data_folder=str(data or settings.data_folder))


def databases(settings: Settings) -> dict[str, Path]:
    """Return the embedded databases by their names in a backup, in the order of copying.

    The view comes before the streams: it is then behind them, and catches up.
    """
    found: dict[str, Path] = {}
    if settings.changes_url.startswith("sqlite:///"):
        file = sqlite_file(settings.changes_url, "changes_view.url")
        if file is not None:
            found["changes.sqlite"] = file
    if not settings.streams.is_kafka:
        found["streams.sqlite"] = settings.streams_file
    return found


def elsewhere(settings: Settings) -> list[str]:
    """Return what the settings keep on servers."""
    found = ["the streams in Kafka"] if settings.streams.is_kafka else []
    if not settings.changes_url.startswith("sqlite:///"):
        found.append("the changes view on a database server")
    if settings.score_store:
        found.append("the scores in Cassandra")
    return found


def write(settings: Settings, folder: Path) -> Manifest:
    """Write a backup; the folder appears when all is in it. Raises StoreError."""
    new = folder.with_name(f".{folder.name}.{token_hex(4)}.new")
    try:
        new.mkdir(parents=True)
        _copy_states(settings.data, new)
        for name, file in databases(settings).items():
            if file.exists():
                copy_database(file, new / name)
        manifest = _manifest(new, settings.data)
        (new / MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(manifest)))
        _sync(new)
        new.rename(folder)
    except OSError as error:
        shutil.rmtree(new, ignore_errors=True)
        raise StoreError(f"{folder} cannot be written ({error.strerror or error})") from error
    except StoreError:
        shutil.rmtree(new, ignore_errors=True)
        raise
    return manifest


def copy_database(source: Path, target: Path) -> None:
    """Copy a SQLite database that may be written meanwhile. Raises StoreError."""
    try:
        address = f"file:{source.absolute().as_posix().replace('?', '%3f')}?mode=ro"
        with (
            closing(sqlite3.connect(address, uri=True)) as old,
            closing(sqlite3.connect(target)) as new,
        ):
            # In several steps it would begin anew after every commit in between.
            old.backup(new)
            (verdict,) = new.execute("PRAGMA quick_check").fetchone()
    except sqlite3.Error as error:
        raise StoreError(f"{source} cannot be copied: {error}") from error
    if verdict != "ok":
        raise StoreError(f"{source} is damaged: {verdict}")


def sha256(file: Path) -> str:
    """Return the digest of a file in hexadecimal digits."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _copy_states(data: Path, new: Path) -> None:
    for name in STATES:
        if (data / name).is_dir():
            shutil.copytree(data / name, new / name, ignore=shutil.ignore_patterns("*.new"))
        elif (data / name).exists():
            shutil.copy2(data / name, new / name)


def _manifest(new: Path, data: Path) -> Manifest:
    files = tuple(_kept(new))
    if not files:
        raise StoreError(f"data folder {data} holds nothing to back up")
    return Manifest(__version__, datetime.now(UTC), files)


def _kept(folder: Path) -> Iterator[Kept]:
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            name = file.relative_to(folder).as_posix()
            yield Kept(name, file.stat().st_size, sha256(file))


def _sync(folder: Path) -> None:
    for file in folder.rglob("*"):
        if file.is_file():
            with file.open("rb") as opened:
                os.fsync(opened.fileno())
