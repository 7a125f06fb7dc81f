"""What streams hold that a view has not got yet, in the order of its time."""

from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence

from revision_quality.streams.base import Record, Streams

Place = tuple[str, int]
"""A stream and the number of a partition."""


class MergedStreams:
    """Reads several partitions such that of those that are far behind one time comes together.

    An edit's events come by several streams: brought into a view at once, they change its row once.
    What a partition holds that is not far behind, such as a hiding, does not wait for others.
    """

    def __init__(self, streams: Streams) -> None:
        self._streams = streams
        self._read: dict[Place, deque[Record]] = defaultdict(deque)

    async def next(self, positions: Mapping[Place, int], number: int) -> list[Record]:
        """Return the next events: `number` and up to as many again, fewer at the end only.

        They follow those of the last call; `positions` says where partitions are of which nothing
        is read ahead. Raises StoreError: then `forget` what was read.
        """
        at_once = max(1, number // len(positions))
        offsets = {
            place: self._read[place][-1].offset if self._read[place] else position
            for place, position in positions.items()
        }
        behind = list(positions)
        taken: list[Record] = []
        while behind and len(taken) < number:
            for place in behind.copy():
                records = self._read[place]
                if records:
                    continue
                stream, partition = place
                found = await self._streams.read(stream, offsets[place], at_once, partition)
                if len(found) < at_once:
                    behind.remove(place)
                    taken += found
                else:
                    offsets[place] = found[-1].offset
                    records.extend(found)
            taken += self._of_one_time([self._read[place] for place in behind])
        return taken

    def forget(self) -> None:
        """Read anew what was read and not returned."""
        self._read.clear()

    @staticmethod
    def _of_one_time(read: Sequence[deque[Record]]) -> Iterator[Record]:
        """Take from each what is not newer than what may still be read of another."""
        until = min((max(record.received for record in records) for records in read), default=0)
        for records in read:
            while records and records[0].received <= until:
                yield records.popleft()
