"""The engine of many machines: a Ray cluster, or Ray on this machine alone."""

import logging
import os
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any, TypeVar

from revision_quality.errors import BulkError

TRIES = 5
"""How often a task is begun again after its worker or machine was lost, or lacked memory."""

PATIENCE_SECONDS = 30.0

LOCAL = "local"

_UNDER_WAY = 1000
"""Tasks given to the cluster at once; it keeps a record of each."""

_STORE_BYTES = 100 * 1024 * 1024
"""The model and the results are all that goes through the object store (Ray's least is 75 MB)."""

_PROBE = "import sys, ray; ray.init(sys.argv[1], log_to_driver=False)"

Task = TypeVar("Task")
Result = TypeVar("Result")


class RayCluster:
    """Does tasks on the cores of the cluster that this process is connected to."""

    def __init__(self, ray: Any) -> None:
        self._ray = ray

    def map(self, tasks: Iterable[Task], work: Callable[[Task], Result]) -> Iterator[Result]:
        """Return a result for each task, as they come. Raises BulkError."""
        call = self._ray.remote(num_cpus=1, max_retries=TRIES)(_call)
        shared = self._ray.put(work)
        waiting = iter(tasks)
        running = [call.remote(shared, task) for task in islice(waiting, _UNDER_WAY)]
        while running:
            done, running = self._ray.wait(running)
            running += [call.remote(shared, task) for task in islice(waiting, len(done))]
            for reference in done:
                yield self._result(reference)

    def _result(self, reference: Any) -> Any:
        try:
            return self._ray.get(reference)
        except self._ray.exceptions.OutOfMemoryError as error:
            raise BulkError(
                "the Ray cluster has too little memory: a worker was killed for want of it again"
                " and again. Run again with fewer --workers or more memory, it goes on where it"
                " was."
            ) from error
        except self._ray.exceptions.RayError as error:
            last = str(error).strip().splitlines()[-1]
            raise BulkError(
                f"the Ray cluster cannot do the work ({type(error).__name__}: {last}); every"
                " machine needs the same revision-quality[ray]. Run again, it goes on where it was."
            ) from error


@contextmanager
def ray_cluster(
    address: str = LOCAL, workers: int | None = None, patience: float = PATIENCE_SECONDS
) -> Iterator[RayCluster]:
    """Give an engine on the cluster at `address`, connected to for the block.

    LOCAL starts Ray on this machine alone, on loopback, with `workers` cores (None: all). Raises
    BulkError where Ray is not installed or the cluster does not answer within `patience` seconds.
    """
    # Without being asked Ray would tell its makers of every cluster that it starts.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    # Else it would begin a task that lacks memory again for ever.
    os.environ.setdefault("RAY_task_oom_retries", str(TRIES))
    if address == LOCAL:
        _keep_token_out_of_home()
    ray = _ray()
    if address == LOCAL:
        options = {
            "num_cpus": workers,
            "include_dashboard": False,
            "object_store_memory": _STORE_BYTES,
            "_node_ip_address": "127.0.0.1",
        }
    else:
        _ask(address, patience)
        options = {}
    ray.init(address, log_to_driver=False, logging_level=logging.ERROR, **options)
    try:
        yield RayCluster(ray)
    finally:
        ray.shutdown()


def _call(work: Callable[[Task], Result], task: Task) -> Result:
    return work(task)


def _ray() -> Any:
    try:
        import ray  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise BulkError(
            "--engine ray needs Ray: install it with `pip install 'revision-quality[ray]'`."
        ) from error
    return ray


def _keep_token_out_of_home() -> None:
    """Give a cluster that lives no longer than this process a token of its own."""
    if not any(name.startswith("RAY_AUTH_") for name in os.environ):
        os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)


def _ask(address: str, patience: float) -> None:
    """Raise BulkError if a cluster cannot be connected to.

    Another process tries it first: where nothing answers, Ray tries on for minutes and cannot be
    interrupted.
    """
    try:
        subprocess.run(  # noqa: S603 (the address is an argument, not code)
            [sys.executable, "-c", _PROBE, address],
            check=True,
            capture_output=True,
            timeout=patience,
        )
    except subprocess.TimeoutExpired as error:
        raise BulkError(
            f"--address {address}: no Ray cluster answers there within {patience:g} seconds."
        ) from error
    except subprocess.CalledProcessError as error:
        last = error.stderr.decode(errors="replace").strip().splitlines()[-1:] or ["no reason"]
        raise BulkError(f"--address {address}: Ray cannot connect to it: {last[0]}") from error
