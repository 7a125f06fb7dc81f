"""How long a page of 50 changes takes for each filter, newest first, among millions of changes.

    .venv/bin/python benchmarks/recent_changes.py [--millions 1 10] [--servers sqlite mariadb] \\
        [--repeat 40] [--dir /tmp/changes] [--pool 8] [--warm]

Fills a view with synthetic changes of 40 wikis over 90 days: a third of all edits by the largest
wiki, 8 % by bots, 2 % with a score of 0.9 or more, 30 namespaces of which a few are rare, one in
10,000 failed, tags on a third, the rarest on one in 30,000; and 200 older than all, of bots that
failed to be scored on new pages. The newest 100,000 are written as the view writes, the rest is
copied by the server with other times. Prints p50 and p95 in milliseconds, of the first page and of
pages from random times on, read as the page reads them (`newest_changes`), each filter's runs
spread over the whole; `cpu`, the median of the processor time of the thread that asks, SQLite's
own in it, and of MariaDB's threads (Linux): on a busy machine it says more; and `asks`, the
greatest number of statements of a page. A million takes 0.4 GB of disk with SQLite and more with
MariaDB; in a `--dir` it stays, and a second run begins with it. MariaDB has the buffer pool of
`scripts/databases.py`, 512 MB, or with `--pool` as many GB: one that holds the view is what an
operator gives it. With `--warm` all rows and indices are read once before, so that they are in it,
as they are where a server has been up since they were written.
"""

import argparse
import asyncio
import gc
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from msgspec.structs import replace
from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Table,
    cast,
    delete,
    event,
    func,
    insert,
    literal,
    select,
)

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.servers.databases import RealServer, server

from revision_quality.levels.level import Level
from revision_quality.recent_changes.cursor import Cursor
from revision_quality.recent_changes.filters import Filters, parse_filters
from revision_quality.recent_changes.newest import newest_changes
from revision_quality.recent_changes.ranking import GRADES, shift
from revision_quality.recent_changes.wiki_levels import WikiLevels
from revision_quality.views import bulk, change_tags
from revision_quality.views.change import Change, State, UserLevel
from revision_quality.views.changes import ChangesView, note_facets, values_of
from revision_quality.views.database import Database
from revision_quality.views.facets import EVERY_WIKI
from revision_quality.views.name_key import name_key
from revision_quality.views.row import Row
from revision_quality.views.servers import read_by
from revision_quality.views.tables import change_counts, changes
from revision_quality.views.tables import change_tags as tagged

NOW = 1_795_000_000
DAYS = 90
LIMIT = 20
BLOCK = 100_000
WIKIS = [f"wiki{number}" for number in range(40)]
WIKI_WEIGHTS = [1 / (number + 1.2) ** 1.3 for number in range(40)]
NAMESPACES = (0, 1, 2, 3, 4, 6, 10, 14, *range(100, 120), 828, 2300)
TAGS = {
    "mobile edit": 0.22,
    "mobile web edit": 0.15,
    "visualeditor": 0.12,
    "mw-reverted": 0.05,
    "mw-undo": 0.02,
    "mw-blank": 0.001,
    "possible vandalism": 0.0005,
    "rare": 1 / 30_000,
}
NAMESPACE_WEIGHTS = (60, 6, 6, 8, 6, 3, 3, 4, *(0.2 / (n + 1) for n in range(20)), 0.3, 0.002)
LEVELS = WikiLevels(
    tuple(
        Level(name=name, threshold=at, precision=0.5, recall=0.5, flag_rate=0.1, target="")
        for name, at in (
            ("likelygood", 0.15),
            ("maybebad", 0.72),
            ("likelybad", 0.91),
            ("verylikelybad", 0.985),
        )
    )
)
QUERIES = (
    "",
    "revertrisk=likelygood",
    "revertrisk=maybebad;likelybad;verylikelybad",
    "revertrisk=verylikelybad",
    "revertrisk=verylikelybad&hidehumans=1",
    "revertrisk=verylikelybad&namespace=14&userExpLevel=newcomer",
    "revertrisk=verylikelybad&userExpLevel=experienced&hidemajor=1",
    "state=failed",
    "state=pending",
    "state=not_scorable",
    "state=failed&hidepageedits=1",
    "namespace=3",
    "namespace=828",
    "namespace=119",
    "namespace=2300",
    "namespace=15",
    "namespace=0;1;2;3;4&invert=1",
    "hidebots=1",
    "hidehumans=1",
    "hidehumans=1&userExpLevel=unregistered",
    "userExpLevel=unregistered",
    "userExpLevel=learner&hidemajor=1&hidepageedits=1",
    "hidepageedits=1",
    "days=1",
    "days=1&revertrisk=verylikelybad&hidehumans=1",
    "wiki=wiki0",
    "wiki=wiki39",
    "wiki=wiki0&revertrisk=verylikelybad&hidehumans=1",
    "wiki=wiki0&namespace=2300",
    "wiki=wiki39&revertrisk=verylikelybad",
    "wiki=wiki0;wiki5;wiki39&state=failed",
    "wiki=" + ";".join(WIKIS[20:]),
    "wiki=" + ";".join(WIKIS[20:]) + "&revertrisk=verylikelybad",
    "wiki=" + ";".join(WIKIS[10:]) + "&revertrisk=verylikelybad&hidehumans=1",
    "revertrisk=verylikelybad&namespace=0&userExpLevel=newcomer&hidebots=1&hideminor=1&days=30",
    "tagfilter=mobile edit",
    "tagfilter=mw-blank",
    "tagfilter=rare",
    "tagfilter=none of them",
    "tagfilter=rare|mw-blank|possible vandalism",
    "tagfilter=mw-undo&revertrisk=verylikelybad",
    "tagfilter=mobile edit&namespace=2300",
    "tagfilter=mobile edit&hidehumans=1&revertrisk=verylikelybad",
    "tagfilter=mobile edit|mobile web edit|visualeditor&inverttags=1",
    "tagfilter=mobile edit&inverttags=1&revertrisk=verylikelybad&hidehumans=1",
    "tagfilter=mobile edit&inverttags=1&namespace=2300",
    "wiki=wiki39&tagfilter=mw-blank",
    "wiki=wiki0;wiki5;wiki39&tagfilter=possible vandalism&hidebots=1",
    "order=mixed",
    "order=riskiest",
    "order=mixed&hidebots=1&namespace=0",
    "order=riskiest&namespace=0;1;2;3;4&invert=1",
    "order=riskiest&days=1&userExpLevel=newcomer;unregistered",
    "order=riskiest&wiki=wiki39",
    "order=mixed&wiki=wiki0",
    "order=mixed&wiki=wiki39",
    "order=mixed&wiki=" + ";".join(WIKIS[20:]),
    "order=mixed&wiki=" + ";".join(WIKIS[30:]),
    "order=mixed&tagfilter=mw-undo",
    "order=mixed&tagfilter=mobile edit&inverttags=1",
    "order=riskiest&tagfilter=rare",
    "order=riskiest&tagfilter=mobile edit&days=1",
    "order=mixed&namespace=2300",
    "order=mixed&revertrisk=likelygood",
)


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--millions", nargs="+", type=int, default=[1, 10])
    kinds = ("sqlite", "mariadb", "postgresql")
    parser.add_argument("--servers", nargs="+", choices=kinds, default=kinds[:2])
    parser.add_argument("--repeat", type=int, default=40, help="at least 2")
    parser.add_argument("--dir", type=Path)
    parser.add_argument("--pool", type=int, help="GB of MariaDB's buffer pool")
    parser.add_argument("--warm", action="store_true", help="read the whole view before")
    parser.add_argument("--only", default="", help="measure the queries with this in them")
    args = parser.parse_args()
    for kind in args.servers:
        with _place(kind, args.dir) as (url, pid_file):
            database = Database(url)
            ChangesView(database)
            if kind == "mariadb" and args.pool:
                asyncio.run(_set_pool(database, args.pool))
            for asked in args.millions:
                began = time.perf_counter()
                millions = asyncio.run(_fill(database, asked * 1_000_000)) / 1_000_000
                took = time.perf_counter() - began
                print(f"{kind}: {millions:g} million changes, filled in {took:.0f} s", flush=True)
                if args.warm:
                    asyncio.run(database.read(_read_all))
                asyncio.run(_measure(database, args, millions, pid_file))
            database.close_now()


async def _set_pool(database: Database, gigabytes: int) -> None:
    sql = f"SET GLOBAL innodb_buffer_pool_size = {gigabytes << 30}"
    await database.write(lambda connection: connection.exec_driver_sql(sql))


def _read_all(connection: Connection) -> None:
    for index in changes.indexes:
        table = read_by(str(index.name), changes.name, connection.dialect.name)
        connection.exec_driver_sql(f"SELECT count(*) FROM {table}").all()
    for table in (f"{changes.name} WHERE length(title) < 0", tagged.name):
        connection.exec_driver_sql(f"SELECT count(*) FROM {table}").all()


@contextmanager
def _place(kind: str, folder: Path | None) -> Iterator[tuple[str, Path | None]]:
    """Give the URL of a database, one of the folder or an empty one, and MariaDB's pid file."""
    if kind == "sqlite":
        with TemporaryDirectory() as made:
            (folder or Path(made)).mkdir(parents=True, exist_ok=True)
            yield f"sqlite:///{folder or made}/changes.sqlite", None
    elif folder is None:
        with server(kind) as running:
            yield running.new_url(), _pid_file(running)
    else:
        running = RealServer(kind, folder / kind)
        running.start()
        try:
            yield running.url_of("changes"), _pid_file(running)
        finally:
            running.stop()


def _pid_file(running: RealServer) -> Path | None:
    return running.folder / "pid" if running.kind == "mariadb" else None


_STAY = ("changes_time", "changes_grade_time")
"""Indices that are there while the view is filled: by one the first block is found, and of the
other SQLAlchemy does not see whether it is there."""


async def _fill(database: Database, number: int) -> int:
    """Bring the view to `number` changes: the newest as the view writes, the others copied.

    Return how many there are: a view that has more keeps them.
    """
    have = await database.read(_count)
    if not have:
        await database.write(_write_first)
        await database.write(_write_oldest)
        have = BLOCK
    # An index of all rows at once is made in a fraction of the time.
    indices = [index for index in changes.indexes if index.name not in _STAY]
    for index in indices if have < number else ():
        await database.write(lambda connection, index=index: index.drop(connection, True))
    for block in range(have // BLOCK, number // BLOCK):
        await database.write(lambda connection, block=block: _copy(connection, block))
    # A run that was broken off may have left some out.
    for index in indices:
        await database.write(lambda connection, index=index: index.create(connection, True))
    have = max(have, number)
    await database.write(lambda connection: _count_by_wiki(connection, have // BLOCK))
    if database.url.drivername.startswith("postgresql"):
        # What autovacuum does within a minute.
        await database.write(lambda connection: connection.exec_driver_sql("ANALYZE") and None)
    return have


def _count(connection: Connection) -> int:
    time = changes.c.timestamp
    statement = select(time).where(time > NOW - DAYS * 86400).order_by(time).limit(1)
    oldest = connection.execute(statement).scalar() or NOW
    return -((oldest - NOW) // _SPAN) * BLOCK


def _count_by_wiki(connection: Connection, blocks: int) -> None:
    """Write how many changes there are of each wiki and state: of all blocks the same."""
    wiki, state = changes.c.wiki_id, changes.c.state
    of_first = select(wiki, state, func.count() * blocks).where(_is_first(changes))
    connection.execute(delete(change_counts))
    connection.execute(
        insert(change_counts).from_select(
            ["wiki_id", "state", "number"], of_first.group_by(wiki, state)
        )
    )


def _write_first(connection: Connection) -> None:
    chance = random.Random(1)
    rows = [values_of(_row(chance, place), place + 1) for place in range(BLOCK)]
    for start in range(0, BLOCK, 2000):
        bulk.write(connection, changes, rows[start : start + 2000])
    note_facets(connection, rows)
    chance = random.Random(1)
    change_tags.keep_in_step(connection, [_row(chance, place) for place in range(BLOCK)], {})


def _write_oldest(connection: Connection) -> None:
    """Write what only the oldest have: 200 failed new pages by bots."""
    chance = random.Random(2)
    rows = []
    for place in range(200):
        row = replace(
            _row(chance, place),
            rev_id=-place - 1,
            timestamp=NOW - DAYS * 86400 - place,
            state=State.FAILED,
            score=None,
            kind="create",
            is_bot=True,
        )
        rows.append(values_of(row, -place - 1))
    bulk.write(connection, changes, rows)
    note_facets(connection, rows)


def _copy(connection: Connection, block: int) -> None:
    """Copy the first block to another time, its revisions beside."""
    keys = {name_key(wiki_id, tag) for tag in TAGS for wiki_id in (*WIKIS, EVERY_WIKI)}
    of_tags = tagged.c.tag.in_(keys) & _is_first(tagged)
    for table, of_block in ((changes, _is_first(changes)), (tagged, of_tags)):
        names = [column.name for column in table.columns]
        copied = select(*(_moved(column, block) for column in table.columns)).where(of_block)
        connection.execute(insert(table).from_select(names, copied))


def _is_first(table: Table) -> ColumnElement[bool]:
    return table.c.timestamp > NOW - _SPAN


def _moved(column: Column[Any], block: int) -> ColumnElement[Any]:
    by = {"seq": BLOCK, "rev_id": BLOCK, "page_id": 1000, "timestamp": -_SPAN}.get(column.name)
    return column + cast(literal(by * block), BigInteger) if by else column


_SPAN = DAYS * 86400 // 100
"""Seconds of a block, where there are 100 of them."""


def _row(chance: random.Random, place: int) -> Row:
    is_bot = chance.random() < 0.08
    level = chance.choices(list(UserLevel), (20, 12, 18, 48, 2))[0]
    state = chance.choices(list(State), (2, 9977, 20, 1))[0]
    score = chance.betavariate(0.6, 4) if chance.random() < 0.97 else chance.betavariate(6, 0.6)
    if is_bot:
        score /= 1 if chance.random() < 0.002 else 4
    change = Change(
        wiki_id=chance.choices(WIKIS, WIKI_WEIGHTS)[0],
        rev_id=place + 1,
        seq=place + 1,
        timestamp=NOW - place * _SPAN // BLOCK,
        parent_id=place,
        page_id=chance.randrange(1, 1000),
        namespace=chance.choices(NAMESPACES, NAMESPACE_WEIGHTS)[0],
        title=f"Some page {place}",
        kind="create" if chance.random() < 0.03 else "edit",
        user=f"User {place % 5000}",
        user_level=UserLevel.EXPERIENCED if is_bot else level,
        is_bot=is_bot,
        is_minor=chance.random() < 0.25,
        comment="copyedit of the lead, see the talk page",
        tags=tuple(tag for tag, share in TAGS.items() if chance.random() < share),
        size=1200,
        parent_size=1100,
        state=state,
        score=score if state is State.SCORED else None,
        model_name="revertrisk-language-agnostic",
        model_version="3",
    )
    return Row(**{name: getattr(change, name) for name in Change.__struct_fields__})


class Cost(NamedTuple):
    """What a page took: milliseconds by the clock and of the processors, and statements."""

    wall: float
    cpu: float
    asks: int


async def _measure(
    database: Database, args: argparse.Namespace, millions: float, pid_file: Path | None
) -> None:
    chance = random.Random(3)
    took: dict[tuple[str, bool], list[Cost]] = {}
    queries = [query for query in QUERIES if args.only in query]
    # As what serves does: a search for garbage among all modules takes some 50 ms.
    gc.collect()
    gc.freeze()
    for turn in range(args.repeat + 1):
        for query in queries:
            pairs = [tuple(part.split("=")) for part in query.split("&") if part]
            filters, _ = parse_filters(pairs)
            for is_first in (True, False):
                time_of = NOW - chance.randrange(int(_SPAN * 10 * millions))
                grade = chance.choice(GRADES) if filters.is_queue else 0
                before = Cursor(time_of + shift(filters.order, grade), 0)
                asked = filters if is_first else replace(filters, before=before)
                if not is_first and filters.days:
                    continue
                cost = await database.read(lambda c, asked=asked: _page(c, asked, pid_file))
                if turn:
                    took.setdefault((query, is_first), []).append(cost)
    head = f"{'p50':>7}{'p95':>7}{'cpu':>7}{'asks':>5}  |"
    print(f"{head}{head} from a random time on")
    for query in queries:
        line = "".join(_line(took.get((query, is_first))) for is_first in (True, False))
        print(line, query if len(query) < 90 else query[:60] + "…" + query[-28:], flush=True)
    for is_first, which in ((True, "first pages"), (False, "pages from a time on")):
        of_each = [costs for (_, first), costs in took.items() if first is is_first]
        slow = sum(_p95([cost.wall for cost in costs]) > LIMIT for costs in of_each)
        busy = sum(_p50([cost.cpu for cost in costs]) > LIMIT for costs in of_each)
        print(f"{which}: {slow} of {len(of_each)} over {LIMIT} ms p95, {busy} over it in cpu")


def _line(costs: list[Cost] | None) -> str:
    if costs is None:
        return f"{'':26}  |"
    walls = [cost.wall for cost in costs]
    cpu, asks = _p50([cost.cpu for cost in costs]), max(cost.asks for cost in costs)
    return f"{_p50(walls):7.1f}{_p95(walls):7.1f}{cpu:7.1f}{asks:5}  |"


_p50: Callable[[list[float]], float] = statistics.median


def _p95(times: list[float]) -> float:
    return statistics.quantiles(times, n=20, method="inclusive")[-1]


def _page(connection: Connection, filters: Filters, pid_file: Path | None) -> Cost:
    """Read a page."""
    asked: list[str] = []
    count = lambda *args: asked.append(args[2])  # noqa: E731
    event.listen(connection, "before_cursor_execute", count)
    server = _server_ms(pid_file)
    cpu, began = time.thread_time(), time.perf_counter()
    newest_changes(connection, filters, LEVELS, now=NOW)
    took, cpu = 1000 * (time.perf_counter() - began), 1000 * (time.thread_time() - cpu)
    cpu += _server_ms(pid_file) - server
    event.remove(connection, "before_cursor_execute", count)
    return Cost(took, cpu, len(asked))


def _server_ms(pid_file: Path | None) -> float:
    """Return the processor time of the server's threads, in milliseconds."""
    if pid_file is None:
        return 0
    took = 0
    for thread in Path(f"/proc/{pid_file.read_text().strip()}/task").glob("*/schedstat"):
        # A thread may end meanwhile.
        with suppress(OSError):
            took += int(thread.read_text().split()[0])
    return took / 1e6


if __name__ == "__main__":
    main()
