"""All roles apart over Kafka and MariaDB in some trouble: one story for any trouble and size."""

import asyncio
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import httpx
from msgspec import Struct

from tests.e2e.proxy import FaultyProxy
from tests.e2e.team import Process, count_in, kill_some, rows_in, scores_in, until
from tests.faults.size import EDITS, EVERY, PATIENCE, SECONDS
from tests.servers.databases import RealServer
from tests.servers.kafka import QUICK, Broker
from tests.servers.wikis import serving_wikis

SEED = 5
LEAST_KILLS = 5
"""Of some 40 on a quick machine."""

ROLES = {
    "collect": "collect",
    "score1": "score",
    "score2": "score",
    "materialise": "materialise",
    "serve": "serve",
}


class Scene(Struct, frozen=True):
    """What there is to make trouble with; `last` is when all edits are there, monotonic."""

    team: dict[str, Process]
    broker: Broker
    mariadb: RealServer
    proxy: FaultyProxy
    last: float


Trouble = Callable[[Scene], str]
"""Makes trouble, and tells what it was."""


def kills(scene: Scene) -> str:
    """Kill a random process every second for as long as edits come."""
    number = kill_some(list(scene.team.values()), lambda: time.monotonic() > scene.last, SEED)
    assert number >= LEAST_KILLS
    return f"{number} kills"


def kafka_away(scene: Scene) -> str:
    """Stop Kafka for 30 seconds."""
    time.sleep(5)
    scene.broker.stop()
    problem = _unready(scene.team["score1"], "the streams cannot be reached")
    time.sleep(30)
    scene.broker.start()
    return f"Kafka away for 30 s ({problem[:60]}…)"


def mariadb_away(scene: Scene) -> str:
    """Stop MariaDB for 30 seconds."""
    time.sleep(5)
    scene.mariadb.stop()
    problem = _unready(scene.team["serve"], "the changes view cannot be reached")
    time.sleep(30)
    scene.mariadb.start()
    return f"MariaDB away for 30 s ({problem[:60]}…)"


def wiki_faulty(scene: Scene) -> str:
    """Spoil a third of the wiki's answers until the last edit is made."""
    scene.proxy.share = 1 / 3
    time.sleep(max(0.0, scene.last - time.monotonic()))
    scene.proxy.share = 0
    return f"answers of the wiki: {dict(scene.proxy.answered)}"


def _unready(process: Process, problem: str) -> str:
    def check() -> str | None:
        found = process.readiness()
        told = [text for text in found["problems"] if problem in text]
        return told[0] if told and not found["ready"] else None

    return until(check, 60, lambda: process.log)


def nothing_is_lost(
    folder: Path,
    broker: Broker,
    mariadb: RealServer,
    trouble: Trouble,
) -> None:
    """Run collect, two scorers, materialise and serve through trouble; count what comes out."""
    view, rebuilt = mariadb.new_url(), mariadb.new_url()
    place = broker.place(partitions=4)
    began = time.monotonic()
    with ExitStack() as started:
        wikis = started.enter_context(serving_wikis(["onewiki"], EDITS, EDITS / SECONDS))
        proxy = started.enter_context(FaultyProxy(f"{wikis}/onewiki/api.php", SEED))
        file = settings_file(folder / "team", broker, place.prefix, view, proxy.api_url)
        team = {name: Process(name, file, [role]) for name, role in ROLES.items()}
        for process in team.values():
            started.enter_context(process)
        # Not until work is under way.
        until(lambda: _finished(view) > 0, PATIENCE, lambda: _logs(team))
        last = time.monotonic() + SECONDS
        told = trouble(Scene(team, broker, mariadb, proxy, last))
        by_then = count_in(view, "scored")
        until(
            lambda: _finished(view) >= EDITS,
            PATIENCE,
            lambda: f"{_finished(view)} of {EDITS}; {_logs(team)}",
            EVERY,
        )
        for process in team.values():
            process.ready(seconds=PATIENCE)
        answer = httpx.get(f"{team['serve'].url}v1/scores/onewiki/{EDITS}", timeout=10)
        assert answer.json()["state"] in ("scored", "failed")
        assert {name: process.stop() for name, process in team.items()} == dict.fromkeys(team, 0)

        other = settings_file(folder / "rebuilt", broker, place.prefix, rebuilt, proxy.api_url)
        with Process("rebuilt", other, ["materialise"]) as process:
            until(lambda: _finished(rebuilt) >= EDITS, PATIENCE, lambda: process.log, EVERY)
            process.ready("materialise", seconds=PATIENCE)
            assert process.stop() == 0
    counts, failed = asyncio.run(scores_in(place)), count_in(view, "failed")
    rows, again = rows_in(view), rows_in(rebuilt)
    print(
        f"\n{told}: {EDITS} edits in ({by_then} scored when the trouble was over),"
        f" {len(counts)} keys out, {failed} failed with a reason,"
        f" {counts.total() - len(counts)} repeated, {len(rows)} rows,"
        f" {len(again)} rebuilt, {time.monotonic() - began:.0f} s in all"
    )
    assert {key[1] for key in counts} <= set(range(1, EDITS + 1))
    assert len(counts) + failed == len(rows) == EDITS
    assert failed <= (EDITS // 100 if trouble is wiki_faulty else 0)
    assert set(counts.values()) == {1}
    assert rows == again


def _finished(url: str) -> int:
    return count_in(url, "scored", "failed")


def settings_file(folder: Path, broker: Broker, prefix: str, view: str, wiki: str) -> Path:
    options = ", ".join(f'"{name}" = {value}' for name, value in QUICK.items())
    folder.mkdir(exist_ok=True)
    file = folder / "revq.toml"
    file.write_text(
        f"""
        [web]
        port = 0
        [streams]
        url = "kafka://{broker.address}?prefix={prefix}&partitions=4"
        options = {{ {options} }}
        [changes_view]
        url = "{view}"
        [[wikis]]
        api = "{wiki}"
        interval = 0.3
        overlap = 2
        """
    )
    return file


def _logs(team: dict[str, Process]) -> str:
    return "\n".join(f"{name}: {process.log[-2000:]}" for name, process in team.items())
