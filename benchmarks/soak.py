"""The whole system under load for a long time: `python -m benchmarks.soak --minutes 60`.

Five wikis make 50 edits a second together; `revq run` polls, scores and shows them. Now and then a
wiki answers 503 or slowly, and the process is killed with SIGKILL and started again (in the first
fifth, so that the rest is one process). At the end the edits that were made are compared with those
in the view and in the stream of scores.

Memory and file handles are those of the last process after its first third, in which what it keeps
in memory fills up to its bounds. Ends with 1 where an edit is lost or scored twice, where lag or
file handles do not come down again, or where memory grows by more than a tenth from the second
third to the last one of a run of an hour or more.
"""

import argparse
import json
import random
import sqlite3
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
from msgspec import Struct
from tests.servers.wikis import serving_wikis

from revision_quality.events import streams as names

PROJECT = Path(__file__).resolve().parents[1]
WIKIS = [f"soak{number}wiki" for number in range(5)]
LOOK_SECONDS = 5.0
FAULT_SECONDS = 12.0
KILLS = (0.05, 0.1, 0.2)
LATE_SECONDS = 60.0
END_SECONDS = 180.0
MOST_MB = 1000.0
MEMORY_MINUTES = 60.0
"""A run whose last process has nearly all of the 64 MB of texts that it keeps after a third."""
MORE_HANDLES = 15


class Sample(Struct, frozen=True):
    """One look: seconds since the begin, the process, MB, handles, lag, edits waiting."""

    second: float
    pid: int
    megabytes: float
    handles: int
    lag: float
    waiting: int


class Revq:
    """A `revq run` that can be killed and started again on the same data."""

    def __init__(self, folder: Path, wikis: str) -> None:
        self._settings = folder / "revq.toml"
        blocks = [f'[[wikis]]\napi = "{wikis}/{name}/api.php"\ninterval = 1.0\n' for name in WIKIS]
        port = 20_000 + random.randrange(10_000)
        self.url = f"http://127.0.0.1:{port}"
        self._settings.write_text(
            f'data_folder = "data"\n[web]\nport = {port}\n' + "".join(blocks), encoding="utf-8"
        )
        self.starts = 0
        self._log = (folder / "revq.log").open("a")
        self._process = self._start()

    @property
    def pid(self) -> int:
        """Its number now."""
        return self._process.pid

    def kill(self) -> None:
        """Kill it as a power cut would, and start it again."""
        self._process.kill()
        self._process.wait()
        self._process = self._start()

    def end(self) -> int:
        """Stop it as an operator would."""
        self._process.terminate()
        return self._process.wait(60)

    def status(self) -> dict[str, Any] | None:
        """Return its status, None while it does not answer."""
        try:
            found: dict[str, Any] = httpx.get(f"{self.url}/status.json", timeout=10.0).json()
        except httpx.HTTPError:
            return None
        return found

    def _start(self) -> subprocess.Popen[bytes]:
        self.starts += 1
        revq = Path(sysconfig.get_path("scripts")) / "revq"
        return subprocess.Popen(
            [revq, "run", self._settings],
            stdout=subprocess.DEVNULL,
            stderr=self._log,
        )


def main() -> None:
    """Run, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--rate", type=float, default=50.0, help="edits a second of all wikis")
    parser.add_argument("--seed", type=int, default=9)
    told = parser.parse_args()
    seconds, rate = told.minutes * 60, told.rate / len(WIKIS)
    edits = int(seconds * rate)
    with (
        tempfile.TemporaryDirectory(prefix="revq-soak-") as name,
        serving_wikis(WIKIS, edits, rate) as wikis,
    ):
        revq = Revq(Path(name), wikis)
        begun = time.monotonic()
        try:
            samples = list(soak(revq, wikis, seconds, random.Random(told.seed)))
            settled = settle(revq, edits * len(WIKIS))
            samples.append(look(revq, begun))
        finally:
            status = revq.end()
        wrong = judge(Path(name) / "data", edits, samples, told.minutes)
    took = time.monotonic() - begun
    print(
        f"{edits * len(WIKIS):,} edits in {took:.0f} s, {revq.starts - 1} kills; caught up"
        f" {settled:.0f} s after the last edit; it ended with {status}"
    )
    wrong += [f"it ended with {status}"] if status else []
    print("\n".join(wrong) or "flat and nothing lost")
    sys.exit(bool(wrong))


def soak(revq: Revq, wikis: str, seconds: float, chance: random.Random) -> Iterator[Sample]:
    """Let time go by with faults; yields a sample every LOOK_SECONDS."""
    begun = time.monotonic()
    kills = [seconds * share for share in KILLS]
    next_fault, ill, is_up = FAULT_SECONDS, "", False
    print("second  MB  handles  lag s  waiting", flush=True)
    while (now := time.monotonic() - begun) < seconds:
        if kills and now >= kills[0] and is_up:
            kills.pop(0)
            revq.kill()
        if now >= next_fault:
            next_fault = now + FAULT_SECONDS
            if ill:
                httpx.post(f"{wikis}/mood/{ill}/well")
                ill = ""
            else:
                ill = chance.choice(WIKIS)
                httpx.post(f"{wikis}/mood/{ill}/{chance.choice(['down', 'slow'])}")
        sample = look(revq, begun)
        is_up = sample.lag < float("inf")
        print(
            f"{sample.second:6.0f} {sample.megabytes:4.0f} {sample.handles:6d}"
            f" {sample.lag:8.1f} {sample.waiting:7d}  {ill}",
            flush=True,
        )
        yield sample
        time.sleep(LOOK_SECONDS)
    if ill:
        httpx.post(f"{wikis}/mood/{ill}/well")


def look(revq: Revq, begun: float) -> Sample:
    """Return how it is now; a process that does not answer lags for ever."""
    status, folder = revq.status(), Path(f"/proc/{revq.pid}")
    fields = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines())
    found = list((status or {}).get("wikis", {}).values())
    lags = [one["collecting_seconds"] or 0.0 for one in found]
    lags += [one["scoring_seconds"] or 0.0 for one in found]
    return Sample(
        second=time.monotonic() - begun,
        pid=revq.pid,
        megabytes=int(fields.get("VmRSS", "0 kB").split()[0]) / 1000,
        handles=len(list((folder / "fd").iterdir())),
        lag=max(lags) if lags else float("inf"),
        waiting=sum(one["waiting"] or 0 for one in found),
    )


def settle(revq: Revq, edits: int) -> float:
    """Wait until all edits have an outcome in the view and no wiki is behind; return how long."""
    begun = time.monotonic()
    while time.monotonic() - begun < END_SECONDS:
        counts: Counter[str] = Counter()
        wikis = ((revq.status() or {}).get("wikis") or {}).values()
        for wiki in wikis:
            counts.update(wiki["changes"] or {})
        late = max((wiki["collecting_seconds"] or 0.0 for wiki in wikis), default=0.0)
        if sum(counts.values()) >= edits and not counts["pending"] and late < LATE_SECONDS:
            break
        time.sleep(0.5)
    return time.monotonic() - begun


def judge(data: Path, edits: int, samples: list[Sample], minutes: float) -> list[str]:
    """Compare what was made with what is there; return what is wrong."""
    made = {(wiki, rev_id) for wiki in WIKIS for rev_id in range(1, edits + 1)}
    scored = Counter(
        (event["wiki_id"], event["revision"]["rev_id"]) for event in _events(data, names.PREDICTION)
    )
    with sqlite3.connect(data / "changes.sqlite") as view:
        rows = view.execute("SELECT wiki_id, rev_id, state, message FROM changes").fetchall()
    shown = {(wiki, rev_id) for wiki, rev_id, state, _ in rows if state == "scored"}
    for wiki, rev_id, state, message in rows:
        if state != "scored":
            print(f"{wiki} {rev_id} {state}: {message}")
    twice = sum(number - 1 for number in scored.values())
    print(f"made {len(made):,}, scored {len(scored):,}, twice {twice}, shown scored {len(shown):,}")
    wrong = [f"{len(made - scored.keys())} edits lost on the way to their score"] * (
        not made <= scored.keys()
    )
    wrong += [f"{len(made - shown)} edits lost on the way to the view"] * (not made <= shown)
    wrong += [f"{twice} scores published twice"] * bool(twice)
    return wrong + _not_flat(samples, minutes)


def _not_flat(samples: list[Sample], minutes: float) -> list[str]:
    last = [one for one in samples if one.pid == samples[-1].pid and one.lag < float("inf")]
    third = len(last) // 3
    early, late = last[third : 2 * third] or last, last[2 * third :]
    memory = [statistics.median(one.megabytes for one in part) for part in (early, late)]
    handles = [statistics.median(one.handles for one in part) for part in (early, late)]
    print(
        f"the last process: {memory[0]:.0f} MB, then {memory[1]:.0f} MB;"
        f" {handles[0]:.0f} handles, then {handles[1]:.0f}; lag at the end {samples[-1].lag:.1f} s"
    )
    wrong = []
    if minutes >= MEMORY_MINUTES and memory[1] > 1.1 * memory[0]:
        wrong.append(f"memory grows: {memory[0]:.0f} MB, then {memory[1]:.0f} MB")
    if max(one.megabytes for one in samples) > MOST_MB:
        wrong.append(f"memory: more than {MOST_MB:.0f} MB")
    if handles[1] > handles[0] + MORE_HANDLES:
        wrong.append(f"file handles grow: {handles[0]:.0f}, then {handles[1]:.0f}")
    if samples[-1].lag > LATE_SECONDS:
        wrong.append(f"the lag does not come down: {samples[-1].lag:.0f} s")
    return wrong


def _events(data: Path, stream: str) -> Iterator[dict[str, Any]]:
    with sqlite3.connect(data / "streams.sqlite") as log:
        rows = log.execute(
            "SELECT value FROM event JOIN stream USING (stream_id) WHERE name = ?", (stream,)
        )
        for (value,) in rows:
            yield json.loads(value)


if __name__ == "__main__":
    main()
