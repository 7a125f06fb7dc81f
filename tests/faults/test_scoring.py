"""Four real scorers on Kafka, one of them killed every second: each edit is scored once."""

import asyncio
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from uuid import UUID

import msgspec
import pytest
from msgspec.structs import replace

from revision_quality.events import streams as names
from revision_quality.events.page_change import PageChange, decode_page_change
from revision_quality.events.prediction import PredictionChange, decode_prediction
from revision_quality.sources.base import outgoing
from revision_quality.streams.base import START, Outgoing, Streams
from revision_quality.streams.kafka.place import KafkaPlace
from revision_quality.streams.kafka.streams import KafkaStreams
from tests.events.examples import page_change
from tests.servers.kafka import Broker

pytestmark = [pytest.mark.faults, pytest.mark.kafka, pytest.mark.timeout(400)]

PROJECT = Path(__file__).parents[2]
NUMBER, PAGES, WORKERS, PARTITIONS = 20_000, 400, 4, 4
AGAIN = 1000
"""Edits that come a second time under another id, as sources that overlap bring them."""

SECONDS = 12
"""How long edits come, and workers are killed."""

SEED = 7

Key = tuple[str, int, str, str]


def edit(number: int) -> PageChange:
    page = number % PAGES
    change = page_change(rev_id=1000 + number, second=number / 10, wiki_id=f"wiki{page % 3}")
    meta = replace(change.meta, id=str(UUID(int=number + 1)))
    return replace(change, meta=meta, page=replace(change.page, page_id=page + 1))


def hostile(chance: random.Random) -> list[Outgoing]:
    """All edits, some twice, neighbours in any order and some of them late."""
    events = [(number + chance.uniform(0, 50), outgoing(edit(number))) for number in range(NUMBER)]
    for number in chance.sample(range(NUMBER), AGAIN):
        first = outgoing(edit(number))
        later = number + chance.uniform(0, NUMBER / 4)
        events.append((later, msgspec.structs.replace(first, id=str(UUID(int=number + 10**9)))))
    for place in chance.sample(range(NUMBER), NUMBER // 100):
        events[place] = (events[place][0] + NUMBER / 2, events[place][1])
    return [event for _, event in sorted(events, key=lambda item: item[0])]


class Team:
    """Workers; who is killed has a successor at once."""

    def __init__(self, place: KafkaPlace, folder: Path) -> None:
        self._place = msgspec.json.encode(place).decode()
        self._folder = folder
        self._all: list[subprocess.Popen[bytes]] = []
        self.kills = 0

    def start(self) -> None:
        with (self._folder / f"{len(self._all)}.log").open("wb") as log:
            command = [sys.executable, "-m", "tests.faults.scorer", self._place]
            process = subprocess.Popen(command, stdout=log, stderr=log, cwd=PROJECT)
        self._all.append(process)

    def kill_one(self, chance: random.Random) -> None:
        alive = [process for process in self._all if process.poll() is None]
        assert len(alive) == WORKERS, self.told()
        chance.choice(alive).send_signal(signal.SIGKILL)
        self.kills += 1
        self.start()
        for process in self._all:
            process.poll()

    def told(self) -> str:
        return "\n".join(log.read_text()[-1000:] for log in sorted(self._folder.iterdir()))

    def end(self) -> None:
        for process in self._all:
            process.kill()
            process.wait()


@pytest.fixture
def place(broker: Broker) -> KafkaPlace:
    return broker.place(partitions=PARTITIONS)


@pytest.fixture
def team(place: KafkaPlace, tmp_path: Path) -> Iterator[Team]:
    with ExitStack() as stack:
        team = Team(place, tmp_path)
        stack.callback(team.end)
        for _ in range(WORKERS):
            team.start()
        yield team


class Scores:
    """The scores as they come: how often each key, and in which partition each page."""

    def __init__(self, streams: Streams) -> None:
        self._streams = streams
        self._positions = dict.fromkeys(range(PARTITIONS), START)
        self.counts: Counter[Key] = Counter()
        self.partitions: dict[tuple[str, int], set[int]] = {}

    async def read(self) -> None:
        for number in self._positions:
            after = self._positions[number]
            while found := await self._streams.read(names.PREDICTION, after, 1000, number):
                for record in found:
                    self._note(decode_prediction(record.value), number)
                after = self._positions[number] = found[-1].offset

    def _note(self, event: PredictionChange, partition: int) -> None:
        model = event.predicted_classification
        key = (event.wiki_id, event.revision.rev_id, model.model_name, model.model_version)
        self.counts[key] += 1
        page = (event.wiki_id, event.page.page_id)
        self.partitions.setdefault(page, set()).add(partition)


async def read_edits(streams: Streams) -> tuple[list[list[Key]], dict[tuple[str, int], set[int]]]:
    """The pages' edits in the log's order, partition by partition, and where each page is."""
    orders, places = [], dict[tuple[str, int], set[int]]()
    for number in range(PARTITIONS):
        after, order = START, list[Key]()
        while found := await streams.read(names.PAGE_CHANGE, after, 1000, number):
            for record in found:
                change = decode_page_change(record.value)
                page = (change.wiki_id, change.page.page_id)
                places.setdefault(page, set()).add(number)
                order.append((change.wiki_id, change.revision.rev_id, "", ""))
            after = found[-1].offset
        orders.append(order)
    return orders, places


async def test_workers_that_are_killed_every_second_lose_and_double_no_score(place, team):
    chance = random.Random(SEED)
    events = hostile(chance)
    async with KafkaStreams(place) as streams:
        scores = Scores(streams)
        began = time.monotonic()
        part = len(events) // SECONDS + 1
        for second in range(SECONDS):
            await streams.append(events[second * part : (second + 1) * part])
            await scores.read()
            await asyncio.sleep(max(0.0, began + second + 1 - time.monotonic()))
            team.kill_one(chance)
        during = len(scores.counts)
        async with asyncio.timeout(300):
            while len(scores.counts) < NUMBER:
                await asyncio.sleep(0.2)
                await scores.read()
        took = time.monotonic() - began
        await asyncio.sleep(1)
        await scores.read()
        orders, places = await read_edits(streams)
    twice = scores.counts.total() - len(scores.counts)
    print(
        f"\n{len(events)} events in ({NUMBER} edits, {AGAIN} of them twice), {team.kills} workers"
        f" killed in {SECONDS} s ({during} scores by then), {len(scores.counts)} keys out,"
        f" {twice} scores too many, {took:.0f} s, {NUMBER / took:.0f} edits a second"
    )
    wanted = {
        (one.wiki_id, one.revision.rev_id, "revertrisk", "1") for one in map(edit, range(NUMBER))
    }
    assert set(scores.counts) == wanted
    assert twice == 0
    assert sum(map(len, orders)) == len(events)
    assert places == scores.partitions
    assert {len(numbers) for numbers in places.values()} == {1}
    assert page_orders(orders) == page_orders([[key_of(event) for event in events]])


def key_of(event: Outgoing) -> Key:
    change = decode_page_change(event.value)
    return (change.wiki_id, change.revision.rev_id, "", "")


def page_orders(orders: list[list[Key]]) -> dict[int, list[Key]]:
    """The edits of each page, in their order."""
    pages: dict[int, list[Key]] = {}
    for order in orders:
        for key in order:
            pages.setdefault((key[1] - 1000) % PAGES, []).append(key)
    return pages
