"""Workers of a model's next version replace those of the last while a hostile stream comes in."""

import asyncio
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from uuid import UUID

import msgspec
import pytest
from msgspec.structs import replace

from revision_quality.events.page_change import PageChange
from revision_quality.sources.base import outgoing
from revision_quality.streams.base import Outgoing
from revision_quality.streams.kafka.place import KafkaPlace
from revision_quality.streams.kafka.streams import KafkaStreams
from revision_quality.views.changes import STREAMS, ChangesView
from revision_quality.views.database import Database
from revision_quality.views.materialiser import Materialiser
from revision_quality.views.tables import changes
from tests.e2e.team import rows_in, scores_in
from tests.events.examples import at, iso, page_change, revision
from tests.faults.size import EDITS, PATIENCE

pytestmark = [
    pytest.mark.faults,
    pytest.mark.kafka,
    pytest.mark.database,
    pytest.mark.timeout(900),
]

PROJECT = Path(__file__).parents[2]
NUMBER, PAGES, DELETED = EDITS, 400, 40
AGAIN = NUMBER // 20
"""Edits that come a second time under another id, as sources that overlap bring them."""

LATE = NUMBER // 40
"""Edits that come after half of all the others."""

BEHIND = NUMBER // 10
"""The next version comes when so many edits are scored, and the last one goes."""

CHUNK = NUMBER // 100
"""Edits that come at once while the next version starts, which takes seconds."""

SEED = 11


FIRST = 1000
"""The first edit's revision: revision 1 would have no parent."""


class Edit(msgspec.Struct, frozen=True):
    number: int

    @property
    def page(self) -> int:
        return self.number % PAGES

    @property
    def is_deleted(self) -> bool:
        """Whether its page is deleted after all edits."""
        return self.page < DELETED

    def event(self, identifier: int) -> Outgoing:
        change = page_change(rev_id=FIRST + self.number, second=self.number / 10)
        return _outgoing(change, self.page, identifier)


def deletion(page: int) -> Outgoing:
    moment = NUMBER / 10 + 1
    told = {"revision": revision(FIRST + NUMBER - PAGES + page, moment), "dt": iso(at(moment))}
    return _outgoing(page_change("delete", **told), page, 10**10 + page)


def _outgoing(change: PageChange, page: int, identifier: int) -> Outgoing:
    meta = replace(change.meta, id=str(UUID(int=identifier + 1)))
    there = replace(change.page, page_id=page + 1)
    return outgoing(replace(change, meta=meta, page=there, wiki_id=f"wiki{page % 3}"))


def hostile(chance: random.Random) -> list[Outgoing]:
    """Edits out of order, some twice, some late; deletions before the edits that they end."""
    events = [(n + chance.uniform(0, 50), Edit(n).event(n)) for n in range(NUMBER)]
    for place in chance.sample(range(NUMBER), LATE):
        events[place] = (events[place][0] + NUMBER / 2, events[place][1])
    for n in chance.sample(range(NUMBER), AGAIN):
        events.append((n + chance.uniform(0, NUMBER / 4), Edit(n).event(n + 10**9)))
    for page in range(DELETED):
        events.append((chance.uniform(0, NUMBER), deletion(page)))
    return [event for _, event in sorted(events, key=lambda item: item[0])]


class Workers:
    """Scorers of one version after another."""

    def __init__(self, place: KafkaPlace) -> None:
        self._place = msgspec.json.encode(place).decode()
        self._all: list[subprocess.Popen[bytes]] = []

    def start(self, version: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "tests.faults.scorer", self._place, version]
        self._all.append(subprocess.Popen(command, cwd=PROJECT))
        return self._all[-1]

    def end(self) -> None:
        for process in self._all:
            process.kill()
            process.wait()


@pytest.fixture
def place(broker) -> KafkaPlace:
    return broker.place(partitions=4)


@pytest.fixture
def workers(place: KafkaPlace) -> Iterator[Workers]:
    with ExitStack() as stack:
        workers = Workers(place)
        stack.callback(workers.end)
        yield workers


async def test_two_versions_at_once_on_a_hostile_stream(place, workers, mariadb, tmp_path):
    began = time.monotonic()
    events = hostile(random.Random(SEED))
    url, rebuilt = mariadb.new_url(), f"sqlite:///{tmp_path}/rebuilt.sqlite"
    old = [workers.start("1") for _ in range(2)]
    async with KafkaStreams(place) as streams:
        view = ChangesView(Database(url))
        keeping = asyncio.create_task(Materialiser(streams, view, STREAMS).run())
        await streams.append(events[: NUMBER // 2])
        await _until(lambda: _scored(view), BEHIND)
        new = [workers.start("2") for _ in range(2)]
        rest = events[NUMBER // 2 :]
        while rest and "2" not in {key[3] for key in await scores_in(place)}:
            await streams.append(rest[:CHUNK])
            del rest[:CHUNK]
            await asyncio.sleep(0.5)
        await streams.append(rest)
        for worker in old:
            await asyncio.sleep(2)
            worker.terminate()
            assert await asyncio.to_thread(worker.wait, 30) == 0
        await _until(lambda: _scored(view), NUMBER - DELETED * NUMBER // PAGES)
        await _until(lambda: _dealt_with(place), NUMBER)
        assert all(worker.poll() is None for worker in new)
        keeping.cancel()
        await asyncio.wait([keeping])
        await view.close()
        await _rebuild(streams, rebuilt)
    counts = await scores_in(place)
    versions = Counter(key[3] for key in counts)
    rows, again = rows_in(url), rows_in(rebuilt)
    print(
        f"\n{len(events)} events in ({NUMBER} edits, {AGAIN} of them twice, {LATE} late, {DELETED}"
        f" pages deleted before their edits came), {dict(versions)} keys out by version,"
        f" {counts.total() - len(counts)} repeated, {len({key[:2] for key in counts})} edits"
        f" scored, {len(rows)} rows, {len(again)} rebuilt, {time.monotonic() - began:.0f} s"
    )
    assert {key[1] for key in counts} == set(range(FIRST, FIRST + NUMBER))
    assert set(counts.values()) == {1}
    assert versions.keys() == {"1", "2"}
    assert rows == again
    _check(rows)


def _check(rows: list[tuple[object, ...]]) -> None:
    """Every edit has a row: nothing is left of those whose pages are deleted."""
    columns = [column.name for column in changes.columns if column.name != "seq"]
    rev_id, is_deleted, state, title = map(columns.index, ("rev_id", "deleted", "state", "title"))
    assert {row[rev_id] for row in rows} == set(range(FIRST, FIRST + NUMBER))
    for row in rows:
        edit = Edit(int(str(row[rev_id])) - FIRST)
        assert bool(row[is_deleted]) is edit.is_deleted
        assert (row[title] == "") is edit.is_deleted
        assert edit.is_deleted or row[state] == "scored"


async def _rebuild(streams: KafkaStreams, url: str) -> None:
    view = ChangesView(Database(url))
    materialiser = Materialiser(streams, view, STREAMS)
    while await materialiser.step():
        pass
    await view.close()


async def _scored(view: ChangesView) -> int:
    counts = await view.counts()
    return sum(number for (_, state), number in counts.items() if state == "scored")


async def _dealt_with(place: KafkaPlace) -> int:
    return len({key[:2] for key in await scores_in(place)})


async def _until(count: Callable[[], Awaitable[int]], wanted: int) -> None:
    async with asyncio.timeout(PATIENCE):
        while await count() < wanted:  # noqa: ASYNC110 (it is counted in other processes' work)
            await asyncio.sleep(0.5)
