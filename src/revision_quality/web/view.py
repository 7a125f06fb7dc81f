"""What the pages ask of the changes view."""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from sqlalchemy import Connection, Select

from revision_quality.views.change import Change

T = TypeVar("T")


class View(Protocol):
    """The reading side of the changes view; every call may raise StoreError."""

    async def rows(self, statement: Select[tuple[object]]) -> Sequence[Change]:
        """Return the rows of a statement that selects the columns of `changes`."""
        ...

    async def read(self, function: Callable[[Connection], T]) -> T:
        """Run `function` on a connection that only reads."""
        ...

    async def since(self, seq: int, limit: int) -> Sequence[Change]:
        """Return rows written after `seq`, in the order of writing, deleted ones included."""
        ...

    async def last_seq(self) -> int:
        """Return the number of the last write."""
        ...

    async def wait(self, seq: int, timeout: float) -> int:  # noqa: ASYNC109 (the view's own)
        """Return `last_seq` as soon as it is above `seq`, or after `timeout` seconds."""
        ...

    async def counts(self) -> dict[tuple[str, str], int]:
        """Return the number of rows by wiki_id and state."""
        ...
