"""A member of a model's consumer group: each partition that is its to score has a processor."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack

from revision_quality.clock import Clock, system_clock
from revision_quality.events import streams as names
from revision_quality.pauses import Gate
from revision_quality.scoring.backlog import Waiting
from revision_quality.scoring.feed import Feed
from revision_quality.scoring.model_rule import ModelRule
from revision_quality.scoring.processor import WINDOW, Processor
from revision_quality.scoring.tally import ScoringTally
from revision_quality.streams.base import Claim, Member, Streams
from revision_quality.tracing import NO_TRACE, Trace
from revision_quality.wiki.reader import RevisionReader

STREAMS = (names.PAGE_CHANGE, names.RETRY)
"""What is scored."""

MOST = 4 * WINDOW
"""Events under way at most in a process that has all partitions of a stream: some 200 MB."""

_LEAST = 1000
"""Of a partition, however many there are: each wiki of hundreds has a share of it."""

_LOOK_SECONDS = 1.0


class ScoringGroup:
    """Scores by one rule what the group leaves to this process; see Processor for the rest.

    `window` edits at most are kept of each partition, and fewer of each where there are many.
    """

    def __init__(
        self,
        streams: Streams,
        rule: ModelRule,
        reader_of: Callable[[str], RevisionReader | None],
        *,
        is_expected: Callable[[str | None], bool] = lambda _: False,
        clock: Clock = system_clock,
        window: int = WINDOW,
        gate: Gate | None = None,
        trace: Trace = NO_TRACE,
    ) -> None:
        self._trace = trace
        self._streams = streams
        self.rule = rule
        self.tally = ScoringTally(
            rule.levels, lambda wiki_id: reader_of(wiki_id) is not None, clock
        )
        self._gate = gate or Gate()
        self._reader_of = reader_of
        self._is_expected = is_expected
        self._clock = clock
        self._window = window
        self._processors: dict[Claim, Processor] = {}

    @property
    def pending(self) -> int:
        """How many events are under way, without those left in the streams."""
        return sum(processor.pending for processor in self._processors.values())

    @property
    def left_aside(self) -> Mapping[str, int]:
        """How many partitions hold edits of a wiki that were left in the streams."""
        return Counter(one for each in self._processors.values() for one in each.left_aside)

    @property
    def waiting(self) -> Mapping[str, Waiting]:
        """What waits of each wiki, without what is left in the streams."""
        found: dict[str, Waiting] = {}
        for processor in self._processors.values():
            for wiki_id, waiting in processor.waiting.items():
                found[wiki_id] = found.get(wiki_id, Waiting(0, None)) + waiting
        return found

    @property
    def failures(self) -> Mapping[str, str]:
        """The wikis that do not answer: what is wrong, and how often they are asked."""
        return {
            wiki_id: failure
            for processor in self._processors.values()
            for wiki_id, failure in processor.failures.items()
        }

    async def run(self) -> None:
        """Score until cancelled. Raises StoreError if the group cannot be joined.

        The group's members are two, one for each stream: what parts partitions among members
        counts them, and may give one process all edits and the next one all retries.
        """
        outcomes = (self.rule.stream, names.PREDICTION_ERROR, names.DEAD_LETTER)
        async with AsyncExitStack() as leaving, asyncio.TaskGroup() as tasks:
            members = []
            for stream in STREAMS:
                window = window_of(await self._streams.partitions(stream), self._window)
                member = await self._streams.join(self.rule.group, [stream], outcomes)
                leaving.push_async_callback(member.close)
                members.append((member, window))
            for member, window in members:
                tasks.create_task(self._deal(member, window))

    async def _deal(self, member: Member, window: int) -> None:
        running: dict[Claim, asyncio.Task[None]] = {}
        try:
            async with asyncio.TaskGroup() as tasks:
                while True:
                    changes = member.changes()
                    for claim in set(running) - set(member.claims):
                        running.pop(claim).cancel()
                        del self._processors[claim]
                    for claim in member.claims:
                        if claim not in running:
                            work = self._processor(member, claim, window).run()
                            running[claim] = tasks.create_task(work)
                    await member.wait(changes, _LOOK_SECONDS)
        finally:
            for claim in running:
                del self._processors[claim]

    def _processor(self, member: Member, claim: Claim, window: int) -> Processor:
        feed = Feed(self._streams, member, claim, self._clock)
        processor = self._processors[claim] = Processor(
            feed,
            self.rule,
            self._reader_of,
            is_expected=self._is_expected,
            clock=self._clock,
            window=window,
            gate=self._gate,
            tally=self.tally,
            trace=self._trace,
        )
        return processor


def window_of(partitions: int, window: int = WINDOW) -> int:
    """Return how many edits are kept of each of so many partitions."""
    return min(window, max(_LEAST, MOST // partitions))
