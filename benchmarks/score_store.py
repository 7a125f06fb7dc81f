"""The score store in Cassandra: events a second in, milliseconds out, and its driver's peer.

    python3 -m scripts.cassandra install
    python benchmarks/score_store.py [--peer]

Starts a node of its own on this machine, so client and server share its cores. `--peer` measures
cassandra-driver too (`pip install cassandra-driver`): the same statements on the same tables, one
after the other and 128 at once. Reads are of random revisions that are there.
"""

import argparse
import asyncio
import random
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import uvloop

from revision_quality.events import streams as names
from revision_quality.events.page_change import PageChange
from revision_quality.events.prediction import build_prediction
from revision_quality.streams.base import Record
from revision_quality.views import cassandra_schema as schema
from revision_quality.views.cassandra import CassandraScores
from revision_quality.views.cassandra_session import CassandraPlace, CassandraSession, in_parallel
from revision_quality.views.materialiser import READ

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.servers import scripted

WIKI, MODEL, VERSION = "enwiki", "revertrisk", "4"
START = datetime(2026, 1, 1, tzinfo=UTC)
EDITS_PER_PAGE = 4
AT_ONCE = 128

Run = Callable[[str, Sequence[Any]], Awaitable[Any]]


def records(count: int) -> list[Record]:
    """Return predictions of `count` edits, four to a page."""
    return [
        Record(names.PREDICTION, number, 0, msgspec.json.encode(_prediction(number)))
        for number in range(1, count + 1)
    ]


def _prediction(number: int) -> Any:
    moment = (START + timedelta(seconds=number)).isoformat()
    change = {
        "$schema": "/mediawiki/page/change/1.2.0",
        "meta": {"stream": names.PAGE_CHANGE, "dt": moment},
        "dt": moment,
        "wiki_id": WIKI,
        "page_change_kind": "edit",
        "changelog_kind": "update",
        "page": {"page_id": _page(number), "page_title": "Page"},
        "revision": {"rev_id": number, "rev_dt": moment},
    }
    return build_prediction(
        msgspec.convert(change, PageChange),
        stream=names.PREDICTION,
        model_name=MODEL,
        model_version=VERSION,
        score=number % 1000 / 1000,
    )


def _page(number: int) -> int:
    return number // EDITS_PER_PAGE


@contextmanager
def node() -> Iterator[CassandraPlace]:
    """Serve a node; give an unused keyspace of it."""
    with tempfile.TemporaryDirectory() as folder:
        process, told = scripted.start("cassandra", "start", "--folder", folder)
        address, _, version = told.partition(" ")
        print(f"{version}, one node, client and server on one machine\n")
        port = int(address.rpartition(":")[2])
        try:
            yield CassandraPlace(hosts=("127.0.0.1",), port=port, keyspace="benchmark")
        finally:
            process.terminate()
            process.communicate()


async def timed(calls: int, call: Callable[[int], Awaitable[Any]], at_once: int) -> list[float]:
    """Return how many seconds each of these calls took."""

    async def one(number: int) -> float:
        begun = time.perf_counter()
        await call(number)
        return time.perf_counter() - begun

    return await in_parallel(one, range(calls), at_once)


def tell(what: str, seconds: Sequence[float], total: float, each: int = 1) -> None:
    """Print a row of the table."""
    quantiles = statistics.quantiles(seconds, n=100)
    p50, p99 = quantiles[49] * 1000, quantiles[98] * 1000
    print(f"{what:46} {len(seconds) * each / total:9.0f} {p50:8.2f} {p99:8.2f}", flush=True)


async def measure(
    what: str, calls: int, call: Callable[[int], Awaitable[Any]], at_once: int = 1, each: int = 1
) -> None:
    """Time calls and print them."""
    begun = time.perf_counter()
    seconds = await timed(calls, call, at_once)
    tell(what, seconds, time.perf_counter() - begun, each)


async def measure_store(place: CassandraPlace, count: int) -> None:
    """Bring events into the store in the materialiser's batches, then find them."""
    store = await CassandraScores.open(place)
    events = records(count)
    batches = [events[start : start + READ] for start in range(0, count, READ)]
    chosen = random.Random(1)

    async def find(_: int) -> None:
        await store.scores(WIKI, [chosen.randint(1, count)])

    async def find_many(_: int) -> None:
        await store.scores(WIKI, [chosen.randint(1, count) for _ in range(50)])

    async def latest(_: int) -> None:
        await store.latest(WIKI, _page(chosen.randint(1, count)))

    await measure(
        f"store: predictions in, {READ} a call",
        len(batches),
        lambda n: store.apply(batches[n]),
        1,
        READ,
    )
    await measure("store: the same again", len(batches), lambda n: store.apply(batches[n]), 1, READ)
    await measure("store: scores of one revision", 5000, find)
    await measure("store: scores of one revision, 16 at once", 20_000, find, 16)
    await measure("store: scores of 50 revisions", 400, find_many, 1, 50)
    await measure("store: the latest of a page", 3000, latest)
    await store.close()


@asynccontextmanager
async def acsylla(place: CassandraPlace) -> AsyncIterator[Run]:
    """Give the driver that the store uses."""
    session = CassandraSession(place)
    await session.open(schema.TABLES, schema.STATEMENTS)
    yield session.run
    await session.close()


@asynccontextmanager
async def cassandra_driver(place: CassandraPlace) -> AsyncIterator[Run]:
    """Give the other driver, its callbacks made awaitable."""
    from cassandra.cluster import Cluster  # noqa: PLC0415 (only with --peer)

    loop = asyncio.get_running_loop()
    cluster = Cluster(list(place.hosts), port=place.port)
    session = cluster.connect(place.keyspace)
    prepared = {
        name: session.prepare(schema.STATEMENTS[name]) for name in ("put_score", "get_scores")
    }

    def run(name: str, values: Sequence[Any]) -> Awaitable[Any]:
        answer = loop.create_future()
        session.execute_async(prepared[name], values).add_callbacks(
            lambda rows: loop.call_soon_threadsafe(answer.set_result, rows),
            lambda error: loop.call_soon_threadsafe(answer.set_exception, error),
        )
        return answer

    yield run
    cluster.shutdown()


async def measure_driver(name: str, run: Run, count: int) -> None:
    """Write and read rows of `scores`, one after the other and many at once."""

    def put(number: int) -> Awaitable[Any]:
        key = (WIKI, count + number, 1, 0, MODEL, VERSION, "scored", 1)
        return run("put_score", (*key, 0.5, True, 1, 0))

    def get(number: int) -> Awaitable[Any]:
        return run("get_scores", (WIKI, count + number % count))

    await measure(f"{name}: rows in, one by one", count // 10, put)
    await measure(f"{name}: rows in, {AT_ONCE} at once", count, put, AT_ONCE)
    await measure(f"{name}: rows out, one by one", count // 10, get)
    await measure(f"{name}: rows out, {AT_ONCE} at once", count, get, AT_ONCE)


async def run(options: argparse.Namespace) -> None:
    """Measure everything on one node."""
    with node() as place:
        print(f"{'':46} {'per s':>9} {'p50 ms':>8} {'p99 ms':>8}")
        # A first round that does not count warms up the server's compiler.
        for _ in range(2):
            await measure_store(place, options.events)
        drivers = {"acsylla": acsylla}
        if options.peer:
            drivers["cassandra-driver"] = cassandra_driver
        for _ in range(2):
            for name, driver in drivers.items():
                async with driver(place) as call:
                    await measure_driver(name, call, options.events)


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--events", type=int, default=40_000)
    parser.add_argument("--peer", action="store_true", help="Measure cassandra-driver too.")
    uvloop.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
