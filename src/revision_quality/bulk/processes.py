"""The engine of one machine: as many processes as wanted."""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from threading import Thread
from typing import TypeVar

from revision_quality.errors import BulkError

Task = TypeVar("Task")
Result = TypeVar("Result")


class Processes:
    """Does tasks in the processes of a pool."""

    def __init__(self, pool: ProcessPoolExecutor) -> None:
        self._pool = pool

    def map(self, tasks: Iterable[Task], work: Callable[[Task], Result]) -> Iterator[Result]:
        """Return a result for each task, as they come. Raises BulkError."""
        try:
            for future in as_completed([self._pool.submit(work, task) for task in tasks]):
                yield future.result()
        except BrokenProcessPool as error:
            raise BulkError(
                "a worker process was killed, perhaps for want of memory: run again, it goes on"
                " where it was, with fewer --workers if it is killed again."
            ) from error


@contextmanager
def processes(workers: int | None = None) -> Iterator[Processes]:
    """Give an engine of `workers` processes, None for one on each core; they end with the block."""
    pool = ProcessPoolExecutor(
        workers or os.cpu_count(),
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_end_with_the_parent,
    )
    try:
        yield Processes(pool)
    except BaseException:
        # The pool itself would wait for the tasks under way, hours perhaps.
        for child in multiprocessing.active_children():
            child.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _end_with_the_parent() -> None:
    """Let the process end by Ctrl-C without a word, and when its parent was killed."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    parent = multiprocessing.parent_process()
    if parent is not None:
        Thread(target=_exit_after, args=(parent,), daemon=True).start()


def _exit_after(parent: multiprocessing.process.BaseProcess) -> None:
    parent.join()
    os._exit(1)
