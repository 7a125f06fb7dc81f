"""What the rest asks of a durable log, whatever keeps it.

A stream has one partition or several. Events of one key are in one partition, in order; offsets and
positions are those of a partition. Partition 0 is the only one of a log that does not part streams.
"""

from collections.abc import Iterable, Sequence
from typing import Protocol

import msgspec
from msgspec import Struct


class Outgoing(Struct, frozen=True):
    """An event to append: `id` is its `meta.id`, `key` what keeps events of one page in order."""

    stream: str
    id: str
    key: str
    value: bytes


class Record(Struct, frozen=True):
    """An event as read back; `received` is when it was appended, in Unix milliseconds.

    Offsets grow by one or more from one event of a partition to the next; the first is above START.
    """

    stream: str
    offset: int
    received: int
    value: bytes
    partition: int = 0


class Consumed(Struct, frozen=True):
    """How far a consumer group has dealt with a partition: everything up to `offset`."""

    group: str
    stream: str
    offset: int
    partition: int = 0


START = 0
"""The position before the first event."""


class Partition(Struct, frozen=True):
    """One of a stream's partitions, counted from 0."""

    stream: str
    number: int = 0


class Claim(Struct, frozen=True):
    """A partition that is this member's to deal with, from behind `position` on.

    `term` grows with every claim of the member: one that it lost and got back is another claim.
    """

    partition: Partition
    position: int
    term: int = 0


class Work(Struct, frozen=True):
    """What came of a claimed partition's events, and the position behind what is dealt with.

    The position is no higher than the lowest unfinished event allows; it may be lower than before.
    """

    claim: Claim
    events: tuple[Outgoing, ...]
    position: int


class Member(Protocol):
    """A member of a consumer group, which shares the partitions of some streams.

    Between `claims` and `publish` a partition may become another member's. Nothing that is
    published then counts: the new owner begins at the committed position and knows every outcome
    behind it.
    """

    @property
    def claims(self) -> tuple[Claim, ...]:
        """The partitions to deal with now."""
        ...

    def changes(self) -> int:
        """Return a number that grows when the claims change, to be passed to `wait`."""
        ...

    async def wait(self, changes: int, seconds: float) -> None:
        """Return as soon as the claims changed since `changes`, or after `seconds`."""
        ...

    async def publish(self, work: Work) -> bool:
        """Append the events and commit the position, both or neither.

        Returns whether that was done: False if the claim is lost, and with it the work. Raises
        StoreError if it could not be done now; trying again is safe.
        """
        ...

    async def known(self, stream: str, ids: Iterable[str]) -> set[str]:
        """Return those of `ids` that are in an outcome stream already.

        It knows whatever came of the events behind the claimed positions and, as far as the log
        remembers, of the events before them. Raises StoreError.
        """
        ...

    async def close(self) -> None:
        """Leave the group; the others take over at once."""
        ...


class Streams(Protocol):
    """A durable log. Every method raises StoreError if the log cannot be read or written."""

    async def append(
        self, events: Iterable[Outgoing], consumed: Sequence[Consumed] = ()
    ) -> list[Outgoing]:
        """Append `events` and commit `consumed`; return the events that were not there yet.

        When this returns, both are durable. Events come first: after a crash in between they are
        produced again, never lost. A log that can do both at once does. Whether an event is there
        already is certain with an index (IndexedStreams) only; without, a repetition is left out
        where it is remembered, and consumers know it by its id.
        """
        ...

    async def partitions(self, stream: str) -> int:
        """Return how many partitions `stream` has, at least one; they never become fewer."""
        ...

    async def read(self, stream: str, after: int, limit: int, partition: int = 0) -> list[Record]:
        """Read up to `limit` events behind offset `after`, in order; none at the end only."""
        ...

    async def position(self, group: str, stream: str, partition: int = 0) -> int:
        """Return the offset that `group` committed last, START if none."""
        ...

    async def end(self, stream: str, partition: int = 0) -> int:
        """Return an offset that all events so far are at or before, START if there are none."""
        ...

    async def join(
        self, group: str, streams: Sequence[str], outcomes: Sequence[str] = ()
    ) -> Member:
        """Become a member of `group`, which deals with `streams` and publishes to `outcomes`."""
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


class Index(Protocol):
    """Finds events by their ids: an indexed log, or a store of scores beside one that has none."""

    async def find(self, stream: str, ids: Iterable[str]) -> dict[str, bytes]:
        """Return the events of `stream` with these ids, by id; those that it lacks are left out.

        Raises StoreError.
        """
        ...


class IndexedStreams(Streams, Index, Protocol):
    """A log that also finds events by their ids."""

    async def known(self, stream: str, ids: Iterable[str]) -> set[str]:
        """Return those of `ids` that are in `stream` already."""
        ...


class _PageKey(Struct, frozen=True):
    wiki_id: str
    page_id: int


def page_key(wiki_id: str, page_id: int) -> str:
    """Return the key of a page's events, a JSON object as EventGate writes it.

    Source: `message_key_fields` of page_change in operations/mediawiki-config,
    wmf-config/ext-EventStreamConfig.php.
    """
    return msgspec.json.encode(_PageKey(wiki_id, page_id)).decode()
