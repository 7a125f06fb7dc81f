"""Reads page_change, scores each edit once, publishes.

The order is: publish the outcome, then commit the position (in one transaction where the streams
can). After a crash in between an edit is scored again, to the same value under the same `meta.id`.

Reading never waits for a wiki. What is more than can be kept at once is left in the stream, the
oldest edits of whoever has most waiting, and read again when that wiki answers and has room; the
position stays before all of it.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import timedelta

import msgspec
import structlog
from msgspec import Struct
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
from revision_quality.events.page_change import PageChange, decode_page_change
from revision_quality.events.prediction import prediction_id
from revision_quality.events.prediction_error import (
    Outcome,
    PredictionError,
    as_retry,
    prediction_error_id,
)
from revision_quality.models.base import Prediction
from revision_quality.pauses import Gate
from revision_quality.scoring.aside import Aside
from revision_quality.scoring.backlog import Backlog, Pending, Waiting
from revision_quality.scoring.breaker import Breaker
from revision_quality.scoring.feed import Feed
from revision_quality.scoring.model_rule import GROUP, ModelRule
from revision_quality.scoring.not_scored import NotScored
from revision_quality.scoring.outbox import Outbox, Ready
from revision_quality.scoring.outcome import OutcomeEvent, outcome_event, outgoing_outcome
from revision_quality.scoring.rules import is_edit, not_scorable
from revision_quality.scoring.scorer import Scorer
from revision_quality.scoring.tally import (
    NOT_AN_EDIT,
    NOT_WANTED,
    REPEATED,
    UNREADABLE,
    ScoringTally,
)
from revision_quality.scoring.window import Window
from revision_quality.streams.base import Outgoing, Record
from revision_quality.tracing import NO_TRACE, Trace
from revision_quality.wiki.reader import RevisionReader

WINDOW = 10_000
"""Events under way at most: some 5 kB each, no texts."""

BATCH = 25
"""Edits fetched and scored together: with their parents, 50 revisions, one API request."""

READ = 500
WORKERS_PER_WIKI = 2

FRESH, UNKNOWN_ATTEMPTS, UNKNOWN_PAUSE = timedelta(minutes=2), 5, 3.0
"""A wiki's replica may not know a new revision yet: such an edit is asked for again, up to 5 times,
3 seconds apart, while it is younger than 2 minutes."""

_PAUSE = 1.0
_IDLE_SECONDS = 1.0

_Scored = tuple[Pending, Prediction | NotScored]

_log = structlog.get_logger()


class _Wiki(Struct, frozen=True):
    backlog: Backlog
    breaker: Breaker


class _Head(Struct, frozen=True):
    wiki_id: str = ""


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
        self._window_size = window
        self._window = Window(window)
        self._aside = Aside()
        self._wikis: dict[str, _Wiki] = {}
        self._outbox = Outbox()

    @property
    def pending(self) -> int:
        """How many events are under way, without those left in the stream."""
        return len(self._window)

    @property
    def left_aside(self) -> tuple[str, ...]:
        """The wikis that have edits left in the stream."""
        return self._aside.wiki_ids

    @property
    def waiting(self) -> Mapping[str, Waiting]:
        """What waits of each wiki, without what is left in the stream."""
        return {
            wiki_id: Waiting(len(wiki.backlog), wiki.backlog.oldest)
            for wiki_id, wiki in self._wikis.items()
        }

    @property
    def failures(self) -> Mapping[str, str]:
        """The wikis that do not answer: what is wrong, and how often they are asked."""
        return {
            wiki_id: wiki.breaker.failure
            for wiki_id, wiki in self._wikis.items()
            if wiki.breaker.is_open
        }

    async def run(self) -> None:
        """Score until cancelled."""
        self._window = Window(self._window_size, self._feed.position)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._publish())
            while True:
                appended = self._feed.appended()
                new = await self._read_new(tasks)
                again = await self._read_again(tasks)
                if not new and not again:
                    await self._put([], ())
                    await self._feed.wait(appended, _IDLE_SECONDS)

    async def _read_new(self, tasks: asyncio.TaskGroup) -> int:
        records = await self._read(self._window.read_up_to) or []
        for record in records:
            self._window.pass_by(record.offset)
            change = self._decode(record, tasks)
            if change and self._asks_for_a_score(change):
                self._begin(record.offset, change, tasks)
        self._make_room()
        return len(records)

    def _asks_for_a_score(self, change: PageChange) -> bool:
        if not is_edit(change):
            self._tally.skipped.add(NOT_AN_EDIT)
            return False
        if not self._rule.wants(change):
            self._tally.skipped.add(NOT_WANTED)
            return False
        return True

    async def _read_again(self, tasks: asyncio.TaskGroup) -> int:
        """Take up again what was left in the stream, of wikis that answer and have room."""
        ready = set(filter(self._is_ready, self._aside.wiki_ids)) if self._has_room else set()
        after = self._aside.position_of(ready)
        if after is None:
            return 0
        records = await self._read(after)
        if records is None:
            return 0
        if not records:
            return self._end_of_stream(ready)
        for record in records:
            wiki_id = _wiki_id(record)
            if wiki_id in ready:
                self._take_up(wiki_id, record, tasks)
                if len(self._wikis[wiki_id].backlog) >= self._share:
                    ready.discard(wiki_id)
        for wiki_id in ready:
            self._aside.read_up_to(wiki_id, records[-1].offset)
        self._make_room()
        return len(records)

    def _end_of_stream(self, wiki_ids: Collection[str]) -> int:
        """Forget what was dropped by age while it was left in the stream."""
        for wiki_id in wiki_ids:
            self._aside.read_up_to(wiki_id, self._window.read_up_to)
        return 0

    def _take_up(self, wiki_id: str, record: Record, tasks: asyncio.TaskGroup) -> None:
        if not self._aside.has(wiki_id, record.offset):
            return
        self._aside.read_up_to(wiki_id, record.offset)
        if record.offset in self._window:
            return
        try:
            change = decode_page_change(record.value)
        except InvalidEventError:
            # It was buried when it was read first.
            return
        if is_edit(change) and self._rule.wants(change):
            self._begin(record.offset, change, tasks)

    @property
    def _share(self) -> int:
        """How many edits a wiki has read again at once: half of the window is for new ones."""
        return max(1, self._window_size // (2 * max(1, len(self._wikis))))

    @property
    def _has_room(self) -> bool:
        """Whether the window is not full, or somebody in it has more than a share."""
        longest = max((len(wiki.backlog) for wiki in self._wikis.values()), default=0)
        return len(self._window) < self._window_size or longest > self._share

    def _is_ready(self, wiki_id: str) -> bool:
        wiki = self._wikis[wiki_id]
        return not wiki.breaker.is_open and len(wiki.backlog) <= self._share // 2

    def _make_room(self) -> None:
        """Leave in the stream what is too much: the oldest of the wiki that has most waiting."""
        while excess := self._window.excess:
            wiki_id, wiki = max(self._wikis.items(), key=lambda item: len(item[1].backlog))
            # Half of them, so that the next one may have become the longest.
            dropped = wiki.backlog.drop(min(excess, len(wiki.backlog) // 2 + 1))
            if not dropped:
                return
            for pending in dropped:
                self._aside.add(wiki_id, pending.offset)
            self._window.finish(_offsets(dropped))

    async def _read(self, after: int) -> list[Record] | None:
        """Read what comes behind `after`, nothing at the end; None if that cannot be told now."""
        try:
            return await self._feed.read(after, READ)
        except StoreError as error:
            _log.error("edits cannot be read, trying again", error=str(error))
            await self._clock.sleep(_PAUSE)
            return None

    def _decode(self, record: Record, tasks: asyncio.TaskGroup) -> PageChange | None:
        """Read an event; one that cannot be read is buried."""
        try:
            return decode_page_change(record.value)
        except InvalidEventError as error:
            self._tally.skipped.add(UNREADABLE)
            self._window.begin(record.offset)
            tasks.create_task(self._bury(record, error))
            return None

    def _begin(self, offset: int, change: PageChange, tasks: asyncio.TaskGroup) -> None:
        self._window.begin(offset)
        self._wiki(change.wiki_id, tasks).backlog.put(Pending(offset, change))

    def _wiki(self, wiki_id: str, tasks: asyncio.TaskGroup) -> _Wiki:
        if wiki_id not in self._wikis:
            wiki = self._wikis[wiki_id] = _Wiki(Backlog(), Breaker(self._clock))
            for _ in range(WORKERS_PER_WIKI):
                tasks.create_task(self._work(wiki_id, wiki, tasks))
        return self._wikis[wiki_id]

    async def _work(self, wiki_id: str, wiki: _Wiki, tasks: asyncio.TaskGroup) -> None:
        while True:
            await wiki.backlog.filled()
            await self._gate.passed(wiki_id, self._model.name)
            async with wiki.breaker.turn():
                if batch := wiki.backlog.take(BATCH):
                    await self._try(wiki_id, wiki, batch, tasks)

    async def _try(
        self, wiki_id: str, wiki: _Wiki, batch: Sequence[Pending], tasks: asyncio.TaskGroup
    ) -> None:
        left = batch
        try:
            with self._trace.span("score", {"revq.wiki_id": wiki_id, "revq.edits": len(batch)}):
                left = await self._sift(batch)
                early = await self._deal(wiki_id, left) if left else []
            for pending in early:
                tasks.create_task(self._put_back(pending, wiki.backlog))
            if early:
                self._tally.tried_again(wiki_id, "revision_missing", len(early))
        except (WikiError, ModelUnavailableError, StoreError) as error:
            self._failed(wiki_id, wiki.breaker, error)
            self._tally.tried_again(wiki_id, _at_fault(error), len(batch))
            for pending in left:
                wiki.backlog.put(pending)
        else:
            self._recovered(wiki_id, wiki.breaker)

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
        known = await self._feed.known(self._rule.stream, predictions)
        if not self._feed.is_retry:
            known |= await self._feed.known(names.PREDICTION_ERROR, errors)
        known |= self._outbox.known(predictions | errors)
        done = {(predictions | errors)[identifier].change.revision.rev_id for identifier in known}
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
                await self._feed.publish(ready.outgoing, self._position_after(ready.offsets))
            self._window.finish(ready.offsets)
            self._tally.published(ready.events)
            _tell(ready.events)

    def _position_after(self, offsets: Collection[int]) -> int:
        position = self._window.position_after(offsets)
        aside = self._aside.position
        return position if aside is None else min(position, aside)

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


def _wiki_id(record: Record) -> str:
    """Return the wiki of an event, nothing for one that cannot be read."""
    try:
        return msgspec.json.decode(record.value, type=_Head).wiki_id
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""


def _offsets(batch: Sequence[Pending]) -> set[int]:
    return {pending.offset for pending in batch}


def _outgoing(event: OutcomeEvent | ErrorEvent) -> Outgoing:
    if not isinstance(event, ErrorEvent):
        return outgoing_outcome(event)
    return Outgoing(event.meta.stream, str(event.meta.id), "", msgspec.json.encode(event))
