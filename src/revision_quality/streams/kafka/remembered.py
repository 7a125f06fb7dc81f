"""Ids of events, remembered in little room: eight bytes each, and a set of the latest."""

from collections.abc import Iterable

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

CHUNK = 16_384


def number_of(identifier: str) -> int:
    """Return the last 64 bits of a UUID: among ten million, one in 10^11 new ones looks known."""
    return int(identifier[-17:].replace("-", ""), 16)


class _Chunk(Struct, frozen=True):
    numbers: NDArray[np.uint64]
    newest: int


class Remembered:
    """The ids of a partition's events, in the order of the log; the oldest can be forgotten.

    Ids are numbers from `number_of`, times are Unix milliseconds.
    """

    def __init__(self, chunk: int = CHUNK) -> None:
        self._chunk = chunk
        self._chunks: list[_Chunk] = []
        self._latest: set[int] = set()
        self._newest = 0

    def __len__(self) -> int:
        return len(self._latest) + sum(chunk.numbers.size for chunk in self._chunks)

    def add(self, number: int, received: int) -> None:
        """Remember an id of an event that was appended at `received`."""
        self._latest.add(number)
        self._newest = max(self._newest, received)
        if len(self._latest) >= self._chunk:
            numbers = np.sort(np.fromiter(self._latest, np.uint64, len(self._latest)))
            self._chunks.append(_Chunk(numbers, self._newest))
            self._latest = set()

    def known(self, numbers: Iterable[int]) -> set[int]:
        """Return those that are remembered."""
        asked = set(numbers)
        found = asked & self._latest
        if self._chunks and asked:
            array = np.fromiter(asked, np.uint64, len(asked))
            for chunk in self._chunks:
                places = np.searchsorted(chunk.numbers, array)
                places[places == chunk.numbers.size] = 0
                found.update(array[chunk.numbers[places] == array].tolist())
        return found

    def forget(self, before: int) -> None:
        """Let go of chunks whose events are all older than `before`."""
        self._chunks = [chunk for chunk in self._chunks if chunk.newest >= before]
