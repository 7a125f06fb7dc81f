"""What an edit costs as the work grows: with more scorers, more wikis, more rows.

    .venv/bin/python benchmarks/growth.py [--events 10000] [--rows 100000 1000000 10000000]
                                          [--plot docs/growth.svg]

Scorers and wikis: as benchmarks/pipeline.py, Kafka to MariaDB, a model that answers at once, so
that what is measured is the way there and back. Rows: predictions that come to a SQLite view that
holds so many already, filled as benchmarks/recent_changes.py does. The figures are processor time,
which other work on the machine moves least: flat is linear growth of the whole, rising is worse.
"""

import argparse
import math
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import delete

import pipeline
import recent_changes
import views
from revision_quality.cli.loop import run_loop
from revision_quality.views import tables
from revision_quality.views.changes import ChangesView
from revision_quality.views.database import Database
from revision_quality.views.materialiser import READ
from revision_quality.views.progress import set_positions

WORKERS, WIKIS = (1, 2, 4), (1, 10, 100)
NEW_ROWS = 20_000
PANEL, HEIGHT, MARGIN = 260, 220, 44


class Line(Struct, frozen=True):
    """What one thing costs, in microseconds, at each size."""

    name: str
    sizes: tuple[int, ...]
    costs: tuple[float, ...]


def measure_pipeline(events: int, runs: int) -> list[Line]:
    """Measure scorers and wikis."""
    options = argparse.Namespace(
        streams="kafka", view="mariadb", model="constant", together=False, wikis=WIKIS[1]
    )
    with ExitStack() as stack:
        servers = pipeline.Servers(options, stack)
        # The first run warms the broker and the database up.
        pipeline._ours(servers, options, events, 1)
        scorers = [_cost(servers, options, events, runs, workers) for workers in WORKERS]
        wikis = []
        for options.wikis in WIKIS:
            wikis.append(_cost(servers, options, events, runs, 1))
    return [
        Line("scorers", WORKERS, tuple(scorers)),
        Line("wikis", WIKIS, tuple(wikis)),
    ]


def _cost(
    servers: pipeline.Servers, options: argparse.Namespace, events: int, runs: int, workers: int
) -> float:
    spent = [
        sum(pipeline._ours(servers, options, events, workers).cpu.values()) for _ in range(runs)
    ]
    return sorted(spent)[runs // 2]


def measure_rows(sizes: Sequence[int]) -> Line:
    """Measure predictions that come to a view of each size."""
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{folder}/changes.sqlite")
        view = ChangesView(database)
        costs = [run_loop(_apply(view, database, size)) for size in sizes]
        database.close_now()
    return Line("rows", tuple(sizes), tuple(costs))


async def _apply(view: ChangesView, database: Database, size: int) -> float:
    await recent_changes._fill(database, size)
    await database.write(lambda connection: set_positions(connection, {"seq": size}))
    own = f'"wiki_id":"new{size}_'.encode()
    records = [
        replace(record, value=record.value.replace(b'"wiki_id":"wiki', own))
        for record in views._records(NEW_ROWS, size)
    ]
    began = time.process_time()
    for start in range(0, NEW_ROWS, READ):
        await view.apply(records[start : start + READ])
    spent = time.process_time() - began
    new = tables.changes.c.wiki_id.startswith("new")
    await database.write(lambda connection: connection.execute(delete(tables.changes).where(new)))
    return 1e6 * spent / NEW_ROWS


def plot(lines: Sequence[Line]) -> str:
    """Draw each line in a panel of its own, from 0 up, sizes on a logarithmic scale."""
    width = PANEL * len(lines)
    panels = "".join(_panel(line, number * PANEL) for number, line in enumerate(lines))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {HEIGHT}"'
        ' font-family="sans-serif" font-size="12" fill="#333">'
        f'<rect width="{width}" height="{HEIGHT}" fill="#fff"/>{panels}</svg>\n'
    )


def _panel(line: Line, left: float) -> str:
    low, high = (math.log10(line.sizes[place]) for place in (0, -1))
    top = 1.25 * max(line.costs)
    points = [
        (
            left + MARGIN + (PANEL - 2 * MARGIN) * (math.log10(size) - low) / (high - low),
            HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * cost / top,
        )
        for size, cost in zip(line.sizes, line.costs, strict=True)
    ]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    drawn = [
        f'<text x="{left + PANEL / 2}" y="20" text-anchor="middle">{line.name}: CPU &#181;s</text>',
        f'<line x1="{left + MARGIN}" y1="{HEIGHT - MARGIN}" x2="{left + PANEL - MARGIN}"'
        f' y2="{HEIGHT - MARGIN}" stroke="#999"/>',
        f'<polyline points="{path}" fill="none" stroke="#36c" stroke-width="2"/>',
    ]
    for (x, y), size, cost in zip(points, line.sizes, line.costs, strict=True):
        drawn.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="#36c"/>')
        drawn.append(f'<text x="{x:.1f}" y="{y - 8:.1f}" text-anchor="middle">{cost:.0f}</text>')
        drawn.append(
            f'<text x="{x:.1f}" y="{HEIGHT - MARGIN + 16}" text-anchor="middle">{size:,}</text>'
        )
    return "".join(drawn)


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--events", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000, 1_000_000, 10_000_000])
    parser.add_argument("--plot", type=Path)
    options = parser.parse_args()
    lines = [*measure_pipeline(options.events, options.runs), measure_rows(options.rows)]
    for line in lines:
        for size, cost in zip(line.sizes, line.costs, strict=True):
            print(f"{line.name:10}{size:12,}{cost:8.0f} us of processor time each")
    if options.plot:
        options.plot.write_text(plot(lines))


if __name__ == "__main__":
    main()
