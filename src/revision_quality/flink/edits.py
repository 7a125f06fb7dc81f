"""An event in, the events that are published because of it: what the job does with each edit."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import msgspec
from msgspec.structs import replace

from revision_quality.clock import Clock, system_clock
from revision_quality.errors import InvalidEventError
from revision_quality.events.error import build_error
from revision_quality.events.page_change import PageChange, decode_page_change
from revision_quality.events.prediction_error import Outcome
from revision_quality.flink.wiki_queue import PATIENCE, PAUSE, WikiQueue
from revision_quality.models.base import Prediction
from revision_quality.scoring.model_rule import GROUP, ModelRule
from revision_quality.scoring.not_scored import NotScored
from revision_quality.scoring.outcome import outcome_event, outgoing_outcome
from revision_quality.scoring.rules import is_edit, not_scorable
from revision_quality.scoring.scorer import Scorer
from revision_quality.streams.base import Outgoing, Record
from revision_quality.wiki.reader import RevisionReader


class Edits:
    """Scores edits by every rule that wants them; `reader_of` knows how to read each wiki.

    `is_expected` tells of a domain whether its wiki may be known by and by. `patience` is how many
    seconds a wiki may be silent before its edits fail (WikiQueue), or unknown from its first edit.
    """

    def __init__(
        self,
        rules: Sequence[ModelRule],
        reader_of: Callable[[str], RevisionReader | None],
        *,
        is_expected: Callable[[str | None], bool] = lambda _: False,
        clock: Clock = system_clock,
        patience: float = PATIENCE,
    ) -> None:
        self._rules = rules
        self._is_expected = is_expected
        self._scorers = [Scorer(rule.model, rule.concurrency) for rule in rules]
        self._reader_of = reader_of
        self._clock = clock
        self._patience = patience
        self._queues: dict[tuple[int, str], WikiQueue] = {}
        self._awaited: dict[str, datetime] = {}

    async def published(self, record: Record) -> list[Outgoing]:
        """Return what to publish: an outcome for each rule, or one dead letter, or nothing.

        The identifiers are those that `revq run` gives: the same event makes the same again.
        """
        try:
            change = decode_page_change(record.value)
        except InvalidEventError as error:
            return [self._dead_letter(record, error)]
        if not is_edit(change):
            return []
        wanted = [number for number, rule in enumerate(self._rules) if rule.wants(change)]
        return list(await asyncio.gather(*(self._outcome(number, change) for number in wanted)))

    async def _outcome(self, number: int, change: PageChange) -> Outgoing:
        rule = self._rules[number]
        outcome = not_scorable(change) or await self._score(number, change)
        event = outcome_event(change, outcome, rule.model, rule.stream)
        meta = replace(event.meta, dt=self._clock.now())
        return outgoing_outcome(replace(event, meta=meta))

    async def _score(self, number: int, change: PageChange) -> Prediction | NotScored:
        queue = await self._queue_in_time(number, change)
        if queue is None and self._is_expected(change.meta.domain):
            message = f"The wiki {change.wiki_id} has not answered yet."
            return NotScored(Outcome.FAILED, "wiki_error", message)
        if queue is None:
            message = f"The wiki {change.wiki_id} is not configured: add a [[wikis]] block for it."
            return NotScored(Outcome.FAILED, "unknown_wiki", message)
        return await queue.outcome(change)

    async def _queue_in_time(self, number: int, change: PageChange) -> WikiQueue | None:
        """Return the queue of an edit's wiki, None where it is not known in time."""
        while (queue := self._queue(number, change.wiki_id)) is None:
            if not self._is_expected(change.meta.domain):
                return None
            now = self._clock.now()
            since = self._awaited.setdefault(change.wiki_id, now)
            if now - since >= timedelta(seconds=self._patience):
                return None
            await self._clock.sleep(PAUSE)
        return queue

    def _queue(self, number: int, wiki_id: str) -> WikiQueue | None:
        key = (number, wiki_id)
        reader = None if key in self._queues else self._reader_of(wiki_id)
        if reader is not None:
            self._queues[key] = WikiQueue(
                self._scorers[number], reader, clock=self._clock, patience=self._patience
            )
        return self._queues.get(key)

    def _dead_letter(self, record: Record, error: InvalidEventError) -> Outgoing:
        letter = build_error(
            emitter_id=GROUP,
            stream=record.stream,
            offset=record.offset,
            partition=record.partition,
            raw=record.value,
            error=error,
        )
        letter = replace(letter, meta=replace(letter.meta, dt=self._clock.now()))
        return Outgoing(letter.meta.stream, str(letter.meta.id), "", msgspec.json.encode(letter))
