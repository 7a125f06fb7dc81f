"""Who does the work: processes of this machine, or a cluster."""

from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from typing import Protocol, TypeVar

from msgspec import Struct

Task = TypeVar("Task")
Result = TypeVar("Result")


class EngineName(StrEnum):
    """The engines that there are."""

    LOCAL = "local"
    RAY = "ray"


class EngineChoice(Struct, frozen=True):
    """An engine as a user names it: `address` is a Ray cluster's, `workers` None for each core."""

    name: EngineName = EngineName.LOCAL
    address: str | None = None
    workers: int | None = None


class Engine(Protocol):
    """Many workers. Tasks, work and results are pickled on their way."""

    def map(self, tasks: Iterable[Task], work: Callable[[Task], Result]) -> Iterator[Result]:
        """Return a result for each task, as they come, in any order.

        Where a worker or a machine fails, a task may be done more than once, its result comes once.
        Raises BulkError where the workers cannot go on, and what `work` raises.
        """
        ...
