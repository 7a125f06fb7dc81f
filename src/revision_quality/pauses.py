"""What is paused: wikis that are asked for nothing, models that score nothing."""

from revision_quality.bell import Bell

_LOOK_SECONDS = 3600.0


class Gate:
    """Lets work on a wiki or by a model pass, or has it wait.

    One that `is_known` is False has all wait: what is paused has not been read yet.
    """

    def __init__(self, *, is_known: bool = True) -> None:
        self._is_known = is_known
        self._bell = Bell()
        self.wikis: frozenset[str] = frozenset()
        self.models: frozenset[str] = frozenset()

    def is_open(self, wiki_id: str, model_name: str | None = None) -> bool:
        """Tell whether work may begin."""
        return self._is_known and wiki_id not in self.wikis and model_name not in self.models

    def set(self, wikis: frozenset[str], models: frozenset[str]) -> None:
        """Say what is paused from now on; who waits for the rest goes on."""
        self.wikis, self.models, self._is_known = wikis, models, True
        self._bell.ring()

    async def passed(self, wiki_id: str, model_name: str | None = None) -> None:
        """Return as soon as work may begin."""
        while not self.is_open(wiki_id, model_name):
            await self._bell.wait(self._bell.rings, _LOOK_SECONDS)
