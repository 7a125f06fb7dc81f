"""Small state that must survive a crash: one JSON file, replaced as a whole."""

import os
from contextlib import suppress
from pathlib import Path
from secrets import token_hex
from typing import Generic, TypeVar

import msgspec

from revision_quality.errors import StoreError

T = TypeVar("T", bound=msgspec.Struct)


class StateFile(Generic[T]):
    """Keeps one Struct in a file. Raises StoreError where the file cannot be read or written."""

    def __init__(self, path: Path, kind: type[T]) -> None:
        self._path = path
        self._kind = kind

    def load(self) -> T | None:
        """Return what was saved last, None if nothing was."""
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=self._kind)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
            raise StoreError(
                f"state file {self._path} cannot be read: {error};"
                " remove it to begin again with the latest changes"
            ) from error

    def save(self, state: T) -> None:
        """Replace what was saved; a crash leaves the old or the new state."""
        # Processes that share a folder may save at the same moment.
        new = self._path.with_suffix(f".{token_hex(4)}.new")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with new.open("wb") as file:
                file.write(msgspec.json.encode(state))
                file.flush()
                os.fsync(file.fileno())
            new.replace(self._path)
        except OSError as error:
            with suppress(OSError):
                new.unlink()
            raise StoreError(f"state file {self._path} cannot be written: {error}") from error
