"""Scores what was edited before: edits that bring their texts, into the streams."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import dropwhile

from msgspec.structs import replace

from revision_quality.clock import Clock, system_clock
from revision_quality.events import streams as names
from revision_quality.events.prediction import prediction_id
from revision_quality.events.prediction_error import prediction_error_id
from revision_quality.models.base import Model, Prediction
from revision_quality.scoring.not_scored import NotScored
from revision_quality.scoring.outcome import OutcomeEvent, outcome_event, outgoing_outcome
from revision_quality.scoring.rules import not_scorable
from revision_quality.scoring.scorer import Scorer
from revision_quality.sources.base import outgoing
from revision_quality.sources.dump import DumpEdit, DumpReader
from revision_quality.streams.base import Consumed, IndexedStreams
from revision_quality.streams.perseverance import append_in_the_end

EDITS_AT_ONCE = 200
CHARACTERS_AT_ONCE = 8_000_000


class Backfill:
    """Appends the event and the outcome of each edit, both at once.

    An edit that has an outcome already is left as it is. A repetition under the same name `dump`
    goes on where the last one ended: how many revisions of it, in its order, are in the streams is
    kept beside them.
    """

    def __init__(
        self,
        streams: IndexedStreams,
        model: Model,
        dump: str,
        clock: Clock = system_clock,
    ) -> None:
        self._streams = streams
        self._scorer = Scorer(model)
        self._group = f"backfill {dump}"
        self._clock = clock
        self.done: Counter[str] = Counter()
        """Edits by what became of them: scored, not_scorable, failed, known."""

    async def run(self, edits: Iterable[DumpEdit]) -> None:
        """Deal with all edits. Raises StoreError if the streams cannot be read, DumpError."""
        before = await self._streams.position(self._group, names.PAGE_CHANGE)
        for batch in batches(dropwhile(lambda edit: edit.number <= before, edits)):
            await self._deal(batch)

    async def _deal(self, batch: Sequence[DumpEdit]) -> None:
        new = await self._without_known(batch)
        outcomes = await judge(self._scorer, new)
        now = self._clock.now()
        events: list[OutcomeEvent] = []
        changes = []
        for edit, outcome in zip(new, outcomes, strict=True):
            change = replace(edit.change, meta=replace(edit.change.meta, dt=now))
            event = outcome_event(change, outcome, self._scorer.model, names.PREDICTION)
            changes.append(outgoing(change))
            events.append(replace(event, meta=replace(event.meta, dt=now)))
        await append_in_the_end(
            self._streams,
            [*changes, *(outgoing_outcome(event) for event in events)],
            [Consumed(self._group, names.PAGE_CHANGE, batch[-1].number)],
            trouble="scores of the dump cannot be published, trying again",
            relief="scores of the dump are published again",
            clock=self._clock,
        )
        self.done["known"] += len(batch) - len(new)
        self.done.update(
            "scored" if isinstance(outcome, Prediction) else str(outcome.state)
            for outcome in outcomes
        )

    async def _without_known(self, batch: Sequence[DumpEdit]) -> list[DumpEdit]:
        model = self._scorer.model

        def key(edit: DumpEdit) -> tuple[str, int, str, str]:
            return edit.change.wiki_id, edit.change.revision.rev_id, model.name, model.version

        predictions = {prediction_id(*key(edit)): edit.number for edit in batch}
        errors = {prediction_error_id(*key(edit)): edit.number for edit in batch}
        known = await self._streams.known(names.PREDICTION, predictions)
        known |= await self._streams.known(names.PREDICTION_ERROR, errors)
        numbers = {(predictions | errors)[identifier] for identifier in known}
        return [edit for edit in batch if edit.number not in numbers]


async def judge(scorer: Scorer, edits: Sequence[DumpEdit]) -> list[Prediction | NotScored]:
    """Return one outcome for each edit, in their order, as the stream would have given it."""
    refusals = [not_scorable(edit.change) for edit in edits]
    scorable = [edit for edit, refusal in zip(edits, refusals, strict=True) if refusal is None]
    scores = iter(await scorer.score(DumpReader(scorable), [edit.change for edit in scorable]))
    return [refusal or next(scores) for refusal in refusals]


def batches(edits: Iterable[DumpEdit]) -> Iterator[list[DumpEdit]]:
    """Put edits together, at most EDITS_AT_ONCE and some CHARACTERS_AT_ONCE of text."""
    batch: list[DumpEdit] = []
    size = 0
    for edit in edits:
        batch.append(edit)
        size += edit.size
        if len(batch) == EDITS_AT_ONCE or size >= CHARACTERS_AT_ONCE:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
