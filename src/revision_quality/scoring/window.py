"""Which events of a stream are under way, and how far its position may move."""

from collections.abc import Collection

from revision_quality.streams.base import START


class Window:
    """The offsets read but not dealt with, at most `size` of them.

    The position may move up to the lowest unfinished offset and no further: an event behind it
    would be lost in a crash.
    """

    def __init__(self, size: int, position: int = START) -> None:
        self._size = size
        self._unfinished: dict[int, None] = {}
        self.read_up_to = position

    @property
    def room(self) -> int:
        """How many more events may be read."""
        return self._size - len(self._unfinished)

    def __len__(self) -> int:
        return len(self._unfinished)

    def __contains__(self, offset: int) -> bool:
        return offset in self._unfinished

    def begin(self, offset: int) -> None:
        """Take up an event; offsets come in order."""
        self._unfinished[offset] = None
        self.read_up_to = offset

    def position_after(self, offsets: Collection[int]) -> int:
        """Return the position that may be committed once `offsets` are finished too."""
        done = set(offsets)
        lowest = next((offset for offset in self._unfinished if offset not in done), None)
        return self.read_up_to if lowest is None else lowest - 1

    def finish(self, offsets: Collection[int]) -> None:
        """Let go of events that are dealt with."""
        for offset in offsets:
            self._unfinished.pop(offset, None)
