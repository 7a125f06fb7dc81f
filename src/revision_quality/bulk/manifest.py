"""What the parts of a folder are of: the input and the model. Another input has another folder."""

from pathlib import Path

import msgspec
from msgspec import Struct

from revision_quality.bulk.files import SourceFile
from revision_quality.bulk.whole_file import make_folder, whole_file
from revision_quality.errors import StoreError

NAME = "_manifest.json"
"""Readers of Parquet folders pass over names with an underscore."""


class Manifest(Struct, frozen=True, kw_only=True):
    """`wiki_id` is the one given, if one was; `model_digest` is the model file's SHA-256."""

    format: int = 1
    model_name: str
    model_version: str
    model_digest: str
    wiki_id: str | None
    is_partial: bool
    partitions: int
    files: tuple[SourceFile, ...]


def check(folder: Path, wanted: Manifest) -> None:
    """Raise StoreError where a folder has something else than parts of `wanted`."""
    found = _load(folder)
    if found is None:
        if folder.is_dir() and any(path.name[0] not in "._" for path in folder.iterdir()):
            raise StoreError(f"{folder}: is not empty; choose an empty or new folder as --output.")
    elif found != wanted:
        raise StoreError(
            f"{folder}: has scores of {_difference(found, wanted)}; choose another --output."
        )


def save(folder: Path, manifest: Manifest) -> None:
    """Write the manifest into a folder, which is made if it is not there. Raises StoreError."""
    make_folder(folder)
    with whole_file(folder / NAME) as new:
        new.write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=2))


def _load(folder: Path) -> Manifest | None:
    path = folder / NAME
    try:
        return msgspec.json.decode(path.read_bytes(), type=Manifest)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise StoreError(
            f"{path}: cannot be read ({reason}); choose another folder as --output."
        ) from error


def _difference(found: Manifest, wanted: Manifest) -> str:
    if found.model_digest != wanted.model_digest:
        return f"another model, {found.model_name} {found.model_version}"
    if (found.wiki_id, found.is_partial) != (wanted.wiki_id, wanted.is_partial):
        return "the same input with another --wiki-id or --partial"
    old, new = set(found.files), set(wanted.files)
    for file in sorted(old ^ new, key=lambda one: one.name):
        return f"another input ({file.name} is new, gone or not the same file)"
    return "the same input, cut in other partitions by another revq"
