"""How fast predictions become rows of the changes view, against one row a commit.

    .venv/bin/python benchmarks/views.py [--events 40000] [--runs 3] [--servers sqlite mariadb ...]

Each run brings the same prediction events into an empty view, by a materialiser out of a stream in
memory, and then again with other scores, which changes every row. The peer writes rows that are
ready, by the same driver and the same statement as ours where it has one, one row a commit. Medians
of all runs, in rows a second, and their ratio; both of one run share the machine's state. The
processor time of this process for a new row says the same on a busy machine; `alone` is that for an
event that comes alone, in a commit of its own, in microseconds too. At the end the time of a page
of 50 rows for some filters, at that number of rows.
"""

import argparse
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

import msgspec
from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.servers.databases import server

from revision_quality.cli.loop import run_loop
from revision_quality.events import streams as names
from revision_quality.events.page_change import PageChange
from revision_quality.events.prediction import build_prediction
from revision_quality.recent_changes.filters import Filters
from revision_quality.recent_changes.newest import newest_changes
from revision_quality.recent_changes.wiki_levels import WikiLevels
from revision_quality.streams.base import Record, Streams
from revision_quality.views import bulk
from revision_quality.views.changes import ChangesView
from revision_quality.views.database import Database
from revision_quality.views.materialiser import READ, Materialiser
from revision_quality.views.tables import changes

START = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
WIKIS, PAGES = 20, 5000
PEER_ROWS = 2000
ALONE = 300
PAGES_TO_TIME = {
    "all": Filters(),
    "state=failed": Filters(states=frozenset(["failed"])),
    "one wiki": Filters(wikis=frozenset(["wiki3"])),
}


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--events", type=int, default=40_000)
    parser.add_argument("--runs", type=int, default=3)
    kinds = ("sqlite", "mariadb", "postgresql")
    parser.add_argument("--servers", nargs="+", choices=kinds, default=kinds)
    args = parser.parse_args()
    batches = [list(_records(args.events, turn)) for turn in (0, 1)]
    alone = list(_records(ALONE, 2, first=2 * args.events))
    print(f"{args.events} prediction events of {len(batches[0][0].value)} bytes, batches of {READ}")
    print(f"{'':12}{'new rows/s':>12}{'changed/s':>12}", end="")
    print(f"{'one a commit':>14}{'ratio':>8}{'CPU us/row':>12}{'alone':>8}")
    for kind in args.servers:
        with _new_urls(kind) as new_url:
            _measure(kind, new_url, batches, alone, args.runs)


def _measure(
    kind: str,
    new_url: Callable[[], str],
    batches: list[list[Record]],
    alone: list[Record],
    runs: int,
) -> None:
    ours: list[tuple[float, float, float, float]] = []
    peer: list[float] = []
    for run in range(runs):
        url = new_url()
        ours.append(run_loop(_materialise(url, batches, alone)))
        if run == runs - 1:
            pages = run_loop(_pages(url))
        peer.append(_one_a_commit(url))
    new, changed, cpu, cpu_alone = (statistics.median(rates) for rates in zip(*ours, strict=True))
    single = statistics.median(peer)
    print(f"{kind:12}{new:12,.0f}{changed:12,.0f}{single:14,.0f}{new / single:8.1f}", end="")
    print(f"{cpu:12.1f}{cpu_alone:8,.0f}")
    print(f"{'':12}" + ", ".join(f"{name}: {1000 * took:.1f} ms" for name, took in pages.items()))


async def _materialise(
    url: str, batches: list[list[Record]], alone: list[Record]
) -> tuple[float, float, float, float]:
    view = ChangesView(Database(url))
    rates = []
    cpu = time.process_time()
    streams = _Held()
    materialiser = Materialiser(cast(Streams, streams), view, [names.PREDICTION])
    for records in batches:
        streams.records += records
        began = time.perf_counter()
        while await materialiser.step():
            pass
        rates.append(len(records) / (time.perf_counter() - began))
        if len(rates) == 1:
            cpu = 1e6 * (time.process_time() - cpu) / len(records)
    assert sum((await view.counts()).values()) == len(batches[0])
    cpu_alone = time.process_time()
    for record in alone:
        await view.apply([record])
    cpu_alone = 1e6 * (time.process_time() - cpu_alone) / len(alone)
    await view.close()
    return rates[0], rates[1], cpu, cpu_alone


class _Held:
    """A stream in memory, offsets from 1 on."""

    def __init__(self) -> None:
        self.records: list[Record] = []

    async def partitions(self, stream: str) -> int:
        return 1

    async def end(self, stream: str, partition: int = 0) -> int:
        return len(self.records)

    async def read(self, stream: str, after: int, limit: int, partition: int = 0) -> list[Record]:
        return self.records[after : after + limit]


async def _pages(url: str) -> dict[str, float]:
    view = ChangesView(Database(url))
    took = {}
    for name, filters in PAGES_TO_TIME.items():
        page = partial(
            newest_changes, filters=filters, levels=WikiLevels(()), now=START.timestamp()
        )
        times = []
        for _ in range(9):
            began = time.perf_counter()
            await view.read(page)
            times.append(time.perf_counter() - began)
        took[name] = statistics.median(times)
    await view.close()
    return took


def _one_a_commit(url: str) -> float:
    database = Database(url)
    rates: list[float] = []

    def write(connection: Connection) -> None:
        # Migrations add their columns behind the others.
        values = [tuple(row) for row in connection.execute(select(changes).limit(PEER_ROWS))]
        connection.execute(delete(changes))
        connection.exec_driver_sql("COMMIT")
        server = connection.dialect
        sql = bulk.upsert_sql(
            changes,
            PGDialect_psycopg(paramstyle="format") if server.name == "postgresql" else server,
        )
        began = time.perf_counter()
        for row in values:
            if server.name == "sqlite":
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            connection.exec_driver_sql(sql, row)
            connection.exec_driver_sql("COMMIT")
        rates.append(len(values) / (time.perf_counter() - began))
        connection.exec_driver_sql("BEGIN")

    database.write_now(write)
    database.close_now()
    return rates[0]


@contextmanager
def _new_urls(kind: str) -> Iterator[Callable[[], str]]:
    if kind != "sqlite":
        with server(kind) as running:
            print(running.version)
            yield running.new_url
        return
    with TemporaryDirectory() as folder:
        numbers = iter(range(1000))
        yield lambda: f"sqlite:///{folder}/{next(numbers)}.sqlite"


def _records(number: int, turn: int, first: int | None = None) -> Iterator[Record]:
    chance = random.Random(turn)
    before = turn * number if first is None else first
    for rev_id in range(1, number + 1):
        event = build_prediction(
            _edit(rev_id),
            stream=names.PREDICTION,
            model_name="revertrisk-language-agnostic",
            model_version="3",
            score=chance.random(),
        )
        received = START + timedelta(hours=turn, seconds=rev_id)
        event = msgspec.structs.replace(
            event, meta=msgspec.structs.replace(event.meta, dt=received)
        )
        yield Record(names.PREDICTION, before + rev_id, 0, msgspec.json.encode(event))


def _edit(rev_id: int) -> PageChange:
    moment = (START + timedelta(seconds=rev_id)).isoformat()
    page = rev_id * 7919 % PAGES + 1
    editor = {
        "user_text": f"User {page}",
        "user_id": page,
        "groups": ["*", "user", "autoconfirmed"],
        "edit_count": page,
        "registration_dt": "2020-01-01T00:00:00Z",
        "is_bot": False,
        "is_temp": False,
    }
    event = {
        "$schema": "/mediawiki/page/change/1.2.0",
        "meta": {"stream": names.PAGE_CHANGE, "domain": "wiki.example", "dt": moment},
        "dt": moment,
        "wiki_id": f"wiki{page % WIKIS}",
        "page_change_kind": "edit",
        "changelog_kind": "update",
        "page": {"page_id": page, "page_title": f"Some_page_{page}", "namespace_id": 0},
        "performer": editor,
        "revision": {
            "rev_id": rev_id,
            "rev_dt": moment,
            "rev_parent_id": rev_id - 1,
            "rev_size": 1200,
            "is_minor_edit": False,
            "comment": "copyedit of the lead, see the talk page",
            "editor": editor,
            "is_content_visible": True,
            "is_editor_visible": True,
            "is_comment_visible": True,
        },
        "prior_state": {"revision": {"rev_id": rev_id - 1, "rev_size": 1100}},
    }
    return msgspec.convert(event, PageChange)


if __name__ == "__main__":
    main()
