"""Finding a place in a stream by time."""

from revision_quality.streams.base import START, Streams


async def offset_before(streams: Streams, stream: str, moment: int) -> int:
    """Return the offset behind which the events received at or after `moment` (Unix ms) lie.

    Offsets grow with time, so this takes some thirty reads of one event. Where the clock was set
    back, events of that hour may be left out or come on top. Raises StoreError.
    """
    low, high = START, await streams.end(stream)
    while low < high:
        middle = (low + high) // 2
        found = await streams.read(stream, middle, 1)
        if not found or found[0].received >= moment:
            high = middle
        else:
            low = found[0].offset
    return low
