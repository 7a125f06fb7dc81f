"""The event loop of what serves."""

import asyncio
import gc
import sys
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

_COLLECT_AFTER = 50_000
"""Objects that a batch of events makes and drops again, none of them a cycle: with Python's own 700
looking through them took up to a tenth of the time (perf)."""


def run_loop(main: Coroutine[Any, Any, T]) -> T:
    """Run `main` to its end as `asyncio.run` does, in uvloop's loop where there is one.

    The garbage collector looks for cycles more seldom from then on.
    """
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER)
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(main)


def _loop_factory() -> Any:
    if sys.platform == "win32":
        return None
    import uvloop  # noqa: PLC0415 (Windows has none)

    return uvloop.new_event_loop
