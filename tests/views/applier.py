"""Brings a stream into a view, twenty events at a time, until it ends or is killed.

    python -m tests.views.applier STREAMS_FILE URL

Says "ready" when it begins.
"""

import asyncio
import sys
from pathlib import Path

from revision_quality.events import streams as names
from revision_quality.streams.sqlite import SqliteStreams
from revision_quality.views.changes import ChangesView
from revision_quality.views.database import Database


async def apply(file: Path, url: str) -> None:
    async with SqliteStreams(file) as streams:
        view = ChangesView(Database(url))
        print("ready", flush=True)
        position = await view.position(names.PAGE_CHANGE)
        while records := await streams.read(names.PAGE_CHANGE, position, 20):
            await view.apply(records)
            position = records[-1].offset
        await view.close()


if __name__ == "__main__":
    asyncio.run(apply(Path(sys.argv[1]), sys.argv[2]))
