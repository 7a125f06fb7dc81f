"""Answers remembered for a while: the last ones asked for, each asked once."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Remembered(Generic[K, V]):
    """Keeps the answers of `ask` to the last keys, of at most `capacity` in all by `size`.

    Two that ask for a key at the same moment share one answer; an error is not kept, nor an answer
    that `keeps` is false for.
    """

    def __init__(
        self,
        ask: Callable[[K], Awaitable[V]],
        *,
        capacity: int,
        size: Callable[[V], int] = lambda _: 1,
        keeps: Callable[[V], bool] = lambda _: True,
    ) -> None:
        self._ask = ask
        self._capacity = capacity
        self._size = size
        self._keeps = keeps
        self._answers: OrderedDict[K, V] = OrderedDict()
        self._total = 0
        self._under_way: dict[K, asyncio.Task[V]] = {}

    async def of(self, key: K) -> V:
        """Return the answer; raises what asking raises."""
        if key in self._answers:
            self._answers.move_to_end(key)
            return self._answers[key]
        task = self._under_way.get(key)
        if task is None:
            task = self._under_way[key] = asyncio.ensure_future(self._ask(key))
            task.add_done_callback(lambda done: self._end(key, done))
        return await asyncio.shield(task)

    def _end(self, key: K, task: asyncio.Future[V]) -> None:
        del self._under_way[key]
        if task.cancelled() or task.exception() is not None or not self._keeps(task.result()):
            return
        self._answers[key] = task.result()
        self._total += self._size(task.result())
        while self._total > self._capacity and self._answers:
            _, dropped = self._answers.popitem(last=False)
            self._total -= self._size(dropped)
