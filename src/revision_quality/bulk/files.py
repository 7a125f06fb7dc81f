"""The files of an input, and what tells one from another."""

import re
from collections import Counter
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

from msgspec import Struct

from revision_quality.errors import BulkError
from revision_quality.wiki.dump import is_dump_name

PARQUET = ".parquet"

_END_BYTES = 1024 * 1024
"""Read of both ends: packed files and Parquet have their checksums or their contents at the end."""

_PACKING = re.compile(r"\.(gz|bz2|xz|7z)$")


class SourceFile(Struct, frozen=True):
    """A file as the manifest knows it: wherever it lies, it is the same by these three."""

    name: str
    size: int
    digest: str


def find_files(given: Path) -> list[Path]:
    """Return the files of a file, a folder or a pattern such as `dumps/*.bz2`, by name.

    All are dumps, or all are Parquet. Raises BulkError.
    """
    found = sorted(_candidates(given), key=lambda path: path.name)
    if not found:
        raise BulkError(f"{given}: there is no XML dump and no *{PARQUET} file.")
    if len({is_parquet(path) for path in found}) > 1:
        raise BulkError(f"{given}: has dumps and Parquet files; score one kind at a time.")
    _check_once(found)
    return [path.absolute() for path in found]


def is_parquet(path: Path) -> bool:
    """Tell by the name whether a file is Parquet."""
    return path.suffix == PARQUET


def identify(path: Path) -> SourceFile:
    """Return what tells a file from another. Raises BulkError."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            digest = sha256(file.read(_END_BYTES))
            file.seek(max(0, size - _END_BYTES))
            digest.update(file.read(_END_BYTES))
    except OSError as error:
        raise BulkError(f"{path}: cannot be read ({error.strerror}).") from error
    return SourceFile(path.name, size, digest.hexdigest())


def _candidates(given: Path) -> Iterable[Path]:
    if given.is_dir():
        return [path for path in given.iterdir() if path.is_file() and _is_input(path)]
    if given.is_file():
        if not _is_input(given):
            raise BulkError(f"{given}: is no XML dump and no *{PARQUET} file, by its name.")
        return [given]
    if not any(sign in given.name for sign in "*?["):
        raise BulkError(f"{given}: there is no such file or folder.")
    return [path for path in given.parent.glob(given.name) if path.is_file() and _is_input(path)]


def _is_input(path: Path) -> bool:
    return path.name[0] not in "._" and (is_parquet(path) or is_dump_name(path.name))


def _check_once(paths: Iterable[Path]) -> None:
    counts = Counter(_PACKING.sub("", path.name) for path in paths)
    name, number = counts.most_common(1)[0]
    if number > 1:
        raise BulkError(f"{name}: is there {number} times, packed in several ways; keep one.")
