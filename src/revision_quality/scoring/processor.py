"""Reads page_change, scores each edit once, publishes.

The order is: publish the outcome, then commit the position (in one transaction where the streams
can). After a crash in between an edit is scored again, to the same value under the same `meta.id`.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import timedelta

import msgspec
import structlog
from msgspec.structs import replace

from revision_quality.clock import Clock, system_clock
from revision_quality.errors import (
    InvalidEventError,
    ModelUnavailableError,
    StoreError,
    WikiError,
    WikiUnavailableError,
)
from revision_quality.events import streams as names
from revision_quality.events.error import ErrorEvent, build_error
from revision_quality.events.page_change import PageChange
from revision_quality.events.prediction import prediction_id
from revision_quality.events.prediction_error import (
    Outcome,
    PredictionError,
    as_retry,
    prediction_error_id,
)
from revision_quality.models.base import Prediction
from revision_quality.pauses import Gate
from revision_quality.scoring.backlog import Backlog, Pending, Waiting
from revision_quality.scoring.breaker import Breaker
from revision_quality.scoring.feed import Feed
from revision_quality.scoring.intake import Intake
from revision_quality.scoring.model_rule import GROUP, ModelRule
from revision_quality.scoring.not_scored import NotScored
from revision_quality.scoring.outbox import Outbox, Ready
from revision_quality.scoring.outcome import OutcomeEvent, outcome_event, outgoing_outcome
from revision_quality.scoring.rules import is_edit, not_scorable
from revision_quality.scoring.scorer import Scorer
from revision_quality.scoring.tally import NOT_AN_EDIT, NOT_WANTED, REPEATED, ScoringTally
from revision_quality.streams.base import Outgoing, Record
from revision_quality.tracing import NO_TRACE, Trace
from revision_quality.wiki.reader import RevisionReader

WINDOW = 10_000
"""Events under way at most: some 5 kB each, no texts."""

BATCH = 25
"""Edits fetched and scored together: with their parents, 50 revisions, one API request."""

WORKERS_PER_WIKI = 2

FRESH, UNKNOWN_ATTEMPTS, UNKNOWN_PAUSE = timedelta(minutes=2), 5, 3.0
"""A wiki's replica may not know a new revision yet: such an edit is asked for again, up to 5 times,
3 seconds apart, while it is younger than 2 minutes."""

_IDLE_SECONDS = 1.0

_Scored = tuple[Pending, Prediction | NotScored]

_log = structlog.get_logger()


class Processor:
    """Scores what comes in of one partition by one rule; `reader_of` knows how to read each wiki.

    A wiki that does not answer keeps its edits pending, until it does, and so does one that is not
    known but may be by and by, as `is_expected` tells of its domain. An edit whose wiki answers,
    but not for this edit, fails with the reason. At most `window` edits are kept at once. Edits
    that the `gate` does not let pass wait; `tally` counts what comes of all.
    """

    def __init__(
        self,
        feed: Feed,
        rule: ModelRule,
        reader_of: Callable[[str], RevisionReader | None],
        *,
        is_expected: Callable[[str | None], bool] = lambda _: False,
        clock: Clock = system_clock,
        window: int = WINDOW,
        gate: Gate | None = None,
        tally: ScoringTally | None = None,
        trace: Trace = NO_TRACE,
    ) -> None:
        self._trace = trace
        self._feed = feed
        self._gate = gate or Gate()
        self._tally = tally or ScoringTally(clock=clock)
        self._rule = rule
        self._model = rule.model
        self._scorer = Scorer(rule.model, rule.concurrency, self._tally.work)
        self._reader_of = reader_of
        self._is_expected = is_expected
        self._clock = clock
        self._breakers: dict[str, Breaker] = {}
        self._outbox = Outbox()
        self._intake = Intake(
            feed,
            unwanted=self._unwanted,
            bury=self._bury,
            is_answering=self._is_answering,
            size=window,
            clock=clock,
            tally=self._tally,
        )

    @property
    def pending(self) -> int:
        """How many events are under way, without those left in the stream."""
        return self._intake.pending

    @property
    def left_aside(self) -> tuple[str, ...]:
        """The wikis that have edits left in the stream."""
        return self._intake.left_aside

    @property
    def waiting(self) -> Mapping[str, Waiting]:
        """What waits of each wiki, without what is left in the stream."""
        return self._intake.waiting

    @property
    def failures(self) -> Mapping[str, str]:
        """The wikis that do not answer: what is wrong, and how often they are asked."""
        return {
            wiki_id: breaker.failure
            for wiki_id, breaker in self._breakers.items()
            if breaker.is_open
        }

    async def run(self) -> None:
        """Score until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._publish())
            while True:
                appended = self._feed.appended()
                found = await self._intake.read()
                self._begin_work(tasks)
                if not found:
                    await self._put([], ())
                    await self._feed.wait(appended, _IDLE_SECONDS)

    def _unwanted(self, change: PageChange) -> str | None:
        if not is_edit(change):
            return NOT_AN_EDIT
        return None if self._rule.wants(change) else NOT_WANTED

    def _is_answering(self, wiki_id: str) -> bool:
        breaker = self._breakers.get(wiki_id)
        return breaker is None or not breaker.is_open

    def _begin_work(self, tasks: asyncio.TaskGroup) -> None:
        """Set workers to each wiki that has none."""
        for wiki_id, backlog in self._intake.backlogs.items():
            if wiki_id not in self._breakers:
                self._breakers[wiki_id] = Breaker(self._clock)
                for _ in range(WORKERS_PER_WIKI):
                    tasks.create_task(self._work(wiki_id, backlog, tasks))

    async def _work(self, wiki_id: str, backlog: Backlog, tasks: asyncio.TaskGroup) -> None:
        breaker = self._breakers[wiki_id]
        while True:
            await backlog.filled()
            await self._gate.passed(wiki_id, self._model.name)
            async with breaker.turn():
                if batch := backlog.take(BATCH):
                    await self._try(wiki_id, backlog, batch, tasks)

    async def _try(
        self, wiki_id: str, backlog: Backlog, batch: Sequence[Pending], tasks: asyncio.TaskGroup
    ) -> None:
        left, breaker = batch, self._breakers[wiki_id]
        try:
            with self._trace.span("score", {"revq.wiki_id": wiki_id, "revq.edits": len(batch)}):
                left = await self._sift(batch)
                early = await self._deal(wiki_id, left) if left else []
            for pending in early:
                tasks.create_task(self._put_back(pending, backlog))
            if early:
                self._tally.tried_again(wiki_id, "revision_missing", len(early))
        except (WikiError, ModelUnavailableError, StoreError) as error:
            self._failed(wiki_id, breaker, error)
            self._tally.tried_again(wiki_id, _at_fault(error), len(batch))
            for pending in left:
                backlog.put(pending)
        else:
            self._recovered(wiki_id, breaker)

    async def _sift(self, batch: Sequence[Pending]) -> list[Pending]:
        """Return the edits whose texts must tell; the others have an outcome, or can get none."""
        refused: list[_Scored] = []
        scorable: list[Pending] = []
        for pending in await self._without_known(batch):
            refusal = not_scorable(pending.change)
            if refusal is None:
                scorable.append(pending)
            else:
                refused.append((pending, refusal))
        if len(scorable) < len(batch):
            await self._put(
                [self._event(*item) for item in refused], _offsets(batch) - _offsets(scorable)
            )
        return scorable

    async def _deal(self, wiki_id: str, batch: Sequence[Pending]) -> list[Pending]:
        """See to an outcome for each edit; return those that the wiki does not know yet."""
        scored = await self._score(wiki_id, batch)
        early = [pending for pending, outcome in scored if self._is_too_early(pending, outcome)]
        events = [self._event(*item) for item in scored if item[0] not in early]
        await self._put(events, _offsets(batch) - _offsets(early))
        return early

    async def _without_known(self, batch: Sequence[Pending]) -> list[Pending]:
        """Leave out the edits that have an outcome, and repetitions: sources may overlap."""
        predictions = {self._identify(prediction_id, pending): pending for pending in batch}
        errors = {self._identify(prediction_error_id, pending): pending for pending in batch}
        outcomes = predictions | errors
        # First, as what is here is in the streams a moment later.
        known = self._outbox.known(outcomes)
        known |= await self._feed.known(self._rule.stream, predictions)
        if not self._feed.is_retry:
            known |= await self._feed.known(names.PREDICTION_ERROR, errors)
        done = {outcomes[identifier].change.revision.rev_id for identifier in known}
        new = {
            pending.change.revision.rev_id: pending
            for pending in batch
            if pending.change.revision.rev_id not in done
        }
        self._tally.skipped.add(REPEATED, number=len(batch) - len(new))
        return list(new.values())

    def _identify(self, identify: Callable[[str, int, str, str], str], pending: Pending) -> str:
        change = pending.change
        return identify(
            change.wiki_id, change.revision.rev_id, self._model.name, self._model.version
        )

    async def _score(self, wiki_id: str, batch: Sequence[Pending]) -> list[_Scored]:
        reader = self._reader_of(wiki_id)
        if reader is None:
            if self._is_expected(batch[0].change.meta.domain):
                raise WikiUnavailableError(f"{wiki_id} has not said yet who it is")
            message = f"The wiki {wiki_id} is not configured: add a [[wikis]] block for it."
            unknown = NotScored(Outcome.FAILED, "unknown_wiki", message)
            return [(pending, unknown) for pending in batch]
        outcomes = await self._scorer.score(reader, [pending.change for pending in batch])
        return list(zip(batch, outcomes, strict=True))

    def _is_too_early(self, pending: Pending, outcome: Prediction | NotScored) -> bool:
        """Tell whether the wiki may only not know the revision yet."""
        return (
            isinstance(outcome, NotScored)
            and outcome.reason == "revision_missing"
            and pending.unknown < UNKNOWN_ATTEMPTS
            and self._clock.now() - pending.change.revision.rev_dt < FRESH
        )

    async def _put_back(self, pending: Pending, backlog: Backlog) -> None:
        await self._clock.sleep(UNKNOWN_PAUSE)
        backlog.put(replace(pending, unknown=pending.unknown + 1))

    def _event(self, pending: Pending, outcome: Prediction | NotScored) -> OutcomeEvent:
        event = outcome_event(pending.change, outcome, self._model, self._rule.stream)
        if self._feed.is_retry and isinstance(event, PredictionError):
            return as_retry(event, pending.change.meta.id)
        return event

    async def _bury(self, record: Record, error: InvalidEventError) -> None:
        letter = build_error(
            emitter_id=GROUP,
            stream=record.stream,
            offset=record.offset,
            partition=record.partition,
            raw=record.value,
            error=error,
        )
        await self._put([letter], {record.offset})

    async def _put(
        self, events: Sequence[OutcomeEvent | ErrorEvent], offsets: Collection[int]
    ) -> None:
        now = self._clock.now()
        dated = [replace(event, meta=replace(event.meta, dt=now)) for event in events]
        outgoing = tuple(map(_outgoing, dated))
        await self._outbox.put(Ready(outgoing, tuple(events), frozenset(offsets)))

    async def _publish(self) -> None:
        """Publish and commit what is ready; goes on trying while streams cannot be written."""
        while True:
            ready = await self._outbox.take()
            with self._trace.span("publish", {"revq.events": len(ready.events)}):
                position = self._intake.position_after(ready.offsets)
                is_done = await self._feed.publish(ready.outgoing, position)
            self._intake.finish(ready.offsets)
            if is_done:
                self._tally.published(ready.events)
                _tell(ready.events)

    def _failed(self, wiki_id: str, breaker: Breaker, error: Exception) -> None:
        if not breaker.is_open:
            _log.warning(
                "edits stay pending until they can be scored", wiki_id=wiki_id, error=str(error)
            )
        breaker.failed(error)

    def _recovered(self, wiki_id: str, breaker: Breaker) -> None:
        if breaker.is_open:
            _log.info("edits are scored again", wiki_id=wiki_id)
        breaker.answered()


def _tell(events: Sequence[OutcomeEvent | ErrorEvent]) -> None:
    """Log outcomes with the ids by which they are found again."""
    log = _log.bind()
    for event in events:
        if isinstance(event, ErrorEvent):
            log.warning(
                "an event that cannot be read is put aside",
                event_id=event.meta.id,
                stream=event.errored_stream_name,
                error=event.message,
            )
        else:
            log.debug(
                "published",
                event_id=event.meta.id,
                request_id=event.meta.request_id,
                wiki_id=event.wiki_id,
                rev_id=event.revision.rev_id,
                reason=event.error.reason if isinstance(event, PredictionError) else None,
            )


def _at_fault(error: Exception) -> str:
    if isinstance(error, ModelUnavailableError):
        return "model_unavailable"
    return "streams_unavailable" if isinstance(error, StoreError) else "wiki_unavailable"


def _offsets(batch: Sequence[Pending]) -> set[int]:
    return {pending.offset for pending in batch}


def _outgoing(event: OutcomeEvent | ErrorEvent) -> Outgoing:
    if not isinstance(event, ErrorEvent):
        return outgoing_outcome(event)
    return Outgoing(event.meta.stream, str(event.meta.id), "", msgspec.json.encode(event))
