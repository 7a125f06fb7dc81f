"""Another model is shown while edits come in: no filter is emptier at any moment."""

import asyncio
import contextlib
from collections.abc import Sequence
from pathlib import Path

import httpx
from msgspec.structs import replace

from revision_quality.cli.listening import listen
from revision_quality.cli.parts import Parts
from revision_quality.cli.service import Service, run_service
from revision_quality.demo import sample_edits
from revision_quality.demo.reader import SampleReader
from revision_quality.models.base import Prediction, Unscored
from revision_quality.models.revert_risk import RevertRisk
from revision_quality.scoring.model_rule import ModelRule
from revision_quality.scoring.on_request import AskedWiki
from revision_quality.settings import Settings, Web
from revision_quality.sites import site_of
from revision_quality.sources.replay import ReplaySource, ReplayState
from revision_quality.views.shown_model import coverage
from revision_quality.wiki.revision import Revision
from tests.fakes import MemoryStore

EDITS, AT_FIRST = 500, 350
MOST_EMPTIER = 0.05
PATIENCE_SECONDS = 120.0


class Squared:
    """The shipped model with all scores squared: by the old thresholds hardly any is flagged."""

    name = "revertrisk-language-agnostic"
    version = "squared"

    def __init__(self, model: RevertRisk) -> None:
        self._model = model
        self.levels = tuple(replace(level, threshold=level.threshold**2) for level in model.levels)

    async def predict(self, revisions: Sequence[Revision]) -> list[Prediction | Unscored]:
        found = await self._model.predict(revisions)
        return [Prediction(one.score**2) if isinstance(one, Prediction) else one for one in found]


class Flagged:
    """How many edits each level's filter shows, asked for again and again."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.most: dict[str, int] = {}
        self.samples = 0
        self.emptier: list[str] = []
        self.versions: set[str] = set()

    async def watch(self) -> None:
        async with httpx.AsyncClient(base_url=self._url, timeout=PATIENCE_SECONDS) as client:
            while True:
                for level in ("maybebad", "likelybad", "verylikelybad"):
                    query = {"revertrisk": level, "limit": 500}
                    answer = await client.get("recent-changes.json", params=query)
                    self._take(level, answer.raise_for_status().json()["changes"])
                await asyncio.sleep(0)

    def _take(self, level: str, rows: Sequence[dict[str, str]]) -> None:
        self.samples += 1
        self.versions |= {row["model_version"] for row in rows}
        most = self.most.get(level, 0)
        if len(rows) < most * (1 - MOST_EMPTIER):
            self.emptier.append(f"{level}: {len(rows)} after {most}")
        self.most[level] = max(most, len(rows))


def parts_of(model: RevertRisk, source: ReplaySource, reader: SampleReader) -> Parts:
    squared = Squared(model)
    rules = [
        ModelRule(model=model, levels=model.levels),
        ModelRule(model=squared, levels=squared.levels, stream="squared.v1", group="squared"),
    ]
    return Parts(
        sources=lambda: [source],
        rules=rules,
        wikis={name: AskedWiki(reader.edits(name), reader) for name in reader.wiki_ids},
        site_of=site_of,
        is_kept=True,
    )


SQUARED = (Squared.name, Squared.version)


async def until_covered(service: Service, edits: int) -> None:
    """Wait until both models have scored some edits."""
    view = service.view
    assert view is not None
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            found = await view.read(lambda connection: coverage(connection, SQUARED, days=36500))
            if found.edits >= edits and found.share == 1:
                return
            await asyncio.sleep(0.05)


async def test_promotion_and_back_during_a_replay(tmp_path: Path) -> None:
    model = RevertRisk.load()
    reader = SampleReader(edit for edit, _ in zip(sample_edits(), range(EDITS), strict=False))
    first = ReplaySource(reader.changes[:AT_FIRST], 0, MemoryStore(ReplayState()))
    rest = ReplaySource(reader.changes[AT_FIRST:], 0, MemoryStore(ReplayState()))
    parts = parts_of(model, first, reader)
    settings = Settings(data_folder=str(tmp_path), web=Web(port=0))

    async def watch(service: Service) -> None:
        view = service.view
        assert view is not None
        await until_covered(service, AT_FIRST)
        flagged = Flagged(service.url)
        watching = asyncio.create_task(flagged.watch())
        replaying = asyncio.create_task(rest.run(service.collector.emit_of("replay")))
        await asyncio.sleep(0.3)
        for promoted in (SQUARED, (model.name, model.version)):
            found = await view.promote(promoted, 1, 0.5)
            assert found.share >= 0.5
            before = flagged.samples
            async with asyncio.timeout(PATIENCE_SECONDS):
                while flagged.samples < before + 9:  # noqa: ASYNC110 (it rings no bell)
                    await asyncio.sleep(0.01)
        await replaying
        await until_covered(service, EDITS)
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching
        assert flagged.emptier == []
        assert flagged.versions == {model.version, Squared.version}
        assert flagged.most["maybebad"] > 20

    with listen("127.0.0.1", 0) as listening:
        await run_service(settings, parts, listening, watch)
