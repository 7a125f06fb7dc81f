"""What the ORES tables need beside events: a new model version filled, old scores removed.

A version becomes current when no edit of recent changes would lose its score by it, so that the
filters never go empty.
"""

from collections.abc import Mapping, Sequence

import structlog

from revision_quality.clock import Clock, system_clock
from revision_quality.errors import StoreError, WikiError
from revision_quality.views.change import State
from revision_quality.views.ores import OresTables
from revision_quality.views.ores_facts import Score
from revision_quality.views.ores_policy import OresModel
from revision_quality.views.score_store import RevisionScores, ScoreStore

LISTED, ASKED, PURGED = 500, 50, 1000
"""Edits looked through, revisions asked for, and scores looked through in one step."""

_STEP_SECONDS = 0.05
_AGAIN_SECONDS = 60.0
"""Until an edit without a score is asked for again."""
_PURGE_SECONDS = 600.0

_log = structlog.get_logger()


class OresUpkeep:
    """Fills the tables with scores that `stores` have, by the model's own name, and purges them.

    A store that leaves a revision out may know it later; one whose outcome is no score is done
    with.
    """

    def __init__(
        self, tables: OresTables, stores: Mapping[str, ScoreStore], clock: Clock = system_clock
    ) -> None:
        self._tables = tables
        self._fillings = [
            _Filling(tables, model, stores[model.model_name]) for model in tables.models
        ]
        self._purging = _Purging(tables)
        self._clock = clock

    async def run(self) -> None:
        """Go on until cancelled; goes on trying while a store or the wiki fails."""
        while True:
            try:
                pause = await self.step()
            except (StoreError, WikiError) as error:
                _log.error(
                    "the ORES tables cannot be looked after, trying again",
                    wiki_id=self._tables.wiki_id,
                    error=str(error),
                )
                pause = _AGAIN_SECONDS
            await self._clock.sleep(pause)

    async def step(self) -> float:
        """Do a little of what is to do; return after how many seconds to go on."""
        for filling in self._fillings:
            if not filling.is_done:
                return await filling.step()
        if await self._purging.step():
            return _STEP_SECONDS
        for filling in self._fillings:
            await filling.check()
        return _PURGE_SECONDS


class _Filling:
    """One walk through recent changes, newest first, and another one while scores are lacking."""

    def __init__(self, tables: OresTables, model: OresModel, store: ScoreStore) -> None:
        self._tables = tables
        self._model = model
        self._store = store
        self._below: int | None = None
        self._waiting = 0
        self.is_done = False

    async def check(self) -> None:
        """Begin again if somebody else has made another version current."""
        if self.is_done and not await self._tables.is_current(self._model):
            self.is_done = False

    async def step(self) -> float:
        """Fill the next edits; at the end make the version current, or wait for scores."""
        found = await self._tables.lacking(self._model, self._below, LISTED)
        if found.rc_id is None:
            return await self._end()
        for start in range(0, len(found.rev_ids), ASKED):
            part = found.rev_ids[start : start + ASKED]
            unknown = await self._fill(part)
            self._waiting += len(unknown & found.shown)
        self._below = found.rc_id
        return _STEP_SECONDS

    async def _fill(self, rev_ids: Sequence[int]) -> set[int]:
        """Write the scores that the store has; return the revisions that it does not know yet."""
        known = await self._store.scores(self._tables.wiki_id, rev_ids)
        scores = [score for each in known.values() if (score := self._score(each))]
        if scores:
            await self._tables.write(scores)
        return {rev_id for rev_id in rev_ids if not self._is_answered(known.get(rev_id))}

    def _score(self, found: RevisionScores) -> Score | None:
        outcome = found.of(self._model.model_name, self._model.version)
        if found.removed or outcome is None or outcome.score is None:
            return None
        return Score(
            rev_id=found.rev_id,
            # Long ago: an edit that is not in recent changes any more is left out.
            rev_dt=0,
            model_name=outcome.model_name,
            model_version=outcome.model_version,
            score=outcome.score,
            prediction=bool(outcome.prediction),
        )

    def _is_answered(self, found: RevisionScores | None) -> bool:
        if found is None:
            return False
        outcome = found.of(self._model.model_name, self._model.version)
        return bool(found.removed or (outcome and outcome.state is not State.PENDING))

    async def _end(self) -> float:
        waiting, self._waiting, self._below = self._waiting, 0, None
        told = {"wiki_id": self._tables.wiki_id, "model": self._model.name}
        if await self._tables.is_current(self._model):
            self.is_done = True
        elif waiting:
            _log.info(
                "the filters stay with the earlier model version until these edits have scores"
                " of the new one",
                edits=waiting,
                version=self._model.version,
                **told,
            )
            return _AGAIN_SECONDS
        else:
            await self._tables.make_current(self._model)
            _log.info("the filters show a new model version", version=self._model.version, **told)
            self.is_done = True
        return _STEP_SECONDS


class _Purging:
    """Walks through the scores; what was in recent changes before the walk and is not, goes."""

    def __init__(self, tables: OresTables) -> None:
        self._tables = tables
        self._after = 0
        self._up_to = 0
        self._next_up_to = 0

    async def step(self) -> bool:
        """Look at the next scores; return whether there are more."""
        if not self._after:
            # An edit gets its place in recent changes after its revision: it has until next time.
            self._up_to, self._next_up_to = self._next_up_to, await self._tables.newest_listed()
        last = await self._tables.purge(self._after, self._up_to, PURGED)
        self._after = last or 0
        return bool(last)
