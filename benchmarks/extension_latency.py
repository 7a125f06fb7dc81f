"""How long it takes from an edit to its place in the filters of a real MediaWiki's recent changes.

    .venv/bin/python benchmarks/extension_latency.py [--edits 60] [--pause 2.0] [--way "by job"]

A MediaWiki on PHP-FPM behind Apache and its MariaDB on this machine, `revq run` beside them, which
keeps the tables of both extensions: ORES's (A) and RevisionQuality's (B). Edits are saved one after
another, at random times `--pause` seconds apart on average. The time begins when the wiki has
answered the edit and ends when the row that the filter reads is committed, which is looked for
every 10 ms. First the wiki posts each edit as soon as it has answered it, and is polled every
minute only; then by jobs alone, with two runners of this type of job, started half a second apart,
each of which looks every second (one of all types would look for new ones every 15 seconds); then
it posts none, and is polled every 3 seconds, which is the default, and every second.
"""

import argparse
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from msgspec import Struct
from sqlalchemy import text

sys.path.insert(0, str(Path(__file__).parents[1]))

from scripts.loopback import free_port
from tests.e2e.service import Service
from tests.servers.apache import apache
from tests.servers.databases import server
from tests.servers.mediawiki import ADMIN, RealWiki
from tests.views.ores_house import make_ores_tables

from percentiles import p50_p95
from revision_quality.views.database import Database

EXTENSION = Path(__file__).parents[1] / "extension/RevisionQuality/extension.json"
LOOK_SECONDS = 0.01
LONGEST_SECONDS = 120.0
JOB = "revisionQualityPostEvent"
TITLES = 10
"""Pages that are there before: a page's first revision has no score."""

SEEN = {
    "A": "SELECT 1 FROM ores_classification WHERE oresc_rev = :rev",
    "B": "SELECT 1 FROM revision_quality WHERE rq_rev = :rev AND rq_state = 1",
}


class Way(Struct, frozen=True):
    """How revq learns of edits."""

    name: str
    interval: float
    posts: bool = False
    runners: int = 0
    """Processes that run this job; without any the wiki posts at once."""


WAYS = (
    Way("posted at once", 60, posts=True),
    Way("by job", 60, posts=True, runners=2),
    Way("polled every 3 s", 3),
    Way("polled every second", 1),
)


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--edits", type=int, default=60)
    parser.add_argument("--pause", type=float, default=2.0)
    parser.add_argument("--way", choices=[way.name for way in WAYS], action="append")
    args = parser.parse_args()
    with TemporaryDirectory(prefix="revq-latency-") as made, server("mariadb") as running:
        url = running.new_url()
        folder = Path(made)
        database = url.replace("mariadb://", "mysql://")
        port = free_port()
        with (
            RealWiki(folder / "wiki", "bench", "en", database=database) as wiki,
            apache(wiki, folder / "apache", "fpm"),
        ):
            make_ores_tables(url)
            _configure(wiki, None)
            wiki.maintain("update", "--quick")
            for number in range(TITLES):
                wiki.edit(f"Page {number}", "Text.", user=ADMIN)
            print("| way | table | p50 | p95 | longest |")
            print("|---|---|---|---|---|")
            for way in WAYS:
                if args.way and way.name not in args.way:
                    continue
                address = f"http://127.0.0.1:{port}" if way.posts else None
                _configure(wiki, address, at_once=not way.runners)
                settings = _settings(folder, wiki, url, port, way)
                with Service("run", settings) as revq, _jobs(wiki, way.runners):
                    _report(way, _measure(wiki, revq, url, args.edits, args.pause))


def _configure(wiki: RealWiki, address: str | None, *, at_once: bool = True) -> None:
    wiki.configure(
        f"wfLoadExtension( 'RevisionQuality', '{EXTENSION}' );\n"
        f"$wgRevisionQualityServiceUrl = '{address or ''}' ?: null;\n"
        f"$wgRevisionQualityPostsAtOnce = {str(at_once).lower()};\n"
    )


def _settings(folder: Path, wiki: RealWiki, url: str, port: int, way: Way) -> Path:
    file = folder / f"{way.name.replace(' ', '_')}.toml"
    file.write_text(
        f'data_folder = "{folder / file.stem}"\n'
        f"[web]\nport = {port}\naccepts_events = true\n"
        f'[[wikis]]\napi = "{wiki.api_url}"\ninterval = {way.interval}\n'
        f'[wikis.ores_tables]\ndatabase = "{url}"\n[wikis.mediawiki_tables]\ndatabase = "{url}"\n'
    )
    return file


@contextmanager
def _jobs(wiki: RealWiki, processes: int) -> Iterator[None]:
    """Run the wiki's jobs as they come."""
    runners = []
    for number in range(processes):
        time.sleep(number / processes)
        runners.append(
            subprocess.Popen(
                ["php", str(wiki.code / "maintenance/runJobs.php"), "--wait", "--type", JOB],
                env=wiki.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        )
    try:
        yield
    finally:
        for runner in runners:
            runner.terminate()
            runner.wait()


def _measure(
    wiki: RealWiki, revq: Service, url: str, edits: int, pause: float
) -> dict[str, list[float]]:
    draw = random.Random(1)
    database = Database(url)
    taken: dict[str, list[float]] = {table: [] for table in SEEN}
    assert revq.url
    warm = wiki.edit("Page 0", f"Words {time.time()}", user=ADMIN)
    _seen(database, warm, LONGEST_SECONDS)
    for number in range(edits):
        time.sleep(pause * 2 * draw.random())
        rev_id = wiki.edit(f"Page {number % TITLES}", f"Words {time.time()} " * 50, user=ADMIN)
        for table, seconds in _seen(database, rev_id, LONGEST_SECONDS).items():
            taken[table].append(seconds)
    database.close_now()
    revq.stop()
    return taken


def _seen(database: Database, rev_id: int, longest: float) -> dict[str, float]:
    """Return after how many seconds from now an edit is in each table."""
    began = time.perf_counter()
    seen: dict[str, float] = {}
    while len(seen) < len(SEEN):
        for table in SEEN.keys() - seen.keys():
            found = database.write_now(
                lambda connection, table=table: connection.execute(
                    text(SEEN[table]), {"rev": rev_id}
                ).scalar()
            )
            if found:
                seen[table] = time.perf_counter() - began
        if time.perf_counter() - began > longest:
            raise SystemExit(f"revision {rev_id} is only in {sorted(seen)} after {longest} s")
        time.sleep(LOOK_SECONDS)
    return seen


def _report(way: Way, taken: dict[str, list[float]]) -> None:
    for table, seconds in taken.items():
        told = " | ".join(f"{each:.2f} s" for each in (*p50_p95(seconds), max(seconds)))
        print(f"| {way.name} | {table} | {told} |", flush=True)


if __name__ == "__main__":
    main()
