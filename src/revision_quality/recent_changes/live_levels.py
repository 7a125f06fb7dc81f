"""The levels of every wiki as they are now, wherever they were chosen."""

import asyncio
from collections.abc import Mapping

import structlog
from msgspec.structs import replace
from sqlalchemy import Connection

from revision_quality.errors import StoreError
from revision_quality.levels.choosing import BY_HAND
from revision_quality.levels.level import Level
from revision_quality.levels.level_set import LevelSet
from revision_quality.levels.levels_store import current_set, current_sets, last_change
from revision_quality.levels.scores import NamedModel
from revision_quality.levels.side_by_side import LevelledModel
from revision_quality.recent_changes.wiki_levels import LEVELS, WikiLevels
from revision_quality.views.database import Database

_REFRESH_SECONDS = 5.0

_log = structlog.get_logger()


class LiveLevels:
    """A model's levels in every wiki, `now` being those in force.

    Until `refresh` has been called, and where a wiki has none of its own, they are the levels that
    the model brings.
    """

    def __init__(self, database: Database, model: NamedModel, default: tuple[Level, ...]) -> None:
        self._database = database
        self._model = model.number
        self._default = default
        self._change = -1
        self.now = WikiLevels(default)

    async def refresh(self) -> None:
        """Read the levels if they have changed. Raises StoreError."""
        change = await self._database.read(last_change)
        if change == self._change:
            return
        sets = await self._database.read(lambda connection: current_sets(connection, self._model))
        chosen = {wiki_id: each.chosen for wiki_id, each in sets.items()}
        self.now, self._change = levels_of(self._default, chosen), change

    async def run(self) -> None:
        """Follow changes until cancelled; while the database fails the last known levels hold."""
        while True:
            try:
                await self.refresh()
            except StoreError as error:
                _log.error("levels cannot be read, the last known ones hold", error=str(error))
            await asyncio.sleep(_REFRESH_SECONDS)


def levelled_in(connection: Connection, model: LevelledModel, wiki_id: str | None) -> LevelledModel:
    """Return a model with the levels in force in one wiki; of all wikis, with those it brings."""
    stored = wiki_id and current_set(connection, wiki_id, NamedModel(*model.key).number)
    if not stored:
        return model
    return LevelledModel(model.key, offered(model.levels, stored.chosen))


def levels_of(default: tuple[Level, ...], sets: Mapping[str, LevelSet]) -> WikiLevels:
    """Return the levels that are offered; a wiki with none of its own has the default ones."""
    own = {wiki_id: offered(default, chosen) for wiki_id, chosen in sets.items()}
    return WikiLevels(default, {wiki_id: each for wiki_id, each in own.items() if each != default})


def offered(default: tuple[Level, ...], chosen: LevelSet) -> tuple[Level, ...]:
    """Return the levels of one wiki, from the least risk to the greatest."""
    levels: dict[str, Level] = {level.name: level for level in chosen.levels or default}
    for name, threshold in chosen.fixed.items():
        if name not in levels or levels[name].threshold != threshold:
            levels[name] = _unmeasured(name, threshold, levels.get(name))
    return tuple(levels[name] for name in LEVELS if name in levels)


def _unmeasured(name: str, threshold: float, known: Level | None) -> Level:
    if known is not None:
        return replace(known, threshold=threshold, target=BY_HAND)
    return Level(name=name, threshold=threshold, precision=0, recall=0, flag_rate=0, target=BY_HAND)
