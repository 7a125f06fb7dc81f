"""A wiki that can be asked for scores, with real streams."""

import asyncio
from collections.abc import Sequence

from revision_quality.events import streams as names
from revision_quality.events.page_change import PageChange
from revision_quality.events.prediction import PredictionChange, decode_prediction
from revision_quality.events.prediction_error import PredictionError, decode_prediction_error
from revision_quality.scoring.model_rule import ModelRule
from revision_quality.scoring.on_request import AskedWiki, NoSuchRevision, OnRequest
from revision_quality.streams.sqlite import SqliteStreams
from tests.events.examples import at
from tests.fakes import FakeClock
from tests.scoring.fakes import FakeModel, FakeReader

WIKI = "my_wiki"


class FakeEdits:
    """Has the edits that a test gives it; waits for `gate` before it answers."""

    def __init__(self, *changes: PageChange) -> None:
        self.changes = {change.revision.rev_id: change for change in changes}
        self.requests: list[list[int]] = []
        self.failures: list[Exception] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def read(self, rev_ids: Sequence[int]) -> dict[int, PageChange]:
        self.requests.append(sorted(rev_ids))
        await self.gate.wait()
        if self.failures:
            raise self.failures.pop(0)
        return {rev_id: self.changes[rev_id] for rev_id in rev_ids if rev_id in self.changes}


class House:
    """A wiki, a model and the streams, with OnRequest over them."""

    def __init__(self, streams: SqliteStreams, model: FakeModel, *changes: PageChange) -> None:
        self.streams = streams
        self.model = model
        self.edits = FakeEdits(*changes)
        self.reader = FakeReader()
        wikis = {WIKI: AskedWiki(self.edits, self.reader)}
        self.on_request = OnRequest(
            streams, ModelRule(model=model), wikis.get, clock=FakeClock(at(60))
        )

    async def ask(self, *rev_ids: int) -> list[PredictionChange | PredictionError | NoSuchRevision]:
        return await self.on_request.answers(WIKI, rev_ids)

    async def published(self) -> list[tuple[int, float | str]]:
        """Every outcome in the streams: of each edit the score or the reason."""
        scored = await self.streams.read(names.PREDICTION, 0, 1000)
        refused = await self.streams.read(names.PREDICTION_ERROR, 0, 1000)
        found: list[tuple[int, float | str]] = []
        for record in scored:
            event = decode_prediction(record.value)
            found.append((event.revision.rev_id, event.score))
        for record in refused:
            error = decode_prediction_error(record.value)
            found.append((error.revision.rev_id, error.error.reason))
        return found
