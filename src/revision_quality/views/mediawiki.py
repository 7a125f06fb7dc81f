"""The tables of the extension RevisionQuality, as a view: the wiki's own pages show the scores.

The wiki's database says which revisions there are, which are hidden and which are in recent
changes, so that late and repeated events change nothing.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TypeVar

import structlog
from msgspec import Struct
from sqlalchemy import Connection

from revision_quality.clock import Clock, system_clock
from revision_quality.levels.level import Level
from revision_quality.streams.base import Record
from revision_quality.views import mediawiki_tables as sql
from revision_quality.views import ores_tables as wiki_sql
from revision_quality.views.change import State
from revision_quality.views.database import Database
from revision_quality.views.mediawiki_facts import Fact, Unscored, read_fact
from revision_quality.views.mediawiki_tables import EditRow, ExtensionTables
from revision_quality.views.ores_facts import DeletedPage, HiddenText, Score
from revision_quality.views.ores_policy import KnownEdit, OresPolicy, RecentEdit
from revision_quality.views.ores_tables import WikiTables
from revision_quality.views.positions import Positions
from revision_quality.views.readable import readable

_log = structlog.get_logger()

T = TypeVar("T")


class MediaWikiWiki(Struct, frozen=True):
    """A wiki, its tables and those of the extension, and the edits that belong into them."""

    wiki_id: str
    wiki: WikiTables
    tables: ExtensionTables
    policy: OresPolicy = OresPolicy(excludes_bots=False)


class MediaWikiTables:
    """Keeps what became of one wiki's recent changes in the extension's tables.

    Rows are written before the position behind them: after a crash in between they are written
    again, which changes nothing. A score of any version takes the place of an earlier one, so that
    a new model leaves no edit without one. `model` is the name and version that the levels are of:
    scores of another stay where they were flagged. Every method raises StoreError where a database
    fails.
    """

    def __init__(
        self,
        database: Database,
        wiki: MediaWikiWiki,
        positions: Positions,
        levels: Sequence[Level] = (),
        clock: Clock = system_clock,
        *,
        model: tuple[str, str] | None = None,
    ) -> None:
        self._database = database
        self._wiki = wiki
        self._positions = positions
        self._levels = tuple(levels)
        self._clock = clock
        self._model = model

    @property
    def wiki_id(self) -> str:
        """The wiki."""
        return self._wiki.wiki_id

    async def position(self, stream: str, partition: int = 0) -> int:
        """Return the offset up to which a partition of `stream` is in the tables."""
        return await self._positions.get(stream, partition)

    async def apply(self, records: Sequence[Record]) -> int:
        """Bring events into the tables, then their streams' positions.

        Returns how many edits were written or removed.
        """
        facts = self._facts(records)
        written = 0
        if facts:
            written = await self._in_wiki(lambda connection: self._write(connection, facts))
        await self._positions.put(records)
        return written

    def set_levels(self, levels: Sequence[Level]) -> None:
        """Flag by these levels from now on; `flag_again` does it for the edits that are there."""
        self._levels = tuple(levels)

    async def write_levels(self) -> None:
        """Show the levels with what they were measured to do, and their edits a day."""
        now = int(self._clock.now().timestamp())
        await self._in_wiki(
            lambda connection: sql.write_levels(connection, self._wiki.tables, self._levels, now)
        )

    async def has_other_levels(self) -> bool:
        """Tell whether the levels that the wiki shows have other thresholds."""
        shown = await self._database.read(
            lambda connection: sql.thresholds(connection, self._wiki.tables)
        )
        return shown != {sql.NUMBERS[level.name]: level.threshold for level in self._levels}

    async def flag_again(self, after: int, limit: int) -> int | None:
        """Flag the next `limit` edits above a revision; return the last one, None at the end."""
        return await self._in_wiki(
            lambda connection: sql.flag_again(
                connection, self._wiki.tables, self._levels, self._model, after=after, limit=limit
            )
        )

    async def close(self) -> None:
        """Close the connections to the wiki's database."""
        await self._database.close()

    async def _in_wiki(self, function: Callable[[Connection], T]) -> T:
        return await self._database.write(function)

    def _facts(self, records: Sequence[Record]) -> list[Fact]:
        read = partial(read_fact, wiki_id=self._wiki.wiki_id)
        return readable(records, read, "the wiki's tables")

    def _write(self, connection: Connection, facts: Sequence[Fact]) -> int:
        told = [fact for fact in facts if isinstance(fact, Score | Unscored)]
        edits = wiki_sql.known_edits(connection, self._wiki.wiki, (each.rev_id for each in told))
        models = self._models(connection, told)
        rows = [_row(each, models) for each in told if self._belongs(each, edits.get(each.rev_id))]
        written = sql.write_edits(connection, self._wiki.tables, rows, self._levels)
        gone = list(self._gone(connection, facts))
        return written + sql.remove_edits(connection, self._wiki.tables, gone)

    def _models(
        self, connection: Connection, told: Sequence[Score | Unscored]
    ) -> dict[tuple[str, str], int]:
        names = {_model(each) for each in told if isinstance(each, Score)}
        return {name: sql.model_id(connection, self._wiki.tables, *name) for name in sorted(names)}

    def _belongs(self, fact: Score | Unscored, known: KnownEdit | None) -> bool:
        told = RecentEdit(fact.namespace, fact.is_bot, is_autopatrolled=False)
        age = self._clock.now().timestamp() - fact.rev_dt
        return self._wiki.policy.belongs(known, told, age)

    def _gone(self, connection: Connection, facts: Sequence[Fact]) -> Iterable[int]:
        for fact in facts:
            if isinstance(fact, HiddenText):
                yield fact.rev_id
            elif isinstance(fact, DeletedPage):
                yield from sql.deleted_revisions(
                    connection, self._wiki.tables, self._wiki.wiki.archive, fact
                )


def _row(fact: Score | Unscored, models: Mapping[tuple[str, str], int]) -> EditRow:
    if isinstance(fact, Unscored):
        return EditRow(rev_id=fact.rev_id, rev_dt=fact.rev_dt, state=fact.state)
    return EditRow(
        rev_id=fact.rev_id,
        rev_dt=fact.rev_dt,
        state=State.SCORED,
        score=fact.score,
        model_id=models[_model(fact)],
    )


def _model(score: Score) -> tuple[str, str]:
    return score.model_name, score.model_version
