"""Works that go on at once."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

Work = Callable[[], Awaitable[None]]


async def together(works: Iterable[Work]) -> None:
    """Do all at once until the first fails, and raise what it raised."""
    tasks = [asyncio.ensure_future(work()) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
