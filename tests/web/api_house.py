"""The API over a real view and real streams, with wikis and a model that do as a test says."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from starlette.applications import Starlette

from revision_quality.events.page_change import PageChange
from revision_quality.models.base import Model
from revision_quality.models.reasons import Reason
from revision_quality.recent_changes.wiki_levels import WikiLevels
from revision_quality.scoring.model_rule import ModelRule
from revision_quality.scoring.on_request import AskedWiki, OnRequest
from revision_quality.streams.sqlite import SqliteStreams
from revision_quality.web.api import AskedModel, api_routes
from revision_quality.web.app import create_app
from revision_quality.wiki.revision import Revision
from tests.events.examples import at, page_change
from tests.fakes import FakeClock
from tests.recent_changes.examples import LEVELS, SITES
from tests.scoring.asked import FakeEdits
from tests.scoring.fakes import FakeModel, FakeReader
from tests.web.conftest import WritableView

WIKIS = ("my_wiki", "mediawiki", "intranet", "enwiki", "alswiki", "bat_smgwiki", "zh_min_nanwiki")
LIFT_WING = "revertrisk-language-agnostic"


class ExplainingFake(FakeModel):
    """Tells one reason for every score."""

    def explain(self, revision: Revision) -> Sequence[Reason]:
        return (Reason("lines_added", 1.0, 0.5, f"is revision {revision.rev_id}"),)


class ApiHouse:
    """Everything that a request touches."""

    def __init__(
        self,
        streams: SqliteStreams,
        view: WritableView,
        model: Model,
        others: Sequence[ModelRule] = (),
        **options: Any,
    ) -> None:
        self.streams = streams
        self.view = view
        self.model = model
        self.edits = FakeEdits(*(page_change(rev_id=rev_id) for rev_id in range(10, 20)))
        self.reader = FakeReader()
        wikis = dict.fromkeys(WIKIS, AskedWiki(self.edits, self.reader))
        rules = [ModelRule(model=model), *others]
        asked = [OnRequest(streams, rule, wikis.get, clock=FakeClock(at(60))) for rule in rules]
        self.asked = asked[0]
        routes = api_routes(
            [
                AskedModel(rule.model, one, LEVELS if rule.model is model else WikiLevels(()))
                for rule, one in zip(rules, asked, strict=True)
            ],
            view,
            wiki_ids=WIKIS,
            wiki_of=wikis.get,
            **options,
        )
        self.app: Starlette = create_app(view, SITES.get, LEVELS, routes=routes)
        transport = httpx.ASGITransport(self.app)
        self.client = httpx.AsyncClient(transport=transport, base_url="http://test")

    def has(self, *changes: PageChange) -> None:
        """Have the wikis hold these edits too."""
        self.edits.changes |= {change.revision.rev_id: change for change in changes}

    async def predict(self, inputs: Any, name: str = LIFT_WING) -> httpx.Response:
        """Ask as a client of Lift Wing."""
        return await self.client.post(f"/v1/models/{name}:predict", json=inputs)

    async def get(self, path: str) -> httpx.Response:
        return await self.client.get(path)


@asynccontextmanager
async def api_house(
    folder: Path,
    view: WritableView,
    model: Model | None = None,
    **options: Any,
) -> AsyncIterator[ApiHouse]:
    async with SqliteStreams(folder / "streams.sqlite") as streams:
        house = ApiHouse(streams, view, model or FakeModel(), **options)
        async with house.client:
            yield house
