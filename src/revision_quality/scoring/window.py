"""Which events of a stream are under way, and how far its position may move."""

import heapq
from collections.abc import Collection

from revision_quality.streams.base import START

_SLACK = 1000


class Window:
    """The offsets taken up but not dealt with, at most `size` of them in the long run.

    The position may move up to the lowest unfinished offset and no further: an event behind it
    would be lost in a crash.
    """

    def __init__(self, size: int, position: int = START) -> None:
        self._size = size
        self._unfinished: set[int] = set()
        self._heap: list[int] = []
        self.read_up_to = position

    @property
    def excess(self) -> int:
        """How many events are under way beyond `size`."""
        return max(0, len(self._unfinished) - self._size)

    @property
    def remembered(self) -> int:
        """How many offsets are kept, of finished events too: bounded by those under way."""
        return len(self._heap)

    def __len__(self) -> int:
        return len(self._unfinished)

    def __contains__(self, offset: int) -> bool:
        return offset in self._unfinished

    def begin(self, offset: int) -> None:
        """Take up an event; one that is read again may lie before others."""
        self._unfinished.add(offset)
        heapq.heappush(self._heap, offset)
        self.pass_by(offset)

    def pass_by(self, offset: int) -> None:
        """Say that an event is read, whether or not it is taken up."""
        self.read_up_to = max(self.read_up_to, offset)

    def position_after(self, offsets: Collection[int]) -> int:
        """Return the position that may be committed once `offsets` are finished too."""
        done = set(offsets)
        skipped = []
        while self._heap and (self._heap[0] not in self._unfinished or self._heap[0] in done):
            lowest = heapq.heappop(self._heap)
            if lowest in self._unfinished:
                skipped.append(lowest)
        position = self._heap[0] - 1 if self._heap else self.read_up_to
        for offset in skipped:
            heapq.heappush(self._heap, offset)
        return position

    def finish(self, offsets: Collection[int]) -> None:
        """Let go of events that are dealt with, or set aside."""
        self._unfinished.difference_update(offsets)
        if len(self._heap) > 2 * len(self._unfinished) + _SLACK:
            self._heap = sorted(self._unfinished)
