"""The job on a local Flink and a real Kafka: killed, resumed, the same scores as our own."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from scripts import flink

from revision_quality.cli.wikis import http_client
from revision_quality.events import streams as names
from revision_quality.models.revert_risk import RevertRisk
from revision_quality.scoring.group import ScoringGroup
from revision_quality.scoring.model_rule import ModelRule
from revision_quality.streams.base import START, Outgoing, Streams, page_key
from revision_quality.streams.kafka.place import KafkaPlace
from revision_quality.streams.kafka.streams import KafkaStreams
from revision_quality.streams.sqlite import SqliteStreams
from revision_quality.wiki.client import ActionApi
from revision_quality.wiki.reader import ApiReader
from tests.events.examples import raw_change, revision
from tests.flink.wiki import Wiki
from tests.servers.kafka import Broker
from tests.servers.loopback import serving

pytestmark = [pytest.mark.flink, pytest.mark.kafka, pytest.mark.timeout(600)]

NUMBER = 1500
INTERVAL = 5
"""Seconds between checkpoints: time enough to publish what no checkpoint knows of."""

OUTCOMES = (names.PREDICTION, names.PREDICTION_ERROR, names.DEAD_LETTER)
UNREADABLE = (b"\xff\xfe no text at all", b'{"$schema": "/mediawiki/page/change/1.2.0"}', b"[")

Found = dict[str, dict[str, Any]]


@pytest.fixture(scope="module", autouse=True)
def _installed() -> None:
    reason = flink.missing()
    if reason is not None:
        pytest.skip(f"{reason}: run 'python3 -m scripts.flink install'")


@pytest.fixture
def place(broker: Broker) -> KafkaPlace:
    return broker.place(partitions=2)


@pytest.fixture
async def kafka(place: KafkaPlace) -> AsyncIterator[KafkaStreams]:
    async with KafkaStreams(place) as streams:
        yield streams


class Job:
    """The job in processes of its own: Flink's, and its workers'."""

    def __init__(self, folder: Path, settings: Path) -> None:
        self._log = folder / "job.log"
        self._settings = settings
        self.checkpoints = folder / "checkpoints"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *options: object) -> None:
        command = [flink.python(), "-m", "revision_quality.flink", self._settings]
        places = ["--connector", flink.connector(), "--checkpoints", self.checkpoints]
        quick = ["--interval", INTERVAL, "--parallelism", 2]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [str(word) for word in [*command, *places, *quick, *options]],
                env=os.environ | {"PYTHONPATH": str(flink.PROJECT / "src")},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def check(self) -> None:
        if self._process is None or self._process.poll() is not None:
            pytest.fail(f"the job ended:\n{self._log.read_text()[-5000:]}")

    def kill(self) -> None:
        """End all its processes as a power cut would."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def checkpoint(self) -> Path | None:
        """Return the newest checkpoint that is complete."""
        whole = self.checkpoints.glob("*/chk-*/_metadata")
        newest = max(whole, key=lambda file: file.stat().st_mtime_ns, default=None)
        return newest.parent if newest else None


@pytest.fixture
def job(tmp_path: Path, settings: Path) -> Iterator[Job]:
    job = Job(tmp_path, settings)
    yield job
    job.kill()


@pytest.fixture
async def wiki() -> Wiki:
    return Wiki()


@pytest.fixture
async def api_url(wiki: Wiki) -> AsyncIterator[str]:
    async with serving(wiki.app, wiki.gate.set) as address:
        yield f"{address}/w/api.php"


@pytest.fixture
def settings(tmp_path: Path, place: KafkaPlace, api_url: str) -> Path:
    file = tmp_path / "revq.toml"
    file.write_text(
        f'[[wikis]]\napi = "{api_url}"\n'
        f'[streams]\nurl = "kafka://{place.servers}?prefix={place.prefix}&partitions=2"\n'
    )
    return file


def events(begin: int, end: int) -> list[Outgoing]:
    """What a stream of edits brings: edits of fifty pages, and all that is not to be scored."""
    kinds = {3: "create", 5: "move", 7: "delete"}
    found = []
    for number in range(begin, end):
        page = {"page_id": number % 50 + 1, "page_title": "Some_page", "namespace_id": 0}
        wiki_id = "elsewhere" if number % 40 == 9 else "my_wiki"
        kind = kinds.get(number % 40, "edit")
        rev_id = 1000 + 2 * number
        event = raw_change(
            kind, rev_id, page=page, wiki_id=wiki_id, revision=revision(rev_id, number)
        )
        key = page_key(wiki_id, page["page_id"])
        found.append(Outgoing(names.PAGE_CHANGE, _id(number), key, json.dumps(event).encode()))
    return found


def unreadable() -> list[Outgoing]:
    return [
        Outgoing(names.PAGE_CHANGE, _id(900_000 + number), "", raw)
        for number, raw in enumerate(UNREADABLE)
    ]


def _id(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012}"


async def outcomes(streams: Streams) -> tuple[Found, Counter[str]]:
    """Return what was published by its id, and how often."""
    found: Found = {}
    counts: Counter[str] = Counter()
    for stream in OUTCOMES:
        for partition in range(await streams.partitions(stream)):
            after = START
            while records := await streams.read(stream, after, 10_000, partition):
                after = records[-1].offset
                for event in (json.loads(record.value) for record in records):
                    found[event["meta"]["id"]] = event
                    counts[event["meta"]["id"]] += 1
    return found, counts


async def reach(
    streams: Streams, number: int, job: Job | None = None, seconds: float = 180
) -> None:
    """Wait until so many outcomes are there, repetitions not counted."""
    async with asyncio.timeout(seconds):
        while len((await outcomes(streams))[0]) < number:
            if job is not None:
                job.check()
            await asyncio.sleep(0.3)


async def our_own(folder: Path, api_url: str, edits: list[Outgoing], number: int) -> Found:
    """Return what our own processor publishes of the same edits."""
    async with SqliteStreams(folder / "own.sqlite") as streams, http_client() as client:
        await streams.append(edits)
        readers = {"my_wiki": ApiReader(ActionApi(api_url, client), 50)}
        group = ScoringGroup(streams, ModelRule(model=RevertRisk.load()), readers.get)
        running = asyncio.create_task(group.run())
        try:
            await reach(streams, number)
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running
        found, _ = await outcomes(streams)
        return found


def _scored(edits: list[Outgoing]) -> int:
    """How many of these have an outcome."""
    return sum(b'"delete"' not in event.value for event in edits)


def told(found: Found) -> dict[str, Any]:
    """What the outcomes say, without what differs from time to time and from log to log."""
    return {_place(event): _said(event) for event in found.values()}


def _place(event: dict[str, Any]) -> str:
    return str(event.get("raw_event") or event["meta"]["id"])


def _said(event: dict[str, Any]) -> Any:
    meta = {key: value for key, value in event["meta"].items() if key not in ("dt", "id")}
    return event | {"meta": meta}


async def test_killed_and_resumed_by_more_workers_it_publishes_what_our_own_processor_does(
    tmp_path: Path, kafka: KafkaStreams, job: Job, wiki: Wiki, api_url: str
) -> None:
    edits = [*events(0, NUMBER), *unreadable()]
    number = _scored(edits)
    expected = await our_own(tmp_path, api_url, edits, number)
    assert len(expected) == number

    half = NUMBER // 2
    await kafka.append([*edits[:half], *edits[-len(UNREADABLE) :]])
    job.start()
    first = _scored(edits[:half]) + len(UNREADABLE)
    await reach(kafka, first, job)
    before = job.checkpoint()
    async with asyncio.timeout(90):
        while before is None or job.checkpoint() == before:
            before = before or job.checkpoint()
            await asyncio.sleep(0.1)

    unmarked = half + 100
    await kafka.append(edits[half:unmarked])
    await reach(kafka, first + _scored(edits[half:unmarked]), job)
    wiki.gate.clear()
    wiki.left = 5
    await kafka.append(edits[unmarked:NUMBER])
    async with asyncio.timeout(120):
        while wiki.left:
            job.check()
            await asyncio.sleep(0.1)
    job.kill()
    resumed_from = job.checkpoint()
    at_kill, _ = await outcomes(kafka)
    assert len(at_kill) < number

    wiki.gate.set()
    job.start("--resume", resumed_from, "--parallelism", 3)
    await reach(kafka, number, job)
    await asyncio.sleep(2)
    found, counts = await outcomes(kafka)

    repeated = counts.total() - len(counts)
    print(f"{NUMBER} events, killed with {len(at_kill)} of {number} outcomes published,")
    print(f"resumed: {len(found)} outcomes, {repeated} of them published again")
    assert told(found) == told(expected)
    assert Counter(event["meta"]["stream"] for event in found.values()) == Counter(
        event["meta"]["stream"] for event in expected.values()
    )
