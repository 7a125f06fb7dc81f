"""Scores that somebody asks for: found in the streams, or made and published there.

A revision that was scored before is answered from the prediction stream, whoever had it scored.
One that two callers ask for at the same moment is read and scored once.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from revision_quality.clock import Clock, system_clock
from revision_quality.errors import WikiUnavailableError
from revision_quality.events import streams as names
from revision_quality.events.page_change import PageChange
from revision_quality.events.prediction import decode_prediction, prediction_id
from revision_quality.events.prediction_error import (
    Outcome,
    PredictionError,
    decode_prediction_error,
    prediction_error_id,
)
from revision_quality.models.base import Prediction
from revision_quality.scoring.model_rule import ModelRule
from revision_quality.scoring.not_scored import NotScored
from revision_quality.scoring.outcome import OutcomeEvent, outcome_event, outgoing_outcome
from revision_quality.scoring.rules import not_scorable
from revision_quality.scoring.scorer import Scorer
from revision_quality.scoring.tally import ScoringTally
from revision_quality.streams.base import Index, Outgoing
from revision_quality.tally import Tally
from revision_quality.wiki.diff import DiffReader
from revision_quality.wiki.reader import RevisionReader


class EditReader(Protocol):
    """Finds the events of edits by their revision ids."""

    async def read(self, rev_ids: Sequence[int]) -> Mapping[int, PageChange]:
        """Return the edits that the wiki has. Raises WikiError."""
        ...


class ScoreLog(Index, Protocol):
    """Where scores are published, and found again; a log without an index finds none."""

    async def append(self, events: Iterable[Outgoing]) -> Sequence[Outgoing]:
        """Append events; return those that were not there yet. Raises StoreError."""
        ...


class AskedWiki(Struct, frozen=True):
    """How a wiki's edits, their texts and what they changed are read."""

    edits: EditReader
    revisions: RevisionReader
    diffs: DiffReader | None = None


class NoSuchRevision(Struct, frozen=True):
    """The wiki does not have the revision."""

    rev_id: int


Answer = OutcomeEvent | NoSuchRevision


class OnRequest:
    """Answers for the wikis that `wiki_of` knows, by one rule.

    An edit that the rule does not want is scored for who asks, and nothing is published.
    """

    def __init__(
        self,
        streams: ScoreLog,
        rule: ModelRule,
        wiki_of: Callable[[str], AskedWiki | None],
        *,
        clock: Clock = system_clock,
        tally: ScoringTally | None = None,
    ) -> None:
        self._streams = streams
        self._rule = rule
        self.model = rule.model
        self._scorer = Scorer(rule.model, rule.concurrency)
        self._wiki_of = wiki_of
        self._clock = clock
        self._tally = tally or ScoringTally(clock=clock)
        self.asked = Tally()
        """Revisions asked for, by where their answer came from: stored, made, missing."""
        self._under_way: dict[tuple[str, int], asyncio.Task[dict[int, Answer]]] = {}

    def knows(self, wiki_id: str) -> bool:
        """Tell whether this wiki can be asked about."""
        return self._wiki_of(wiki_id) is not None

    async def answers(self, wiki_id: str, rev_ids: Sequence[int]) -> list[Answer]:
        """Return one answer for each revision, in their order.

        A failed outcome is an answer, but is not published, and neither is a revision that the
        wiki does not have, or not yet: the next request tries again. Raises WikiError if the wiki
        does not answer or is not known, StoreError if the streams fail.
        """
        return await self._gather(wiki_id, rev_ids, {})

    async def answer_event(self, change: PageChange) -> Answer:
        """Return the answer for the edit of an event, as `answers` does without asking for it."""
        rev_id = change.revision.rev_id
        [answer] = await self._gather(change.wiki_id, [rev_id], {rev_id: change})
        return answer

    async def _gather(
        self, wiki_id: str, rev_ids: Sequence[int], changes: Mapping[int, PageChange]
    ) -> list[Answer]:
        new = [rev_id for rev_id in set(rev_ids) if (wiki_id, rev_id) not in self._under_way]
        if new:
            self._begin(wiki_id, new, changes)
        tasks = {rev_id: self._under_way[wiki_id, rev_id] for rev_id in rev_ids}
        found = {rev_id: (await asyncio.shield(task))[rev_id] for rev_id, task in tasks.items()}
        return [found[rev_id] for rev_id in rev_ids]

    def _begin(self, wiki_id: str, rev_ids: list[int], changes: Mapping[int, PageChange]) -> None:
        task = asyncio.create_task(self._answer(wiki_id, rev_ids, changes))
        keys = [(wiki_id, rev_id) for rev_id in rev_ids]
        self._under_way.update(dict.fromkeys(keys, task))

        def end(_: object) -> None:
            for key in keys:
                del self._under_way[key]
            if not task.cancelled():
                task.exception()

        task.add_done_callback(end)

    async def _answer(
        self, wiki_id: str, rev_ids: list[int], changes: Mapping[int, PageChange]
    ) -> dict[int, Answer]:
        answers = await self._stored(wiki_id, rev_ids)
        rest = [rev_id for rev_id in rev_ids if rev_id not in answers]
        self.asked.add("stored", number=len(answers))
        if not rest:
            return answers
        wiki = self._wiki_of(wiki_id)
        if wiki is None:
            # Taken out of the settings since it was looked for.
            raise WikiUnavailableError(f"{wiki_id} is not in the settings")
        unread = [rev_id for rev_id in rest if rev_id not in changes]
        read = dict(changes) | (dict(await wiki.edits.read(unread)) if unread else {})
        made = await self._score(wiki, [read[rev_id] for rev_id in rest if rev_id in read])
        wanted = [event for event in made if self._rule.wants(read[event.revision.rev_id])]
        await self._publish(wanted)
        self.asked.add("made", number=len(made))
        self.asked.add("missing", number=len(rest) - len(made))
        missing: dict[int, Answer] = {rev_id: NoSuchRevision(rev_id) for rev_id in rest}
        return missing | answers | {event.revision.rev_id: event for event in made}

    async def _stored(self, wiki_id: str, rev_ids: Sequence[int]) -> dict[int, Answer]:
        """Return what the streams have; a failure is no answer for good."""
        key = (self.model.name, self.model.version)
        predictions = {prediction_id(wiki_id, rev_id, *key): rev_id for rev_id in rev_ids}
        errors = {prediction_error_id(wiki_id, rev_id, *key): rev_id for rev_id in rev_ids}
        found: dict[int, Answer] = {}
        stored = await self._streams.find(names.PREDICTION_ERROR, errors)
        for identifier, raw in stored.items():
            error = decode_prediction_error(raw)
            if error.error.state is Outcome.NOT_SCORABLE:
                found[errors[identifier]] = error
        stored = await self._streams.find(self._rule.stream, predictions)
        for identifier, raw in stored.items():
            found[predictions[identifier]] = decode_prediction(raw)
        return found

    async def _score(self, wiki: AskedWiki, changes: Sequence[PageChange]) -> list[OutcomeEvent]:
        refusals = {change.revision.rev_id: not_scorable(change) for change in changes}
        scorable = [change for change in changes if not refusals[change.revision.rev_id]]
        outcomes = iter(await self._scorer.score(wiki.revisions, scorable) if scorable else ())
        events = []
        for change in changes:
            outcome = refusals[change.revision.rev_id] or next(outcomes)
            if not _is_unknown(outcome):
                events.append(outcome_event(change, outcome, self.model, self._rule.stream))
        return events

    async def _publish(self, events: Sequence[OutcomeEvent]) -> None:
        now = self._clock.now()
        final = [
            replace(event, meta=replace(event.meta, dt=now))
            for event in events
            if not (isinstance(event, PredictionError) and event.error.state is Outcome.FAILED)
        ]
        if final:
            await self._streams.append([outgoing_outcome(event) for event in final])
            self._tally.published(final)


def _is_unknown(outcome: Prediction | NotScored) -> bool:
    """Tell whether the wiki has no such revision; a replica may only not have it yet."""
    return isinstance(outcome, NotScored) and outcome.reason == "revision_missing"
