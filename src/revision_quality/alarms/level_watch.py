"""Looks at the counted labels of late for levels that do not keep what they promise."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from sqlalchemy import Connection, select

from revision_quality.alarms.alarm import Finding
from revision_quality.alarms.precision import DAYS, LEAST_EDITS, Ints, findings
from revision_quality.clock import Clock, system_clock
from revision_quality.levels.counts import BINS, Label
from revision_quality.levels.counts_table import settled_day
from revision_quality.levels.labelling import WAIT_SECONDS
from revision_quality.levels.scores import NamedModel
from revision_quality.recent_changes.wiki_levels import CurrentLevels
from revision_quality.views.database import Database
from revision_quality.views.tables import level_counts

_IN_KIND = BINS * len(Label)


class LevelWatch:
    """Measures the levels in force of some models on the newest days whose labels are settled.

    `has_labels` tells whether the labels view has caught up: while it has not, kept edits are not
    told from those whose revert is still to be read. `wait` is the waiting time of a label, in
    seconds.
    """

    def __init__(
        self,
        database: Database,
        levels: Mapping[NamedModel, CurrentLevels],
        *,
        has_labels: Callable[[], bool] = lambda: True,
        wait: int = WAIT_SECONDS,
        days: int = DAYS,
        least_edits: int = LEAST_EDITS,
        clock: Clock = system_clock,
    ) -> None:
        self._database = database
        self._levels = levels
        self._has_labels = has_labels
        self._wait = wait
        self._days = days
        self._least_edits = least_edits
        self._clock = clock

    async def look(self) -> list[Finding] | None:
        """Return what is found of each level in force; None while labels are not known.

        Reads counts, not edits. Raises StoreError.
        """
        if not self._has_labels():
            return None
        last = settled_day(self._clock.now(), self._wait)
        found: list[Finding] = []
        for model, levels in self._levels.items():
            for wiki_id in await self._wikis(model, last):
                by_day = await self._by_day(model, wiki_id, last)
                of_wiki = levels.now.of(wiki_id)
                found += findings(wiki_id, model, of_wiki, by_day, least_edits=self._least_edits)
        return found

    async def _wikis(self, model: NamedModel, last: int) -> Sequence[str]:
        columns = level_counts.c
        statement = (
            select(columns.wiki_id)
            .where(columns.model == model.number, columns.day.between(last - self._days + 1, last))
            .distinct()
            .order_by(columns.wiki_id)
        )
        return await self._database.read(
            lambda connection: connection.execute(statement).scalars().all()
        )

    async def _by_day(self, model: NamedModel, wiki_id: str, last: int) -> Ints:
        """Return a wiki's edits of shape (days, len(Label), BINS)."""
        columns, first = level_counts.c, last - self._days + 1
        statement = select(columns.day, columns.cell, columns.number).where(
            columns.wiki_id == wiki_id,
            columns.model == model.number,
            columns.day.between(first, last),
        )

        def read(connection: Connection) -> Ints:
            rows = np.array(connection.execute(statement).all(), np.int64).reshape(-1, 3)
            counted = np.zeros((self._days, _IN_KIND), np.int64)
            np.add.at(counted, (rows[:, 0] - first, rows[:, 1] % _IN_KIND), rows[:, 2])
            return counted.reshape(self._days, len(Label), BINS)

        return await self._database.read(read)
