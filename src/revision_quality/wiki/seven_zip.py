"""The one file of a 7z archive, as a stream; needs the package py7zr."""

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import IO

import py7zr
from py7zr.io import Py7zIO, WriterFactory

from revision_quality.errors import DumpError


class _Pipe(Py7zIO):
    """Takes what py7zr unpacks into the writing end of a pipe, and waits while that is full."""

    def __init__(self, descriptor: int) -> None:
        self._file = os.fdopen(descriptor, "wb")
        self._size = 0

    def write(self, s: bytes | bytearray) -> int:
        self._size += len(s)
        return self._file.write(s)

    def read(self, size: int | None = None) -> bytes:
        return b""

    def seek(self, offset: int, whence: int = 0) -> int:
        return offset

    def flush(self) -> None:
        self._file.flush()

    def size(self) -> int:
        return self._size

    def close(self) -> None:
        # A reader that has left makes the rest of the buffer moot.
        with suppress(BrokenPipeError):
            self._file.close()


class _ToPipe(WriterFactory):
    def __init__(self, pipe: _Pipe) -> None:
        self._pipe = pipe

    def create(self, filename: str) -> Py7zIO:
        return self._pipe


@contextmanager
def open_7z(path: Path, packed: io.FileIO) -> Iterator[IO[bytes]]:
    """Open the first file of an archive for reading; it is unpacked in a thread as it is read.

    `packed` is the opened archive, `path` its name in errors.
    py7zr unpacks up to 128 MB at a time, so memory is bounded by some 170 MB. Raises DumpError for
    what is no such archive.
    """
    reading, writing = os.pipe()
    pipe = _Pipe(writing)
    failures: list[Exception] = []

    def unpack() -> None:
        try:
            with py7zr.SevenZipFile(packed) as archive:
                first = [entry.filename for entry in archive.list() if not entry.is_directory][:1]
                archive.extract(targets=first, factory=_ToPipe(pipe))
        except BrokenPipeError:
            return
        except Exception as error:
            failures.append(error)
        finally:
            pipe.close()

    unpacking = Thread(target=unpack, name="7z", daemon=True)
    unpacking.start()
    try:
        with os.fdopen(reading, "rb", buffering=io.DEFAULT_BUFFER_SIZE) as file:
            yield file
    finally:
        unpacking.join()
        if failures:
            raise DumpError(f"{path}: cannot be unpacked ({failures[0]}).") from failures[0]
