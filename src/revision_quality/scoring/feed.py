"""One claimed partition: what is read of it, published and committed goes through here."""

from collections.abc import Iterable, Sequence

from revision_quality.clock import Clock
from revision_quality.events import streams as names
from revision_quality.streams.base import Claim, Member, Outgoing, Record, Streams, Work
from revision_quality.streams.perseverance import in_the_end


class Feed:
    """Reads a partition in order, and again where that is asked for; publishes what came of it.

    Once the claim is lost nothing is published any more: the events are another member's.
    """

    def __init__(self, streams: Streams, member: Member, claim: Claim, clock: Clock) -> None:
        self._streams = streams
        self._member = member
        self._claim = claim
        self._clock = clock
        self._committed = claim.position

    @property
    def position(self) -> int:
        """The position behind which to begin."""
        return self._claim.position

    @property
    def partition(self) -> int:
        """The number of the partition."""
        return self._claim.partition.number

    @property
    def is_retry(self) -> bool:
        """Whether edits come again here, to be scored although they have failed."""
        return self._claim.partition.stream == names.RETRY

    async def read(self, after: int, limit: int) -> list[Record]:
        """Read up to `limit` events behind `after`, in order; nothing only at the partition's end.

        `after` may lie before what was read already. Raises StoreError.
        """
        partition = self._claim.partition
        return await self._streams.read(partition.stream, after, limit, partition.number)

    async def known(self, stream: str, ids: Iterable[str]) -> set[str]:
        """Return those of `ids` that are in the stream `stream` already. Raises StoreError."""
        return await self._member.known(stream, ids)

    async def publish(self, events: Sequence[Outgoing], position: int) -> bool:
        """Publish and commit; goes on trying while the streams cannot be written.

        Returns whether that was done: not once the claim is lost.
        """
        if not events and position <= self._committed:
            return True
        work = Work(self._claim, tuple(events), position)
        is_done = await in_the_end(
            lambda: self._member.publish(work),
            trouble="scores cannot be published, trying again",
            relief="scores are published again",
            clock=self._clock,
        )
        self._committed = position
        return is_done

    def appended(self) -> int:
        """Return a number that grows with every append, to be passed to `wait`."""
        return self._streams.appended()

    async def wait(self, appended: int, seconds: float) -> None:
        """Return as soon as something was appended since `appended`, or after `seconds`."""
        await self._streams.wait(appended, seconds)
