"""The event loop of what serves."""

import asyncio
import gc
import os
import sys
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import structlog

T = TypeVar("T")

_COLLECT_AFTER = 50_000
"""Objects that a batch of events makes and drops again, none of them a cycle: with Python's own 700
looking through them took up to a tenth of the time (perf)."""

_log = structlog.get_logger()


def run_loop(main: Coroutine[Any, Any, T]) -> T:
    """Run `main` to its end as `asyncio.run` does, in uvloop's loop where there is one.

    The garbage collector looks for cycles more seldom from then on.
    """
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER)
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(main)


def end_within(seconds: float, leave: Callable[[int], object] = os._exit) -> None:
    """End this process after so many seconds, whatever it does then; it ends with 0.

    An interpreter waits for its threads, and a thread for a database that does not answer: that
    can take minutes. What is durable stays, and what is not is done again at the next start.
    """

    def last() -> None:
        _log.warning("something does not end, leaving it", seconds=seconds)
        leave(0)

    timer = threading.Timer(seconds, last)
    timer.daemon = True
    timer.start()


def _loop_factory() -> Any:
    if sys.platform == "win32":
        return None
    import uvloop  # noqa: PLC0415 (Windows has none)

    return uvloop.new_event_loop
