"""Several workers on a real Kafka, some of them killed or asleep, the broker too."""

import asyncio
import json
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from functools import partial
from itertools import chain
from pathlib import Path
from uuid import UUID

import msgspec
import pytest
from confluent_kafka import Consumer, Producer

from revision_quality.clock import system_clock
from revision_quality.errors import StoreError
from revision_quality.streams.base import (
    START,
    Claim,
    Member,
    Outgoing,
    Partition,
    Record,
    Work,
    page_key,
)
from revision_quality.streams.kafka import member as member_module
from revision_quality.streams.kafka import outcomes as outcomes_module
from revision_quality.streams.kafka.member import KafkaMember
from revision_quality.streams.kafka.outcomes import Outcomes
from revision_quality.streams.kafka.place import MAX_MESSAGE_BYTES, KafkaPlace
from revision_quality.streams.kafka.remembered import Remembered
from revision_quality.streams.kafka.streams import KafkaStreams
from tests.servers.kafka import Broker
from tests.streams.worker import EDITS, GROUP, SCORES

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(400)]

PROJECT = Path(__file__).parents[2]
NUMBER = 20_000
REPEATED = 1000
"""Edits that are in the log a second time, under another id, as sources that overlap bring them."""


def edits(number: int, repeated: int) -> list[Outgoing]:
    once = range(number)
    again = range(0, number, max(1, number // repeated)) if repeated else ()
    return [
        Outgoing(EDITS, str(UUID(int=place)), page_key("my_wiki", one % 500), b"%d" % one)
        for place, one in enumerate([*once, *again])
    ]


@pytest.fixture
def place(broker: Broker) -> KafkaPlace:
    return broker.place(partitions=6)


@pytest.fixture
async def streams(place: KafkaPlace) -> AsyncIterator[KafkaStreams]:
    async with KafkaStreams(place) as opened:
        yield opened


class Worker:
    """A process of `tests.streams.worker`."""

    def __init__(self, place: KafkaPlace, log: Path) -> None:
        self._log = log
        with log.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.streams.worker", msgspec.json.encode(place).decode()],
                stdout=out,
                stderr=subprocess.STDOUT,
                cwd=PROJECT,
            )

    def claims(self) -> list[int]:
        """Return the partitions that it held when it told so last."""
        lines = [line for line in self._log.read_text().splitlines() if line.startswith("[")]
        return json.loads(lines[-1]) if lines else []

    def troubles(self) -> list[str]:
        return [line for line in self._log.read_text().splitlines() if "trouble" in line]

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)


@pytest.fixture
def start(place: KafkaPlace, tmp_path: Path) -> Iterator[Callable[[], Worker]]:
    workers: list[Worker] = []
    with ExitStack() as started:

        def begin() -> Worker:
            worker = Worker(place, tmp_path / f"worker{len(workers)}.log")
            workers.append(worker)
            started.enter_context(worker.process)
            started.callback(worker.process.kill)
            return worker

        yield begin


class Scores:
    """The scores as they come, read from the committed end of each partition."""

    def __init__(self, streams: KafkaStreams) -> None:
        self._streams = streams
        self._positions: dict[int, int] = {}
        self.counts: Counter[int] = Counter()

    async def read(self) -> None:
        for partition in range(await self._streams.partitions(SCORES)):
            after = self._positions.get(partition, START)
            while found := await self._streams.read(SCORES, after, 1000, partition):
                self.counts.update(int(record.value) for record in found)
                after = self._positions[partition] = found[-1].offset

    async def reach(self, number: int, seconds: float = 240) -> None:
        async with asyncio.timeout(seconds):
            while len(self.counts) < number:
                try:
                    await self.read()
                except StoreError:
                    await asyncio.sleep(0.2)
                await asyncio.sleep(0.05)

    def told(self) -> str:
        twice = sum(count - 1 for count in self.counts.values())
        return f"{len(self.counts)} edits with a score, {twice} scores too many"


async def shared(workers: list[Worker], partitions: int) -> None:
    """Wait until the workers have parted the partitions among them."""
    async with asyncio.timeout(60):
        while True:
            claims = [worker.claims() for worker in workers]
            if all(claims) and sorted(chain(*claims)) == list(range(partitions)):
                return
            await asyncio.sleep(0.1)


async def claimed(member: Member, number: int) -> dict[int, Claim]:
    async with asyncio.timeout(30):
        while len(member.claims) < number:
            await member.wait(member.changes(), 0.1)
    return {claim.partition.number: claim for claim in member.claims}


async def whole(streams: KafkaStreams, stream: str) -> list[Record]:
    return [
        record
        for partition in range(await streams.partitions(stream))
        for record in await streams.read(stream, START, 10_000, partition)
    ]


@contextmanager
def open_transaction(place: KafkaPlace, stream: str) -> Iterator[Callable[[], None]]:
    """Write into a stream by a transaction, which ends when what is given is called."""
    own = {"bootstrap.servers": place.servers, "transactional.id": place.topic(stream)}
    producer = Producer(own)
    producer.init_transactions(10)
    producer.begin_transaction()
    producer.produce(place.topic(stream), b"under way", partition=0)
    producer.flush(10)
    yield lambda: producer.commit_transaction(10)


async def settled(scores: Scores, number: int) -> None:
    """Wait for all scores, and a while longer for any that is too many."""
    await scores.reach(number)
    await asyncio.sleep(1)
    await scores.read()
    assert sorted(scores.counts) == list(range(number))
    assert set(scores.counts.values()) == {1}


async def test_topics_and_keys_are_those_of_the_event_platform(place, streams):
    await streams.append(edits(50, 0))

    consumer = Consumer({"bootstrap.servers": place.servers, "group.id": "someone else"})
    try:
        topics = consumer.list_topics(timeout=10).topics
    finally:
        consumer.close()

    assert len(topics[f"{place.prefix}{EDITS}"].partitions) == 6
    records = await whole(streams, EDITS)
    assert len(records) == 50
    assert len({record.partition for record in records}) > 1
    pages = {(int(record.value) % 500, record.partition) for record in records}
    assert len(pages) == 50


async def test_an_event_as_large_as_a_topic_takes_is_read_among_others(broker):
    """Larger than what is fetched of a partition at once."""
    large = random.Random(1).randbytes(MAX_MESSAGE_BYTES - 10_000)
    events = [
        Outgoing(EDITS, str(UUID(int=number)), page_key("my_wiki", 1), value)
        for number, value in enumerate([b"before", large, b"after"])
    ]

    found: list[Record] = []
    async with KafkaStreams(broker.place(partitions=1)) as streams:
        await streams.append(events)
        while more := await streams.read(EDITS, found[-1].offset if found else START, 10):
            found += more

    assert [record.value for record in found] == [b"before", large, b"after"]


async def test_three_workers_share_the_work_and_one_is_killed(start, streams):
    workers = [start() for _ in range(3)]
    await streams.partitions(EDITS)
    await shared(workers, 6)
    scores = Scores(streams)
    all_edits = edits(NUMBER, REPEATED)
    began = time.monotonic()

    await streams.append(all_edits[: NUMBER // 2])
    await scores.reach(NUMBER // 4)
    workers[0].send(signal.SIGKILL)
    await streams.append(all_edits[NUMBER // 2 :])

    await settled(scores, NUMBER)
    await shared(workers[1:], 6)
    print(f"killed: {len(all_edits)} events in, {scores.told()}, {time.monotonic() - began:.1f} s")


async def test_workers_that_come_and_go_lose_and_double_nothing(start, streams):
    workers = [start()]
    await shared(workers, 6)
    scores = Scores(streams)
    all_edits = edits(NUMBER, REPEATED)
    for number in range(4):
        part = len(all_edits) // 4
        await streams.append(all_edits[number * part : (number + 1) * part + 4])
        workers.append(start())
        await asyncio.sleep(0.7)
        workers.pop(0).send(signal.SIGTERM if number % 2 else signal.SIGKILL)

    await settled(scores, NUMBER)
    print(f"come and go: {len(all_edits)} events in, {scores.told()}")


async def test_a_worker_that_slept_changes_nothing_when_it_wakes(start, streams):
    workers = [start() for _ in range(2)]
    await shared(workers, 6)
    scores = Scores(streams)
    all_edits = edits(NUMBER, REPEATED)

    await streams.append(all_edits[: NUMBER // 2])
    await scores.reach(NUMBER // 8)
    workers[0].send(signal.SIGSTOP)
    await shared(workers[1:], 6)
    await streams.append(all_edits[NUMBER // 2 :])
    await scores.reach(NUMBER)
    workers[0].send(signal.SIGCONT)

    await settled(scores, NUMBER)
    await shared(workers, 6)
    print(f"asleep: {len(all_edits)} events in, {scores.told()}, {workers[0].troubles()[:1]}")


async def test_a_broker_that_is_away_for_ten_seconds_loses_and_doubles_nothing(
    start_broker, tmp_path
):
    broker = start_broker()
    place = broker.place(partitions=4)
    all_edits = edits(NUMBER // 2, REPEATED)
    with ExitStack() as started:
        workers = [Worker(place, tmp_path / f"{number}.log") for number in range(2)]
        for worker in workers:
            started.enter_context(worker.process)
            started.callback(worker.process.kill)
        async with KafkaStreams(place) as streams:
            await shared(workers, 4)
            scores = Scores(streams)
            await streams.append(all_edits[: NUMBER // 4])
            await scores.reach(NUMBER // 16)
            await asyncio.to_thread(broker.stop)
            appending = asyncio.create_task(streams.append(all_edits[NUMBER // 4 :]))
            await asyncio.sleep(10)
            await asyncio.to_thread(broker.start)
            await appending

            await settled(scores, NUMBER // 2)
    print(f"broker away: {len(all_edits)} events in, {scores.told()}")


async def test_a_claim_that_is_lost_publishes_nothing(place, streams):
    await streams.append(edits(10, 0))
    first = await streams.join(GROUP, [EDITS], [SCORES])
    old = await claimed(first, 6)
    async with KafkaStreams(place) as others:
        second = await others.join(GROUP, [EDITS], [SCORES])
        moved = set(await claimed(second, 3))

        for number, claim in old.items():
            score = Outgoing(SCORES, str(UUID(int=100 + number)), "", b"%d" % number)
            assert await first.publish(Work(claim, (score,), 1)) == (number not in moved)

    kept = {int(record.value) for record in await whole(streams, SCORES)}
    assert kept == set(old) - moved


async def test_what_becomes_ready_soon_after_a_transaction_shares_the_next_one(broker):
    place = broker.place(partitions=1)
    async with KafkaStreams(place) as streams:
        await streams.append(edits(3, 0))
        await streams.partitions(SCORES)
        member = KafkaMember(
            place, GROUP, [EDITS], {SCORES: 1}, read=streams.read, clock=system_clock, every=3.0
        )
        [claim] = (await claimed(member, 1)).values()
        works = [
            Work(claim, (Outgoing(SCORES, str(UUID(int=number)), "", b"%d" % number),), number)
            for number in range(4)
        ]
        # The first transaction takes as long as a producer's start.
        for work in works[:2]:
            await member.publish(work)
        late = [asyncio.create_task(member.publish(works[2]))]
        await asyncio.sleep(0.1)
        late.append(asyncio.create_task(member.publish(works[3])))

        assert await asyncio.gather(*late) == [True, True]
        marks = await streams.end(SCORES) - len(await whole(streams, SCORES))
        await member.close()

    assert marks == 3


async def test_what_is_published_on_request_becomes_known(streams):
    await streams.append(edits(1, 0))
    member = await streams.join(GROUP, [EDITS], [SCORES])
    await claimed(member, 6)
    score = Outgoing(SCORES, str(UUID(int=7)), page_key("my_wiki", 1), b"asked for")

    await streams.append([score])

    async with asyncio.timeout(30):
        while await member.known(SCORES, [score.id]) != {score.id}:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_a_cluster_that_does_not_answer_is_told_in_one_sentence():
    async with KafkaStreams(KafkaPlace(servers="127.0.0.1:1")) as streams:
        with pytest.raises(StoreError, match=r"Kafka at 127\.0\.0\.1:1, topic edits: "):
            await streams.read(EDITS, START, 10)


class LaterClock:
    """A clock that is far ahead of the brokers'."""

    def now(self) -> datetime:
        return datetime(2999, 1, 1, tzinfo=UTC)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


async def test_what_came_of_a_partition_is_not_forgotten_while_it_is_taken_over(
    broker, monkeypatch
):
    monkeypatch.setattr(member_module, "_FORGET_EVERY", 1)
    monkeypatch.setattr(outcomes_module, "Remembered", partial(Remembered, 1))
    place = broker.place(partitions=1)
    score = Outgoing(SCORES, str(UUID(int=7)), page_key("my_wiki", 1), b"scored before")
    async with KafkaStreams(place) as streams:
        await streams.append([*edits(1, 0), score])
        with open_transaction(place, SCORES) as commit:
            member = KafkaMember(
                place, GROUP, [EDITS], {SCORES: 1}, read=streams.read, clock=LaterClock()
            )
            # Until the transaction ends, there may be more to know.
            await asyncio.sleep(6)
            assert not member.claims
            commit()
        await claimed(member, 1)

        assert await member.known(SCORES, [score.id]) == {score.id}
        await member.close()


async def test_what_is_known_of_a_partition_stays_known_when_an_older_one_joins_it(broker):
    place = broker.place(partitions=1)
    score = Outgoing(SCORES, str(UUID(int=7)), page_key("my_wiki", 1), b"scored before")
    async with KafkaStreams(place) as streams:
        await streams.append([score])
        outcomes = Outcomes(place, {SCORES: 1})
        outcomes.begin(Partition(EDITS, 0), since=1000)
        while not outcomes.knows_all(Partition(EDITS, 0)):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        assert outcomes.known(SCORES, [score.id]) == {score.id}

        outcomes.begin(Partition(EDITS, 1), since=0)

        assert outcomes.known(SCORES, [score.id]) == {score.id}
        outcomes.close()


async def test_who_publishes_while_the_member_is_closed_does_not_wait_for_ever(broker):
    async with KafkaStreams(broker.place(partitions=1)) as streams:
        await streams.append(edits(1, 0))
        member = await streams.join(GROUP, [EDITS], [SCORES])
        [claim] = (await claimed(member, 1)).values()

        # The first transaction takes as long as a producer's start.
        publishing = asyncio.create_task(member.publish(Work(claim, (), 1)))
        await asyncio.sleep(0.02)
        await member.close()

        with pytest.raises(asyncio.CancelledError):
            async with asyncio.timeout(5):
                await publishing
