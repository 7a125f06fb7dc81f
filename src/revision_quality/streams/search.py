"""Finding a place in a stream by time."""

from typing import Protocol, runtime_checkable

from revision_quality.streams.base import START, Streams


@runtime_checkable
class TimeIndex(Protocol):
    """A log that finds a time by itself."""

    async def offset_at(self, stream: str, moment: int, partition: int = 0) -> int:
        """Return the offset behind which events from `moment` (Unix ms) on lie.

        Raises StoreError.
        """
        ...


async def offset_before(streams: Streams, stream: str, moment: int, partition: int = 0) -> int:
    """Return the offset behind which the events received at or after `moment` (Unix ms) lie.

    A log without a TimeIndex is asked some thirty times for one event, since offsets grow with
    time. Where the clock was set back, events of that hour may be left out or come on top. Raises
    StoreError.
    """
    if isinstance(streams, TimeIndex):
        return await streams.offset_at(stream, moment, partition)
    low, high = START, await streams.end(stream, partition)
    while low < high:
        middle = (low + high) // 2
        found = await streams.read(stream, middle, 1, partition)
        if not found or found[0].received >= moment:
            high = middle
        else:
            low = found[0].offset
    return low
