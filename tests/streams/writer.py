"""Another process that writes a streams file: `python -m tests.streams.writer VERB FILE ...`.

append FILE FIRST NUMBER   appends that many events
count FILE                 appends event n and commits position n, for ever
crash FILE                 does so once, and ends in the middle of the second time
"""

import asyncio
import os
import sys
from pathlib import Path
from uuid import UUID

from revision_quality.streams.base import Consumed, Outgoing
from revision_quality.streams.sqlite import SqliteStreams


def event(number: int) -> Outgoing:
    return Outgoing("edits", str(UUID(int=number)), "my_wiki:1", f"event {number}".encode())


async def append(streams: SqliteStreams, first: int, number: int) -> None:
    for one in range(first, first + number):
        await streams.append([event(one)])


async def count(streams: SqliteStreams) -> None:
    number = await streams.position("counter", "edits")
    print(number, flush=True)
    while True:
        number += 1
        await streams.append([event(number)], [Consumed("counter", "edits", number)])


async def crash(streams: SqliteStreams) -> None:
    await streams.append([event(1)], [Consumed("counter", "edits", 1)])
    streams._write_connection.set_trace_callback(_exit_before_the_commit)
    await streams.append([event(2)], [Consumed("counter", "edits", 2)])


def _exit_before_the_commit(statement: str) -> None:
    if statement.startswith("COMMIT"):
        os._exit(3)


async def main(verb: str, path: str, *numbers: str) -> None:
    async with SqliteStreams(Path(path)) as streams:
        if verb == "append":
            await append(streams, int(numbers[0]), int(numbers[1]))
        else:
            await {"count": count, "crash": crash}[verb](streams)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
