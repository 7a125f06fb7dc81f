"""The levels of every wiki: its own where it has been measured, else the model's."""

from collections.abc import Mapping
from typing import Protocol

from msgspec import Struct

from revision_quality.levels.level import Level

LEVELS = ("likelygood", "maybebad", "likelybad", "verylikelybad")
"""Names of the levels from the least risk to the greatest, as the ORES extension has them."""

_GOOD = "likelygood"
_BAD_FROM_WORST = ("verylikelybad", "likelybad", "maybebad")


class CurrentLevels(Protocol):
    """Knows the levels in force; ask anew for each request."""

    @property
    def now(self) -> "WikiLevels":
        """The levels of every wiki."""
        ...


class WikiLevels(Struct, frozen=True):
    """Levels by wiki_id, with a default.

    A wiki may lack any level, where no threshold reaches its target.
    """

    default: tuple[Level, ...]
    by_wiki: Mapping[str, tuple[Level, ...]] = {}

    @property
    def now(self) -> "WikiLevels":
        """Themselves: levels that do not change."""
        return self

    def of(self, wiki_id: str) -> tuple[Level, ...]:
        """Return the levels of a wiki."""
        return self.by_wiki.get(wiki_id, self.default)

    def level_of(self, wiki_id: str, score: float) -> Level | None:
        """Return the gravest level that holds for a score, None between good and bad."""
        levels = {level.name: level for level in self.of(wiki_id)}
        for name in _BAD_FROM_WORST:
            if name in levels and score >= levels[name].threshold:
                return levels[name]
        good = levels.get(_GOOD)
        return good if good and score < good.threshold else None


class Band(Struct, frozen=True):
    """The scores for which any of some levels holds: `score < below` or `score >= above`.

    None where no level of that side is meant.
    """

    below: float | None
    above: float | None


def band(levels: tuple[Level, ...], names: frozenset[str]) -> Band:
    """Return the scores for which one of the named levels holds."""
    meant = [level for level in levels if level.name in names]
    below = [level.threshold for level in meant if level.name == _GOOD]
    above = [level.threshold for level in meant if level.name != _GOOD]
    return Band(max(below, default=None), min(above, default=None))
