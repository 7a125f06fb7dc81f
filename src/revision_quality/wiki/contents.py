"""Revisions' contents kept in memory: the parent of an edit is often the edit before.

All wikis of a process share one room, whatever their number.
"""

import sys
from collections import OrderedDict
from datetime import datetime
from itertools import count

from msgspec import Struct

MAX_BYTES = 64 * 1024 * 1024
"""What a room holds."""

ENTRY_BYTES = 600
"""What a content with an empty text takes, measured with tracemalloc: for short ones most of it."""


class Content(Struct, frozen=True):
    """A revision's wikitext and what a child's model input needs of it, None where hidden."""

    text: str
    rev_dt: datetime | None = None
    comment: str | None = None
    user_text: str | None = None


def bytes_of(content: Content) -> int:
    """Return the memory that a content takes: 1, 2 or 4 bytes a character, by the widest one."""
    return ENTRY_BYTES + sys.getsizeof(content.text) - sys.getsizeof("")


class Room:
    """The contents used last, of all wikis, up to `max_bytes` of memory."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._kept: OrderedDict[tuple[int, int], tuple[Content, int]] = OrderedDict()

    @property
    def bytes(self) -> int:
        """What is taken."""
        return self._bytes

    def get(self, key: tuple[int, int]) -> Content | None:
        """Return a content, None if it is not kept."""
        kept = self._kept.get(key)
        if kept is None:
            return None
        self._kept.move_to_end(key)
        return kept[0]

    def put(self, key: tuple[int, int], content: Content) -> None:
        """Keep a content, and let the oldest go for it."""
        self.remove(key)
        size = bytes_of(content)
        self._kept[key] = (content, size)
        self._bytes += size
        while self._bytes > self._max_bytes:
            _, (_, oldest_size) = self._kept.popitem(last=False)
            self._bytes -= oldest_size

    def remove(self, key: tuple[int, int]) -> None:
        """Forget a content."""
        kept = self._kept.pop(key, None)
        if kept:
            self._bytes -= kept[1]


class Contents:
    """The contents of one wiki, by rev_id, in a room of its own or one that it shares."""

    _numbers = count()

    def __init__(self, room: Room | None = None) -> None:
        self._room = room or Room()
        self._number = next(self._numbers)
        self.hits = self.misses = 0

    def get(self, rev_id: int) -> Content | None:
        """Return the content of a revision, None if it is not kept."""
        content = self._room.get((self._number, rev_id))
        if content is None:
            self.misses += 1
        else:
            self.hits += 1
        return content

    def put(self, rev_id: int, content: Content) -> None:
        """Keep a content."""
        self._room.put((self._number, rev_id), content)

    def remove(self, rev_id: int) -> None:
        """Forget a content, as when it was hidden."""
        self._room.remove((self._number, rev_id))
