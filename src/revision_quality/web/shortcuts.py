"""Answers that need no more of a request than its body, made as soon as it has arrived.

For an answer that is made in some microseconds, the way through a task, the layers of the
application and its router takes most of the time (`benchmarks/predict.py`).
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from starlette.routing import BaseRoute, Route

Shortcut = Callable[[bytes], bytes | None]
"""Answers a POST by its body with the JSON of a 200, or not at all: then its route does."""


class ShortRoute(Route):
    """A route with shortcuts, by whole paths."""

    def __init__(self, *args: Any, shortcuts: Mapping[str, Shortcut], **options: Any) -> None:
        super().__init__(*args, **options)
        self.shortcuts = shortcuts


def shortcuts_of(
    routes: Iterable[BaseRoute],
    counted: Callable[[str, Shortcut], Shortcut] = lambda _, shortcut: shortcut,
) -> dict[bytes, Shortcut]:
    """Return the shortcuts of all routes that have some, by their paths as they are requested.

    `counted` makes of one and its route's path another that is taken in its place.
    """
    return {
        path.encode(): counted(route.path, shortcut)
        for route in routes
        if isinstance(route, ShortRoute)
        for path, shortcut in route.shortcuts.items()
    }
