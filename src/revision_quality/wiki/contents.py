"""Revisions' contents kept in memory: the parent of an edit is often the edit before."""

from collections import OrderedDict
from datetime import datetime

from msgspec import Struct

MAX_BYTES = 64 * 1024 * 1024


class Content(Struct, frozen=True):
    """A revision's wikitext and what a child's model input needs of it, None where hidden."""

    text: str
    rev_dt: datetime | None = None
    comment: str | None = None
    user_text: str | None = None


class Contents:
    """The contents used last, up to `max_bytes` of text as UTF-8."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._kept: OrderedDict[int, tuple[Content, int]] = OrderedDict()

    def get(self, rev_id: int) -> Content | None:
        """Return the content of a revision, None if it is not kept."""
        kept = self._kept.get(rev_id)
        if kept is None:
            return None
        self._kept.move_to_end(rev_id)
        return kept[0]

    def put(self, rev_id: int, content: Content) -> None:
        """Keep a content, and let the oldest go for it."""
        self.remove(rev_id)
        size = len(content.text.encode("utf-8", "surrogatepass"))
        self._kept[rev_id] = (content, size)
        self._bytes += size
        while self._bytes > self._max_bytes:
            _, (_, oldest_size) = self._kept.popitem(last=False)
            self._bytes -= oldest_size

    def remove(self, rev_id: int) -> None:
        """Forget a content, as when it was hidden."""
        kept = self._kept.pop(rev_id, None)
        if kept:
            self._bytes -= kept[1]
