"""Chooses the levels of every wiki on its own edits, again and again."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cached_property

import structlog
from msgspec import Struct
from sqlalchemy import Connection

from revision_quality.clock import Clock, system_clock
from revision_quality.errors import StoreError
from revision_quality.levels.choosing import Evidence, choose
from revision_quality.levels.counts import Counts
from revision_quality.levels.counts_table import (
    Day,
    Window,
    all_of,
    read_days,
    read_periods,
    read_profiles,
    settled_day,
    window_of,
)
from revision_quality.levels.labelling import WAIT_SECONDS
from revision_quality.levels.level_set import AUTOMATIC, LevelSet
from revision_quality.levels.levels_store import current_set, current_sets, put_sets
from revision_quality.levels.pooling import Profile, gather
from revision_quality.levels.scores import NamedModel
from revision_quality.levels.target import Target
from revision_quality.views.database import Database

Targets = Callable[[str], Mapping[str, Target]]
"""Gives the targets of a wiki by level, from the least risk to the greatest."""

_RETRY_SECONDS = _LOOK_SECONDS = 60.0

_SET_SECONDS = 3600.0
"""A clock that has gone so much further, or less far, than was slept has been set."""

_log = structlog.get_logger()


class Choosing(Struct, frozen=True, kw_only=True):
    """By what rules levels are chosen: `wait` and `every` are in seconds."""

    targets: Targets
    window_days: int = 56
    wait: int = WAIT_SECONDS
    every: float = 86400.0


class Picture(Struct, frozen=True):
    """What a wiki's levels are chosen on, or a sentence why there is nothing; and its days."""

    evidence: Evidence | str
    days: Sequence[Day]
    window: Window | None


class _Reader:
    """Reads the counts of one model in one transaction; of other wikis as far as they are asked."""

    def __init__(self, connection: Connection, model: int, last: int, window_days: int) -> None:
        self._connection = connection
        self._model = model
        self._last = last
        self._window_days = window_days

    @cached_property
    def days(self) -> dict[str, list[Day]]:
        """The days of every wiki with counted edits."""
        return read_days(self._connection, self._model, self._last)

    @cached_property
    def _profiles(self) -> dict[str, Profile]:
        return read_profiles(self._connection, self._model, self.days)

    def picture(self, wiki_id: str) -> Picture:
        """Read what a wiki's levels are chosen on."""
        days = read_days(self._connection, self._model, self._last, wiki_id).get(wiki_id, [])
        own = self._periods(wiki_id, days)
        evidence = gather(
            wiki_id,
            own,
            lambda: self._profiles,
            lambda name: all_of(self._periods(name, self.days[name])),
        )
        return Picture(evidence, days, window_of(days, self._window_days) if days else None)

    def _periods(self, wiki_id: str, days: Sequence[Day]) -> list[Counts]:
        if not days:
            return []
        window = window_of(days, self._window_days)
        return read_periods(self._connection, wiki_id, self._model, window, days)


class LevelsKeeper:
    """Keeps the levels of some models in every wiki that has counted edits.

    Raises StoreError where the database fails, but for `run`.
    """

    def __init__(
        self,
        database: Database,
        models: Sequence[NamedModel],
        rules: Choosing,
        clock: Clock = system_clock,
    ) -> None:
        self._database = database
        self._models = models
        self._rules = rules
        self._clock = clock

    async def run(self) -> None:
        """Choose all levels now and every so often, until cancelled."""
        while True:
            pause = self._rules.every
            try:
                for model in self._models:
                    await self.choose_all(model)
            except StoreError as error:
                _log.error("levels cannot be chosen, trying again", error=str(error))
                pause = _RETRY_SECONDS
            await self._rest(pause)

    async def _rest(self, seconds: float) -> None:
        """Sleep; less long where the clock is set meanwhile: by a wrong one no edit is counted."""
        begun, slept = self._clock.now(), 0.0
        while slept < seconds:
            slice_seconds = min(_LOOK_SECONDS, seconds - slept)
            await self._clock.sleep(slice_seconds)
            slept += slice_seconds
            passed = (self._clock.now() - begun).total_seconds()
            if abs(passed - slept) > _SET_SECONDS:
                return

    async def choose_all(self, model: NamedModel) -> int:
        """Choose the levels of a model in every wiki; return in how many they changed."""
        now = self._clock.now()

        def read(connection: Connection) -> dict[str, LevelSet]:
            known = current_sets(connection, model.number)
            reader = self._reader(connection, model, now)
            fixed = {wiki_id: each.chosen.fixed for wiki_id, each in known.items()}
            return {
                wiki_id: self._choose(reader, wiki_id, fixed.get(wiki_id, {}))
                for wiki_id in dict.fromkeys([*reader.days, *known])
            }

        chosen = await self._database.read(read)
        changed = await self._put(model, chosen, by=AUTOMATIC, now=now)
        if changed:
            _log.info("levels chosen", model=model.name, wikis=len(chosen), changed=changed)
        return changed

    async def fix(
        self, wiki_id: str, model: NamedModel, level: str, threshold: float | None, by: str
    ) -> LevelSet:
        """Set a level by hand, or with None choose it again; return the wiki's levels."""
        now = self._clock.now()

        def read(connection: Connection) -> LevelSet:
            known = current_set(connection, wiki_id, model.number)
            fixed = {**known.chosen.fixed} if known else {}
            fixed.pop(level, None)
            if threshold is not None:
                fixed[level] = threshold
            return self._choose(self._reader(connection, model, now), wiki_id, fixed)

        chosen = await self._database.read(read)
        await self._put(model, {wiki_id: chosen}, by=by, now=now)
        return chosen

    async def picture(self, wiki_id: str, model: NamedModel) -> Picture:
        """Return what a wiki's levels are chosen on now."""
        now = self._clock.now()
        return await self._database.read(
            lambda connection: self._reader(connection, model, now).picture(wiki_id)
        )

    async def _put(
        self, model: NamedModel, chosen: Mapping[str, LevelSet], *, by: str, now: datetime
    ) -> int:
        return await self._database.write(
            lambda connection: put_sets(
                connection, model.number, chosen, by=by, now=int(now.timestamp())
            )
        )

    def _reader(self, connection: Connection, model: NamedModel, now: datetime) -> _Reader:
        last = settled_day(now, self._rules.wait)
        return _Reader(connection, model.number, last, self._rules.window_days)

    def _choose(self, reader: _Reader, wiki_id: str, fixed: Mapping[str, float]) -> LevelSet:
        evidence = reader.picture(wiki_id).evidence
        if isinstance(evidence, str):
            return LevelSet(fixed=fixed, note=evidence)
        choice = choose(self._rules.targets(wiki_id), evidence, fixed=fixed)
        return LevelSet(levels=choice.levels, withheld=choice.withheld, fixed=fixed)
