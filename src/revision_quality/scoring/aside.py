"""Edits that are left in the stream for now, to be read again when their wiki's turn comes."""

from collections.abc import Collection

from msgspec import Struct


class Span(Struct, frozen=True):
    """The edits of one wiki behind the offset `after`, up to and with `upto`."""

    after: int
    upto: int


class Aside:
    """Of each wiki one span of offsets: what is remembered does not grow with what waits.

    A span may hold edits that were dealt with meanwhile; they are known by their outcome.
    """

    def __init__(self) -> None:
        self._spans: dict[str, Span] = {}

    def __len__(self) -> int:
        return len(self._spans)

    def __contains__(self, wiki_id: object) -> bool:
        return wiki_id in self._spans

    @property
    def position(self) -> int | None:
        """The offset behind which all lie, None if there are none."""
        return self.position_of(self._spans)

    def position_of(self, wiki_ids: Collection[str]) -> int | None:
        """Return the offset behind which the edits of some wikis lie, None if there are none."""
        return min((self._spans[wiki_id].after for wiki_id in wiki_ids), default=None)

    def add(self, wiki_id: str, offset: int) -> None:
        """Leave an edit in the stream."""
        span = self._spans.get(wiki_id, Span(offset - 1, offset))
        self._spans[wiki_id] = Span(min(span.after, offset - 1), max(span.upto, offset))

    def has(self, wiki_id: str, offset: int) -> bool:
        """Tell whether an event of a wiki lies in its span."""
        span = self._spans.get(wiki_id)
        return span is not None and span.after < offset <= span.upto

    def read_up_to(self, wiki_id: str, offset: int) -> None:
        """Say that a wiki's edits up to `offset` are taken up again."""
        span = self._spans.get(wiki_id)
        if span is None or offset <= span.after:
            return
        if offset >= span.upto:
            del self._spans[wiki_id]
        else:
            self._spans[wiki_id] = Span(offset, span.upto)

    @property
    def wiki_ids(self) -> tuple[str, ...]:
        """The wikis that have edits aside."""
        return tuple(self._spans)
