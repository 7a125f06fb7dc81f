"""Events of a batch that a view can read; one that it cannot must not stop all behind it."""

from collections.abc import Callable, Iterable
from typing import TypeVar

import structlog

from revision_quality.errors import InvalidEventError
from revision_quality.streams.base import Record

T = TypeVar("T")

_log = structlog.get_logger()


def take_each(records: Iterable[Record], take: Callable[[Record], None], place: str) -> None:
    """Let `take` have each event.

    One for which it raises InvalidEventError is left out of `place` ("the changes view"), with a
    warning.
    """
    for record in records:
        try:
            take(record)
        except InvalidEventError as error:
            _log.warning(
                f"unreadable event left out of {place}",
                stream=record.stream,
                offset=record.offset,
                error=str(error),
            )


def readable(records: Iterable[Record], read: Callable[[Record], T | None], place: str) -> list[T]:
    """Return what `read` makes of each event, where it makes something of it, as `take_each`."""
    told: list[T] = []

    def take(record: Record) -> None:
        fact = read(record)
        if fact is not None:
            told.append(fact)

    take_each(records, take, place)
    return told
