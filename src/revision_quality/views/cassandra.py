"""The score store in Cassandra: all scores by revision and by page, as a view of the streams."""

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any, Self

import structlog

from revision_quality.clock import Clock, system_clock
from revision_quality.errors import StoreError
from revision_quality.events import streams as names
from revision_quality.streams.base import START, Record
from revision_quality.views import cassandra_schema as schema
from revision_quality.views.cassandra_session import CassandraPlace, CassandraSession, Values
from revision_quality.views.change import State
from revision_quality.views.readable import readable
from revision_quality.views.score_facts import PageDeletion, RevisionFact, read_fact
from revision_quality.views.score_store import ModelOutcome, Removal, RevisionScores, best

STREAMS = (
    names.PAGE_CHANGE,
    names.VISIBILITY_CHANGE,
    names.PREDICTION_ERROR,
    names.PREDICTION,
)
"""What the store is made of; a model that publishes elsewhere adds its stream."""

_DAY = 24 * 60 * 60
_LONGEST_TTL = 20 * 365 * _DAY
"""Cassandra's limit (org.apache.cassandra.cql3.Attributes, MAX_TTL)."""

_NO_TTL = 0
_PAGE_SIZE = 5

_log = structlog.get_logger()

Page = tuple[str, int]


class CassandraScores:
    """Keeps the scores of every model in step with the streams, and finds them.

    Rows are written before the position behind them: after a crash in between they are written
    again, which changes nothing. Several processes may write one store. Edits older than
    `keep_days` drop out by themselves, None keeps all.

    Every method raises StoreError while Cassandra does not answer.
    """

    def __init__(
        self, session: CassandraSession, keep_days: int | None, clock: Clock = system_clock
    ) -> None:
        self._session = session
        self._keep = keep_days and keep_days * _DAY
        self._clock = clock

    @classmethod
    async def open(
        cls, place: CassandraPlace, keep_days: int | None = None, clock: Clock = system_clock
    ) -> Self:
        """Connect, and make the tables where they are not there. Raises StoreError."""
        session = CassandraSession(place)
        await session.open(schema.TABLES, schema.STATEMENTS)
        store = cls(session, keep_days, clock)
        try:
            await store._check_version(place)
        except StoreError:
            await session.close()
            raise
        return store

    async def position(self, stream: str, partition: int = 0) -> int:
        """Return the offset up to which a partition of `stream` is in the store."""
        rows = await self._session.run("get_position", [stream, partition])
        return int(rows[0][0]) if rows else START

    async def apply(self, records: Sequence[Record]) -> int:
        """Bring events into the store, then their streams' positions.

        Returns how many scores were written or removed, repeated ones too.
        """
        facts = readable(records, read_fact, "the score store")
        deletions = [fact for fact in facts if isinstance(fact, PageDeletion)]
        revisions = [fact for fact in facts if isinstance(fact, RevisionFact)]
        written = await self._delete_pages(deletions) + await self._put(revisions)
        positions = {(record.stream, record.partition): record.offset for record in records}
        rows = [(*partition, offset) for partition, offset in positions.items()]
        await self._session.run_all("put_position", rows)
        return written

    async def scores(self, wiki_id: str, rev_ids: Sequence[int]) -> dict[int, RevisionScores]:
        """Return what is known by rev_id; unknown ones are left out."""
        wanted = list(dict.fromkeys(rev_ids))
        found = await self._session.run_all("get_scores", [(wiki_id, each) for each in wanted])
        return {
            rev_id: _revision_scores(wiki_id, rev_id, rows)
            for rev_id, rows in zip(wanted, found, strict=True)
            if rows
        }

    async def latest(self, wiki_id: str, page_id: int) -> RevisionScores | None:
        """Return the newest revision of a page that has an outcome, None if none has."""
        async for rev_id in self._revisions(wiki_id, page_id):
            found = (await self.scores(wiki_id, [rev_id])).get(rev_id)
            if found is not None and found.outcomes:
                return found
        return None

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()

    async def _check_version(self, place: CassandraPlace) -> None:
        rows = await self._session.run("get_version", [])
        if not rows:
            await self._session.run("put_version", [schema.VERSION])
        elif rows[0][0] != schema.VERSION:
            raise StoreError(
                f"the score store {place} has schema {rows[0][0]}, this revq knows"
                f" {schema.VERSION}: drop its keyspace, it is rebuilt from the streams"
            )

    async def _put(self, facts: Sequence[RevisionFact]) -> int:
        """Write what is told of revisions, unless their page is deleted.

        A revision is listed before its page's deletion is read, a deletion is marked before the
        list is read: of two processes that write both, at least one sees what the other wrote.
        """
        facts = [fact for fact in facts if self._is_kept(fact.rev_dt)]
        listed = {(fact.wiki_id, fact.page_id, fact.rev_dt, fact.rev_id) for fact in facts}
        await self._session.run_all(
            "put_revision",
            [(*key, key[2] * 1_000_000, self._ttl(key[2])) for key in sorted(listed)],
        )
        deletions = await self._deletions({(fact.wiki_id, fact.page_id) for fact in facts})
        deleted, hidden, scores, errors = set(), set(), [], []
        for fact in facts:
            key = (fact.wiki_id, fact.rev_id, fact.rev_dt)
            deleted_dt = deletions.get((fact.wiki_id, fact.page_id))
            if deleted_dt is not None and fact.rev_dt <= deleted_dt:
                deleted.add(key)
            elif fact.outcome is None:
                hidden.add(key)
            elif fact.outcome.state is State.SCORED:
                scores.append(self._score_row(fact, fact.outcome))
            else:
                errors.append(self._error_row(fact, fact.outcome))
        await self._session.run_all("put_score", scores)
        await self._session.run_all("put_error", errors)
        await self._remove(Removal.DELETED, deleted)
        await self._remove(Removal.HIDDEN, hidden)
        return len(facts)

    async def _deletions(self, pages: set[Page]) -> dict[Page, int]:
        found = await self._session.run_all("get_deletion", sorted(pages))
        return {
            (wiki_id, page_id): deleted_dt
            for rows in found
            for wiki_id, page_id, deleted_dt in rows
            if deleted_dt is not None
        }

    async def _delete_pages(self, deletions: Sequence[PageDeletion]) -> int:
        """Remove the revisions of deleted pages; their list goes last, a second try needs it."""
        latest: dict[Page, int] = {}
        for deletion in deletions:
            page = (deletion.wiki_id, deletion.page_id)
            latest[page] = max(deletion.deleted_dt, latest.get(page, deletion.deleted_dt))
        pages = [(*page, moment) for page, moment in latest.items() if self._is_kept(moment)]
        await self._session.run_all(
            "put_deletion",
            [
                (moment * 1_000_000, self._mark_ttl(moment), moment, wiki_id, page_id)
                for wiki_id, page_id, moment in pages
            ],
        )
        found = await self._session.run_all("get_deleted_revisions", pages)
        gone = {
            (page[0], rev_id, rev_dt)
            for page, rows in zip(pages, found, strict=True)
            for rev_id, rev_dt in rows
        }
        await self._remove(Removal.DELETED, gone)
        await self._session.run_all(
            "drop_deleted_revisions", [(schema.REMOVED, *page) for page in pages]
        )
        return len(gone)

    async def _remove(self, why: Removal, revisions: Iterable[tuple[str, int, int]]) -> None:
        rows: list[Values] = [
            [
                *(schema.REMOVED, wiki_id, rev_id),
                *(schema.MARKED, self._mark_ttl(rev_dt), {str(why)}, wiki_id, rev_id),
            ]
            for wiki_id, rev_id, rev_dt in sorted(revisions)
        ]
        await self._session.run_all("remove", rows)

    async def _revisions(self, wiki_id: str, page_id: int) -> AsyncIterator[int]:
        """Yield the revisions of a page that are not deleted, newest first."""
        rows = self._session.rows("get_revisions", [wiki_id, page_id], _PAGE_SIZE)
        async for rev_id, rev_dt, deleted_dt in rows:
            if rev_id is not None and (deleted_dt is None or rev_dt > deleted_dt):
                yield rev_id

    def _score_row(self, fact: RevisionFact, outcome: ModelOutcome) -> Values:
        return [*_key(fact, outcome), outcome.score, outcome.prediction, *self._written(fact)]

    def _error_row(self, fact: RevisionFact, outcome: ModelOutcome) -> Values:
        return [*_key(fact, outcome), outcome.reason, outcome.message, *self._written(fact)]

    def _written(self, fact: RevisionFact) -> tuple[int, int]:
        """Return the timestamp and the time to live of an outcome's row."""
        moment = fact.outcome.scored_dt * 1000 if fact.outcome else 0
        return moment, self._ttl(fact.rev_dt)

    def _is_kept(self, moment: int) -> bool:
        return self._keep is None or moment + self._keep > self._now()

    def _ttl(self, moment: int) -> int:
        """Return how many seconds an edit of this time is kept from now on.

        It ends at the same time whenever it is written, so that a repeated write changes nothing.
        """
        if self._keep is None:
            return _NO_TTL
        return max(1, min(moment + self._keep - self._now(), _LONGEST_TTL))

    def _mark_ttl(self, moment: int) -> int:
        """Return the same for a mark, which outlives what it marks."""
        ttl = self._ttl(moment)
        return ttl and min(ttl + _DAY, _LONGEST_TTL)

    def _now(self) -> int:
        return int(self._clock.now().timestamp())


def _key(fact: RevisionFact, outcome: ModelOutcome) -> Values:
    return [
        *(fact.wiki_id, fact.rev_id, fact.page_id, fact.rev_dt),
        *(outcome.model_name, outcome.model_version, str(outcome.state), outcome.scored_dt),
    ]


def _revision_scores(wiki_id: str, rev_id: int, rows: Sequence[tuple[Any, ...]]) -> RevisionScores:
    removed = rows[0][0]
    if removed:
        why = Removal.DELETED if Removal.DELETED in removed else Removal.HIDDEN
        return RevisionScores(wiki_id=wiki_id, rev_id=rev_id, removed=why)
    outcomes = [_outcome(row[1:]) for row in rows if row[1] is not None]
    return RevisionScores(wiki_id=wiki_id, rev_id=rev_id, outcomes=best(outcomes))


def _outcome(cells: Sequence[Any]) -> ModelOutcome:
    model_name, model_version, state, scored_dt, score, prediction, reason, message = cells
    return ModelOutcome(
        model_name=model_name,
        model_version=model_version,
        state=State(state),
        scored_dt=scored_dt,
        score=score,
        prediction=prediction,
        reason=reason,
        message=message,
    )
