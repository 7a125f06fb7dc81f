"""Reads page_change, scores each edit once, publishes.

The order is: publish the outcome, then commit the position (in one transaction where the streams
can). After a crash in between an edit is scored again, to the same value under the same `meta.id`.
"""

import asyncio
from collections.abc import Callable, Collection, Sequence
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
from revision_quality.events.page_change import decode_page_change
from revision_quality.events.prediction import prediction_id
from revision_quality.events.prediction_error import Outcome, prediction_error_id
from revision_quality.models.base import Model, Prediction
from revision_quality.scoring.backlog import Backlog, Pending
from revision_quality.scoring.not_scored import NotScored
from revision_quality.scoring.outcome import OutcomeEvent, outcome_event, outgoing_outcome
from revision_quality.scoring.rules import is_edit, not_scorable
from revision_quality.scoring.scorer import Scorer
from revision_quality.scoring.window import Window
from revision_quality.streams.base import Consumed, Outgoing, Record, Streams
from revision_quality.streams.perseverance import append_in_the_end
from revision_quality.wiki.reader import RevisionReader

GROUP = "scoring"

WINDOW = 10_000
"""Events under way at most: some 5 kB each, no texts."""

BATCH = 25
"""Edits fetched and scored together: with their parents, 50 revisions, one API request."""

READ = 500
WORKERS_PER_WIKI = 2

FRESH, UNKNOWN_ATTEMPTS, UNKNOWN_PAUSE = timedelta(minutes=2), 5, 3.0
"""A wiki's replica may not know a new revision yet: such an edit is asked for again, up to 5 times,
3 seconds apart, while it is younger than 2 minutes."""

_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0
_IDLE_SECONDS = 1.0

_Scored = tuple[Pending, Prediction | NotScored]

_log = structlog.get_logger()


class Processor:
    """Scores what comes in, with one model; `reader_of` knows how to read each wiki.

    A wiki that does not answer keeps its edits pending, until it does. An edit whose wiki answers,
    but not for this edit, fails with the reason.
    """

    def __init__(
        self,
        streams: Streams,
        model: Model,
        reader_of: Callable[[str], RevisionReader | None],
        *,
        clock: Clock = system_clock,
        prediction_stream: str = names.PREDICTION,
        window: int = WINDOW,
    ) -> None:
        self._streams = streams
        self._scorer = Scorer(model)
        self._model = model
        self._reader_of = reader_of
        self._clock = clock
        self._prediction_stream = prediction_stream
        self._window_size = window
        self._window = Window(window)
        self._backlogs: dict[str, Backlog] = {}
        self._publishing = asyncio.Lock()
        self._committed = 0
        self.failures: dict[str, str] = {}
        """The wikis that do not answer, and what is wrong."""

    @property
    def pending(self) -> int:
        """How many events are under way."""
        return len(self._window)

    async def run(self) -> None:
        """Score until cancelled."""
        self._committed = await self._streams.position(GROUP, names.PAGE_CHANGE)
        self._window = Window(self._window_size, self._committed)
        async with asyncio.TaskGroup() as tasks:
            while True:
                appended = self._streams.appended()
                records = await self._read()
                for record in records:
                    self._begin(record, tasks)
                if not records:
                    await self._commit()
                    await self._streams.wait(appended, _IDLE_SECONDS)

    async def _read(self) -> list[Record]:
        room = min(self._window.room, READ)
        if room <= 0:
            await self._clock.sleep(_IDLE_SECONDS)
            return []
        try:
            return await self._streams.read(names.PAGE_CHANGE, self._window.read_up_to, room)
        except StoreError as error:
            _log.error("edits cannot be read, trying again", error=str(error))
            await self._clock.sleep(_FIRST_PAUSE)
            return []

    def _begin(self, record: Record, tasks: asyncio.TaskGroup) -> None:
        self._window.begin(record.offset)
        try:
            change = decode_page_change(record.value)
        except InvalidEventError as error:
            tasks.create_task(self._bury(record, error))
            return
        if is_edit(change):
            self._backlog(change.wiki_id, tasks).put(Pending(record.offset, change))
        else:
            self._window.finish((record.offset,))

    def _backlog(self, wiki_id: str, tasks: asyncio.TaskGroup) -> Backlog:
        if wiki_id not in self._backlogs:
            backlog = self._backlogs[wiki_id] = Backlog()
            for _ in range(WORKERS_PER_WIKI):
                tasks.create_task(self._work(wiki_id, backlog, tasks))
        return self._backlogs[wiki_id]

    async def _work(self, wiki_id: str, backlog: Backlog, tasks: asyncio.TaskGroup) -> None:
        pause = _FIRST_PAUSE
        while True:
            batch = await backlog.take(BATCH)
            try:
                for pending in await self._deal(wiki_id, batch):
                    tasks.create_task(self._put_back(pending, backlog))
            except (WikiError, ModelUnavailableError, StoreError) as error:
                self._failed(wiki_id, error)
                for pending in batch:
                    if pending.offset in self._window:
                        backlog.put(pending)
                await self._clock.sleep(max(pause, _asked_pause(error)))
                pause = min(pause * 2, _LONGEST_PAUSE)
            else:
                self._recovered(wiki_id)
                pause = _FIRST_PAUSE

    async def _deal(self, wiki_id: str, batch: Sequence[Pending]) -> list[Pending]:
        """Publish an outcome for each edit; return those that the wiki does not know yet."""
        unscored = await self._without_known(batch)
        refused, scorable = _sift(unscored)
        if len(scorable) < len(batch):
            refused_events = [self._event(*item) for item in refused]
            await self._publish(refused_events, _offsets(batch) - _offsets(scorable))
        if not scorable:
            return []
        scored = await self._score(wiki_id, scorable)
        early = [pending for pending, outcome in scored if self._is_too_early(pending, outcome)]
        events = [self._event(*item) for item in scored if item[0] not in early]
        await self._publish(events, _offsets(scorable) - _offsets(early))
        return early

    async def _without_known(self, batch: Sequence[Pending]) -> list[Pending]:
        """Leave out the edits that have an outcome, and repetitions: sources may overlap."""
        predictions = {self._identify(prediction_id, pending): pending for pending in batch}
        errors = {self._identify(prediction_error_id, pending): pending for pending in batch}
        known = await self._streams.known(self._prediction_stream, predictions)
        known |= await self._streams.known(names.PREDICTION_ERROR, errors)
        done = {(predictions | errors)[identifier].change.revision.rev_id for identifier in known}
        new = {
            pending.change.revision.rev_id: pending
            for pending in batch
            if pending.change.revision.rev_id not in done
        }
        return list(new.values())

    def _identify(self, identify: Callable[[str, int, str, str], str], pending: Pending) -> str:
        change = pending.change
        return identify(
            change.wiki_id, change.revision.rev_id, self._model.name, self._model.version
        )

    async def _score(self, wiki_id: str, batch: Sequence[Pending]) -> list[_Scored]:
        reader = self._reader_of(wiki_id)
        if reader is None:
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
        return outcome_event(pending.change, outcome, self._model, self._prediction_stream)

    async def _bury(self, record: Record, error: InvalidEventError) -> None:
        letter = build_error(
            emitter_id=GROUP,
            stream=record.stream,
            offset=record.offset,
            raw=record.value,
            error=error,
        )
        await self._publish([letter], {record.offset})

    async def _publish(
        self,
        events: Sequence[OutcomeEvent | ErrorEvent],
        offsets: Collection[int],
    ) -> None:
        """Publish and commit; goes on trying while the streams cannot be written."""
        now = self._clock.now()
        batch = [_outgoing(replace(event, meta=replace(event.meta, dt=now))) for event in events]
        async with self._publishing:
            position = self._window.position_after(offsets)
            await append_in_the_end(
                self._streams,
                batch,
                [Consumed(GROUP, names.PAGE_CHANGE, position)],
                trouble="scores cannot be published, trying again",
                relief="scores are published again",
                clock=self._clock,
            )
            self._window.finish(offsets)
            self._committed = position

    async def _commit(self) -> None:
        if self._window.position_after(()) > self._committed:
            await self._publish([], ())

    def _failed(self, wiki_id: str, error: Exception) -> None:
        if wiki_id not in self.failures:
            _log.warning(
                "edits stay pending until they can be scored", wiki_id=wiki_id, error=str(error)
            )
        self.failures[wiki_id] = str(error)

    def _recovered(self, wiki_id: str) -> None:
        if self.failures.pop(wiki_id, None):
            _log.info("edits are scored again", wiki_id=wiki_id)


def _sift(batch: Sequence[Pending]) -> tuple[list[_Scored], list[Pending]]:
    """Part the edits that can have no score from those whose texts must tell."""
    refused: list[_Scored] = []
    scorable: list[Pending] = []
    for pending in batch:
        refusal = not_scorable(pending.change)
        if refusal is None:
            scorable.append(pending)
        else:
            refused.append((pending, refusal))
    return refused, scorable


def _offsets(batch: Sequence[Pending]) -> set[int]:
    return {pending.offset for pending in batch}


def _asked_pause(error: Exception) -> float:
    return (error.retry_after or 0.0) if isinstance(error, WikiUnavailableError) else 0.0


def _outgoing(event: OutcomeEvent | ErrorEvent) -> Outgoing:
    if not isinstance(event, ErrorEvent):
        return outgoing_outcome(event)
    return Outgoing(event.meta.stream, str(event.meta.id), "", msgspec.json.encode(event))
