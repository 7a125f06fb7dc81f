"""What a scraper reads of a process, from the parts that know it."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette

from revision_quality.alarms.stored import Alarms
from revision_quality.alarms.watch import AlarmWatch
from revision_quality.cli.lease import Free, Holder
from revision_quality.cli.metrics import Meter
from revision_quality.cli.readiness import Watcher
from revision_quality.cli.role import EVERY, Role
from revision_quality.cli.running import Running, Watched
from revision_quality.cli.wiki_health import WikiBook
from revision_quality.pauses import Gate
from revision_quality.sources.collector import Collector
from revision_quality.streams.sqlite import SqliteStreams
from revision_quality.views.changes import ChangesView
from revision_quality.views.database import Database
from revision_quality.views.positions import ViewPositions
from revision_quality.web.metrics import Metrics
from tests.events.examples import at, page_change, prediction
from tests.fakes import FakeClock
from tests.views.examples import open_view, records


class House:
    """A process without sources and models: a view, a watch for alarms, its metrics."""

    def __init__(self, streams: SqliteStreams, view: ChangesView, database: Database) -> None:
        self.view = view
        self.clock = FakeClock(at(0))
        self.watch = AlarmWatch(
            database, ViewPositions(database, "alarms"), lambda *_: 0.5, clock=self.clock
        )
        running = Running(
            streams=streams,
            view=view,
            roles=EVERY,
            collector=Collector(streams),
            groups=(),
            materialisers=(),
            watched=Watched(),
            gate=Gate(),
            alarms=Alarms(view).active,
            clock=self.clock,
            begun=self.clock.now(),
        )
        watcher = Watcher(
            streams=streams,
            view=view,
            roles=EVERY,
            holders={role: Holder(role, [Free()]) for role in Role if role is not Role.SERVE},
            groups=(),
            materialisers=(),
            watched=Watched(),
            clock=self.clock,
        )
        meter = Meter(running, watcher, WikiBook(watcher.lags, tuple, self.clock))
        self._app = Starlette(routes=Metrics(meter.gather).routes)

    async def scrape(self, name: str) -> dict[tuple[str, ...], float]:
        """Return the values of a metric by those of its labels, in the order of their names."""
        transport = httpx.ASGITransport(app=self._app)
        async with httpx.AsyncClient(transport=transport, base_url="http://revq") as asking:
            text = (await asking.get("/metrics")).text
        return {
            tuple(value for _, value in sorted(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == name
        }


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    url = f"sqlite:///{tmp_path}/views.sqlite"
    database = Database(url)
    async with SqliteStreams(tmp_path / "streams.sqlite") as streams, open_view(url) as view:
        yield House(streams, view, database)
    await database.close()


async def test_an_alarm_is_told_as_long_as_it_is_on(house: House) -> None:
    edits = [page_change(rev_id=rev_id) for rev_id in range(10, 15)]
    await house.view.apply(records(edits))
    await house.watch.look()
    assert await house.scrape("revq_alarm") == {}

    house.clock.time = at(11 * 60)
    await house.watch.look()
    assert await house.scrape("revq_alarm") == {("no_scores", "my_wiki"): 1}

    await house.view.apply(records([prediction(edits[0])], 6))
    await house.watch.look()
    assert await house.scrape("revq_alarm") == {}
