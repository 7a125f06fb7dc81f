"""A reader of server-sent events."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import httpx


class Event(NamedTuple):
    name: str
    id: int
    data: dict[str, Any]

    @property
    def key(self) -> str:
        return str(self.data.get("key"))


class Reader:
    """Reads one answer's events, in their order."""

    def __init__(self, answer: httpx.Response) -> None:
        self.answer = answer
        self._lines = answer.aiter_lines()

    async def next(self) -> Event:
        """Return the next event but a summary. Raises StopAsyncIteration at the end."""
        fields: dict[str, str] = {}
        while True:
            line = await anext(self._lines)
            name, _, value = line.partition(": ")
            if line and name:
                fields[name] = value
            elif "event" in fields and fields["event"] not in ("summary", "alive"):
                return Event(fields["event"], int(fields["id"]), json.loads(fields["data"]))
            elif not line:
                fields = {}

    async def take(self, number: int) -> list[Event]:
        """Return the next events."""
        return [await self.next() for _ in range(number)]


@asynccontextmanager
async def listening(
    address: str, query: str = "", last_event_id: int | None = None
) -> AsyncIterator[Reader]:
    """Open the events of a page's filters."""
    headers = {} if last_event_id is None else {"Last-Event-ID": str(last_event_id)}
    url = f"{address}/recent-changes/events?{query}"
    async with (
        httpx.AsyncClient(timeout=60) as client,
        client.stream("GET", url, headers=headers) as answer,
    ):
        yield Reader(answer)
