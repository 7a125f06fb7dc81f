"""Files that are there as a whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from revision_quality.errors import StoreError

_NEW = ".new"


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a name to write to; what is there at the end of the block becomes `path`.

    The name is unique: two workers may write the same file, the last one stays. Raises StoreError
    for OSError, the block's too.
    """
    new = path.with_name(f".{path.name}.{uuid4().hex}{_NEW}")
    try:
        yield new
        _sync(new)
        new.replace(path)
        _sync(path.parent)
    except OSError as error:
        raise unwritable(path, error.strerror or error) from error
    finally:
        new.unlink(missing_ok=True)


def make_folder(folder: Path) -> None:
    """Make a folder, if it is not there. Raises StoreError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(folder, error.strerror) from error


def unwritable(path: Path, reason: object) -> StoreError:
    """Return what to raise where a file or folder of the output cannot be written."""
    return StoreError(
        f"{path}: cannot be written ({reason}); mend that and run again, or choose"
        " another --output."
    )


def remove_unfinished(folder: Path) -> None:
    """Remove what workers that were killed have left; to call when none is at work."""
    for path in folder.glob(f".*{_NEW}"):
        path.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
