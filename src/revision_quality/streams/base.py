"""What the rest asks of a durable log, whatever keeps it."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from msgspec import Struct


class Outgoing(Struct, frozen=True):
    """An event to append: `id` is its `meta.id`, `key` what keeps events of one page in order."""

    stream: str
    id: str
    key: str
    value: bytes


class Record(Struct, frozen=True):
    """An event as read back; `received` is when it was appended, in Unix milliseconds."""

    stream: str
    offset: int
    received: int
    value: bytes


class Consumed(Struct, frozen=True):
    """How far a consumer group has dealt with a stream: everything up to `offset`."""

    group: str
    stream: str
    offset: int


START = 0
"""The position before the first event."""


class Streams(Protocol):
    """A durable log. Every method raises StoreError if the log cannot be read or written."""

    async def append(
        self, events: Iterable[Outgoing], consumed: Sequence[Consumed] = ()
    ) -> list[Outgoing]:
        """Append `events` and commit `consumed`; return the events that were not there yet.

        When this returns, both are durable. Events come first: after a crash in between they are
        produced again, never lost. A log that can do both at once does.
        """
        ...

    async def read(self, stream: str, after: int, limit: int) -> list[Record]:
        """Read up to `limit` events of `stream` behind offset `after`, in order."""
        ...

    async def position(self, group: str, stream: str) -> int:
        """Return the offset that `group` committed last, START if none."""
        ...

    async def end(self, stream: str) -> int:
        """Return the offset of the last event of `stream`, START if it is empty."""
        ...

    async def known(self, stream: str, ids: Iterable[str]) -> set[str]:
        """Return those of `ids` that are in `stream` already."""
        ...

    async def find(self, stream: str, ids: Iterable[str]) -> dict[str, bytes]:
        """Return the events of `stream` with these ids, by id; those that it lacks are left out."""
        ...

    def appended(self) -> int:
        """Return a number that grows with every append, to be passed to `wait`."""
        ...

    async def wait(self, appended: int, seconds: float) -> None:
        """Return as soon as something was appended since `appended`, or after `seconds`."""
        ...

    async def close(self) -> None:
        """Finish what is under way and let go of the log."""
        ...


def page_key(wiki_id: str, page_id: int) -> str:
    """Return the key of a page's events, `{wiki_id, page_id}` as in Wikimedia's stream config."""
    return f"{wiki_id}:{page_id}"
