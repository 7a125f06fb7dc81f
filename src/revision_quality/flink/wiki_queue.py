"""The edits of one wiki on their way to one model: asked for one by one, scored many at once."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from revision_quality.clock import Clock, system_clock
from revision_quality.errors import ModelUnavailableError, WikiError
from revision_quality.events.page_change import PageChange
from revision_quality.events.prediction_error import Outcome
from revision_quality.models.base import Prediction
from revision_quality.scoring.not_scored import NotScored
from revision_quality.scoring.processor import (
    BATCH,
    FRESH,
    UNKNOWN_ATTEMPTS,
    UNKNOWN_PAUSE,
    WORKERS_PER_WIKI,
)
from revision_quality.scoring.scorer import Scorer
from revision_quality.wiki.reader import RevisionReader

PATIENCE = 60.0
"""Seconds that a wiki may be silent before its edits fail: as long as Wikimedia's own enrichment
jobs wait for an answer (request_timeout 65)."""

PAUSE, LONG_PAUSE = 1.0, 30.0
"""Seconds between two tries: while edits wait, and once they fail at once."""

_Answer = Prediction | NotScored


class _Asked(Struct, frozen=True):
    change: PageChange
    answer: asyncio.Future[_Answer]
    unknown: int = 0


class WikiQueue:
    """Scores what is asked for in batches; what comes while two are under way makes up the next.

    Flink takes no checkpoint while an edit waits, so none waits for long: once the wiki has been
    silent for `patience` seconds, its edits fail with the reason, and all but one batch in 30
    seconds at once, until it answers again.
    """

    def __init__(
        self,
        scorer: Scorer,
        reader: RevisionReader,
        *,
        clock: Clock = system_clock,
        patience: float = PATIENCE,
    ) -> None:
        self._scorer = scorer
        self._reader = reader
        self._clock = clock
        self._patience = timedelta(seconds=patience)
        self._waiting: list[_Asked] = []
        self._workers: set[asyncio.Task[None]] = set()
        self._later: set[asyncio.Task[None]] = set()
        self._silent_since: datetime | None = None
        self._ask_again: datetime | None = None
        self._failure = NotScored(Outcome.FAILED, "wiki_error", "")

    async def outcome(self, change: PageChange) -> Prediction | NotScored:
        """Return the score of an edit, or why it has none."""
        if self._ask_again is not None and self._clock.now() < self._ask_again:
            return self._failure
        asked = _Asked(change, asyncio.get_running_loop().create_future())
        self._put(asked)
        return await asked.answer

    def _put(self, asked: _Asked) -> None:
        self._waiting.append(asked)
        if len(self._workers) < WORKERS_PER_WIKI:
            worker = asyncio.create_task(self._work())
            self._workers.add(worker)
            worker.add_done_callback(self._workers.discard)

    async def _work(self) -> None:
        # What arrives in the same turn of the loop belongs to the same batch.
        await asyncio.sleep(0)
        while self._waiting:
            batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
            try:
                await self._answer(batch)
            except Exception as error:
                _refuse(batch, error)
                raise

    async def _answer(self, batch: Sequence[_Asked]) -> None:
        try:
            answers = await self._score([asked.change for asked in batch])
        except (WikiError, ModelUnavailableError) as error:
            self._give_up(batch, error)
            return
        self._silent_since = self._ask_again = None
        early = []
        for asked, answer in zip(batch, answers, strict=True):
            if self._is_too_early(asked, answer):
                early.append(asked)
            else:
                _tell(asked, answer)
        if early:
            later = asyncio.create_task(self._ask_later(early))
            self._later.add(later)
            later.add_done_callback(self._later.discard)

    async def _score(self, changes: Sequence[PageChange]) -> list[_Answer]:
        """Score with patience. Raises WikiError, ModelUnavailableError when it is used up."""
        while True:
            try:
                return await self._scorer.score(self._reader, changes)
            except (WikiError, ModelUnavailableError):
                now = self._clock.now()
                self._silent_since = self._silent_since or now
                if now - self._silent_since >= self._patience:
                    raise
            await self._clock.sleep(PAUSE)

    def _give_up(self, batch: Sequence[_Asked], error: Exception) -> None:
        reason = "model_error" if isinstance(error, ModelUnavailableError) else "wiki_error"
        self._failure = NotScored(Outcome.FAILED, reason, str(error))
        self._ask_again = self._clock.now() + timedelta(seconds=LONG_PAUSE)
        for asked in [*batch, *self._waiting]:
            _tell(asked, self._failure)
        self._waiting.clear()

    def _is_too_early(self, asked: _Asked, answer: _Answer) -> bool:
        """Tell whether the wiki's replica may only not know the revision yet."""
        return (
            isinstance(answer, NotScored)
            and answer.reason == "revision_missing"
            and asked.unknown < UNKNOWN_ATTEMPTS
            and self._clock.now() - asked.change.revision.rev_dt < FRESH
        )

    async def _ask_later(self, early: Sequence[_Asked]) -> None:
        await self._clock.sleep(UNKNOWN_PAUSE)
        for asked in early:
            self._put(replace(asked, unknown=asked.unknown + 1))


def _tell(asked: _Asked, answer: _Answer) -> None:
    if not asked.answer.done():
        asked.answer.set_result(answer)


def _refuse(batch: Sequence[_Asked], error: Exception) -> None:
    for asked in batch:
        if not asked.answer.done():
            asked.answer.set_exception(error)
