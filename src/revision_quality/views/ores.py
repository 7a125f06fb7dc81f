"""The tables of MediaWiki's extension ORES, as a view: its filters then show these scores.

The wiki's database says which revisions there are, which are hidden and which are in recent
changes, so that late and repeated events change nothing. Rows of other models are left alone.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TypeVar

import structlog
from msgspec import Struct
from sqlalchemy import Connection

from revision_quality.clock import Clock, system_clock
from revision_quality.streams.base import Record
from revision_quality.views import ores_tables as sql
from revision_quality.views.database import Database
from revision_quality.views.ores_facts import DeletedPage, Fact, HiddenText, Score, read_fact
from revision_quality.views.ores_policy import KnownEdit, OresModel, OresPolicy, RecentEdit
from revision_quality.views.ores_tables import ModelRow, ScoreRow, WikiTables
from revision_quality.views.positions import Positions
from revision_quality.views.readable import readable

_log = structlog.get_logger()

T = TypeVar("T")


class OresWiki(Struct, frozen=True):
    """A wiki, its tables, and the scores that belong into them."""

    wiki_id: str
    tables: WikiTables
    models: Sequence[OresModel]
    policy: OresPolicy = OresPolicy()


class Lacking(Struct, frozen=True):
    """Edits of recent changes down to `rc_id` that lack a score of a model's new version.

    `shown` are those among them that have one of the current version. `rc_id` is None at the end.
    """

    rc_id: int | None
    rev_ids: tuple[int, ...] = ()
    shown: frozenset[int] = frozenset()


class OresTables:
    """Keeps the scores of one wiki's recent changes in its ORES tables.

    Rows are written before the position behind them: after a crash in between they are written
    again, which changes nothing. A version that is not current yet gets its rows, and its scores
    are lent to the current one, which gets none of its own any more: the filters go on. Every
    method raises StoreError where a database fails.
    """

    def __init__(
        self,
        database: Database,
        wiki: OresWiki,
        positions: Positions,
        clock: Clock = system_clock,
    ) -> None:
        self._database = database
        self._wiki = wiki
        self._positions = positions
        self._clock = clock

    @property
    def wiki_id(self) -> str:
        """The wiki."""
        return self._wiki.wiki_id

    @property
    def models(self) -> Sequence[OresModel]:
        """The model versions that are to be current."""
        return self._wiki.models

    async def position(self, stream: str, partition: int = 0) -> int:
        """Return the offset up to which a partition of `stream` is in the tables."""
        return await self._positions.get(stream, partition)

    async def apply(self, records: Sequence[Record]) -> int:
        """Bring events into the tables, then their streams' positions.

        Returns how many rows were written or removed.
        """
        facts = self._facts(records)
        written = await self.write(facts) if facts else 0
        await self._positions.put(records)
        return written

    async def write(self, facts: Sequence[Fact]) -> int:
        """Add and remove scores; return how many. One that is not the wiki's policy is left out."""
        return await self._in_wiki(lambda connection: self._write(connection, facts))

    async def is_current(self, model: OresModel) -> bool:
        """Tell whether a model's version is the current one; adds it if it is not there."""
        row = await self._in_wiki(lambda connection: self._versions(connection).of(model))
        return row.is_current

    async def make_current(self, model: OresModel) -> None:
        """Let the filters show this version, and no other of its model, from now on."""
        await self._in_wiki(
            lambda connection: sql.make_current(
                connection, self._wiki.tables, model.name, model.version
            )
        )

    async def lacking(self, model: OresModel, below: int | None, limit: int) -> Lacking:
        """Look through the next `limit` edits of recent changes, newest first, below an rc_id."""
        return await self._in_wiki(
            lambda connection: self._lacking(connection, model, below, limit)
        )

    async def newest_listed(self) -> int:
        """Return the highest revision in recent changes, 0 if there is none."""
        return await self._database.read(
            lambda connection: sql.newest_listed(connection, self._wiki.tables)
        )

    async def purge(self, after: int, up_to: int, limit: int) -> int | None:
        """Remove scores of revisions that are not in recent changes (any more).

        Looks at the next `limit` scores with ids above `after`, of revisions up to `up_to`.
        Returns the last id, None at the end.
        """
        return await self._in_wiki(lambda connection: self._purge(connection, after, up_to, limit))

    async def close(self) -> None:
        """Close the connections to the wiki's database."""
        await self._database.close()

    async def _in_wiki(self, function: Callable[[Connection], T]) -> T:
        return await self._database.write(function)

    def _facts(self, records: Sequence[Record]) -> list[Fact]:
        read = partial(read_fact, wiki_id=self._wiki.wiki_id)
        return readable(records, read, "the ORES tables")

    def _write(self, connection: Connection, facts: Sequence[Fact]) -> int:
        versions = self._versions(connection)
        scores = [fact for fact in facts if isinstance(fact, Score) and versions.ids_of(fact)]
        rows = list(self._rows(connection, scores, versions))
        added = sql.add_scores(connection, self._wiki.tables, rows)
        gone = list(self._gone(connection, facts))
        return added + sql.remove_scores(connection, self._wiki.tables, versions.ids, gone)

    def _rows(
        self, connection: Connection, scores: Sequence[Score], versions: "_Versions"
    ) -> Iterable[ScoreRow]:
        edits = sql.known_edits(connection, self._wiki.tables, (score.rev_id for score in scores))
        largest = sql.largest_revision(connection)
        for score in scores:
            if score.rev_id > largest:
                _log.warning("the ORES tables end below this revision", rev_id=score.rev_id)
            elif self._belongs(score, edits.get(score.rev_id)):
                probability = sql.probability(score.score)
                for model_id in versions.ids_of(score):
                    yield ScoreRow(score.rev_id, model_id, probability, score.prediction)

    def _belongs(self, score: Score, known: KnownEdit | None) -> bool:
        told = RecentEdit(score.namespace, score.is_bot, is_autopatrolled=False)
        age = self._clock.now().timestamp() - score.rev_dt
        return self._wiki.policy.belongs(known, told, age)

    def _gone(self, connection: Connection, facts: Sequence[Fact]) -> Iterable[int]:
        for fact in facts:
            if isinstance(fact, HiddenText):
                yield fact.rev_id
            elif isinstance(fact, DeletedPage):
                yield from sql.deleted_revisions(
                    connection, self._wiki.tables, fact.page_id, fact.namespace, fact.title
                )

    def _lacking(
        self, connection: Connection, model: OresModel, below: int | None, limit: int
    ) -> Lacking:
        tables = self._wiki.tables
        listed = sql.listed_edits(connection, tables, below, limit)
        if not listed:
            return Lacking(None)
        versions = self._versions(connection)
        target, current = versions.of(model), versions.current(model.name)
        wanted = [each.rev_id for each in listed if self._wiki.policy.wants(each.edit)]
        scored = sql.has_score(connection, tables, target.id, wanted)
        lacking = tuple(rev_id for rev_id in dict.fromkeys(wanted) if rev_id not in scored)
        shown = sql.has_score(connection, tables, current.id, lacking) if current else set()
        return Lacking(listed[-1].rc_id, lacking, frozenset(shown))

    def _purge(self, connection: Connection, after: int, up_to: int, limit: int) -> int | None:
        tables = self._wiki.tables
        ids = self._versions(connection).ids
        found = sql.scores_after(connection, tables, ids, after, limit)
        old = {rev_id for _, rev_id in found if rev_id <= up_to}
        sql.remove_scores(connection, tables, ids, sql.unlisted(connection, tables, old))
        return found[-1][0] if found else None

    def _versions(self, connection: Connection) -> "_Versions":
        """Read the model versions, adding those that are wanted and not there."""
        names = {model.name for model in self._wiki.models}
        found = _Versions(self._wiki.models, sql.models(connection, self._wiki.tables, names))
        absent = found.absent()
        for model in absent:
            sql.add_model(
                connection,
                self._wiki.tables,
                model.name,
                model.version,
                is_current=found.current(model.name) is None,
            )
        return self._versions(connection) if absent else found


class _Versions:
    """The model versions in the tables, and which of them get a score."""

    def __init__(self, models: Sequence[OresModel], rows: Sequence[ModelRow]) -> None:
        self._models = models
        self._rows: Mapping[tuple[str, str], ModelRow] = {
            (row.name, row.version): row for row in rows
        }
        self.ids = [row.id for row in rows]

    def of(self, model: OresModel) -> ModelRow:
        return self._rows[model.name, model.version]

    def current(self, name: str) -> ModelRow | None:
        return next(
            (row for row in self._rows.values() if row.name == name and row.is_current), None
        )

    def absent(self) -> list[OresModel]:
        return [each for each in self._models if (each.name, each.version) not in self._rows]

    def ids_of(self, score: Score) -> set[int]:
        """Return the row of the score's version; of a wanted version also the current row."""
        ids: set[int] = set()
        for model in self._models:
            if model.model_name != score.model_name:
                continue
            own = self._rows.get((model.name, score.model_version))
            current = self.current(model.name)
            if own is not None:
                ids.add(own.id)
            if score.model_version == model.version and current is not None:
                ids.add(current.id)
        return ids
