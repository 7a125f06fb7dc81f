"""One process for one data folder."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from revision_quality.errors import StoreError


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a folder, making it if need be.

    Raises StoreError if another process holds it, or if it cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / "lock").open("a+")
    except OSError as error:
        raise StoreError(
            f"data folder {folder} cannot be written ({error.strerror}):"
            " choose another with --data or data_folder"
        ) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            raise StoreError(
                f"data folder {folder} is in use by another revq (process {holder}):"
                " stop that one, or choose another folder with --data"
            ) from error
        except OSError as error:
            raise StoreError(
                f"data folder {folder} cannot be locked ({error.strerror}):"
                " choose another, on a disk of this machine, with --data or data_folder"
            ) from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
