"""Positions of a view that is in somebody else's database: they are kept in the views' own."""

from collections.abc import Sequence
from typing import Protocol

from revision_quality.streams.base import Record
from revision_quality.views.database import Database
from revision_quality.views.progress import place_in, position_of, set_positions


class Positions(Protocol):
    """Keeps how far partitions are in a view. Both methods raise StoreError."""

    async def get(self, stream: str, partition: int) -> int:
        """Return the offset that was put last, START if none was."""
        ...

    async def put(self, records: Sequence[Record]) -> None:
        """Keep the offset of the last of `records` of each partition."""
        ...


class ViewPositions:
    """Keeps the positions of `view` in the table `progress`, which a ChangesView has made."""

    def __init__(self, database: Database, view: str) -> None:
        self._database = database
        self._view = view

    async def get(self, stream: str, partition: int) -> int:
        """Return the offset that was put last, START if none was."""
        name = self._name(stream, partition)
        return await self._database.read(lambda connection: position_of(connection, name))

    async def put(self, records: Sequence[Record]) -> None:
        """Keep the offset of the last of `records` of each partition; none moves back."""
        values = {self._name(each.stream, each.partition): each.offset for each in records}
        if values:
            await self._database.write(lambda connection: set_positions(connection, values))

    def _name(self, stream: str, partition: int) -> str:
        return place_in(self._view, stream, partition)
