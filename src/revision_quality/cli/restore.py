"""`revq restore`: a backup becomes the embedded store."""

import shutil
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from revision_quality.cli.backup import MANIFEST, Manifest, databases, settings_of, sha256
from revision_quality.cli.lock import locked
from revision_quality.cli.pause import Config
from revision_quality.errors import SettingsError, StoreError
from revision_quality.settings import Settings


def restore(
    folder: Annotated[Path, typer.Argument(help="Folder that `revq backup` made.")],
    config: Config = None,
    *,
    data: Annotated[Path | None, typer.Option(help="Data folder, instead of the file's.")] = None,
) -> None:
    """Put a backup in the place of the embedded store, which must not be there."""
    settings = settings_of(config, data)
    manifest = examine(folder)
    with locked(settings.data):
        put_back(settings, folder, manifest)
    typer.echo(f"{len(manifest.files)} files of {manifest.made:%Y-%m-%d %H:%M} (UTC) are back.")
    typer.echo("Start it: what happened since then is collected and scored again.")


def examine(folder: Path) -> Manifest:
    """Check every file of a backup. Raises StoreError for one that is not whole."""
    try:
        manifest = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise StoreError(f"{folder} is no backup of revq ({error})") from error
    for kept in manifest.files:
        file = folder / kept.name
        if not file.resolve().is_relative_to(folder.resolve()):
            raise StoreError(f"{folder}: {kept.name} lies outside of the backup")
        if not file.is_file() or sha256(file) != kept.sha256:
            raise StoreError(f"{folder}: {kept.name} is missing or damaged, take another backup")
    return manifest


def put_back(settings: Settings, folder: Path, manifest: Manifest) -> None:
    """Copy the files to their places. Raises SettingsError where something is there already."""
    places = databases(settings)
    targets = {
        kept.name: places.get(kept.name, settings.data / kept.name) for kept in manifest.files
    }
    present = [
        str(file)
        for target in targets.values()
        for file in (target, target.with_name(f"{target.name}-wal"))
        if file.exists()
    ]
    if present:
        raise SettingsError(
            f"{present[0]} is there already: move the old store away, or choose another folder"
            " with --data"
        )
    new = {name: target.with_name(f".{target.name}.new") for name, target in targets.items()}
    try:
        for name, file in new.items():
            file.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(folder / name, file)
        for name, file in new.items():
            file.rename(targets[name])
    except OSError as error:
        for file in new.values():
            file.unlink(missing_ok=True)
        raise StoreError(f"{settings.data} cannot be written ({error.strerror})") from error
