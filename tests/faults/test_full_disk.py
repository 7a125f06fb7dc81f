"""The disk of streams, view and positions is full for a while: nothing is lost, all goes on."""

import shutil
import sqlite3
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from revision_quality.events import streams as names
from tests.e2e.team import Process, count_in, rows_in, until
from tests.faults.size import EDITS, EVERY, PATIENCE, SECONDS
from tests.servers.wikis import serving_wikis

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]

DISK_MB, ROOM_MB = 400, 12
FULL_SECONDS = 5


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small file system of its own, in memory."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, check=False).returncode:
        pytest.skip("a file system cannot be mounted: run this as root")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_that_gets_room_again(disk, tmp_path):
    filler = disk / "filler"
    with filler.open("wb") as file:
        for _ in range(DISK_MB - ROOM_MB):
            file.write(bytes(1_048_576))
    began = time.monotonic()
    with serving_wikis(["onewiki"], EDITS, EDITS / SECONDS) as wikis:
        file = settings_file(tmp_path, disk / "data", f"{wikis}/onewiki/api.php")
        view = f"sqlite:///{disk}/data/changes.sqlite"
        with Process("all", file, []) as process:
            until(lambda: "disk is full" in process.log, 60, lambda: process.log)
            time.sleep(FULL_SECONDS)
            assert process.is_running, process.log
            found = process.readiness()
            by_then = count_in(view, "scored")
            filler.unlink()
            all_scored(process, view)
            process.ready(seconds=PATIENCE)
            assert process.stop() == 0
        rows = rows_in(view)
        counts = scores_of(disk / "data/streams.sqlite")
        for old in disk.glob("data/changes.sqlite*"):
            old.unlink()
        with Process("rebuilt", file, ["materialise"]) as process:
            all_scored(process, view)
            assert process.stop() == 0
    again = rows_in(view)
    print(
        f"\ndisk full for {FULL_SECONDS} s (ready: {found['ready']}): {EDITS} edits in ({by_then}"
        f" scored when there was room), {len(counts)} keys out,"
        f" {counts.total() - len(counts)} repeated, {len(rows)} rows, {len(again)} rebuilt,"
        f" {time.monotonic() - began:.0f} s"
    )
    assert by_then < EDITS
    assert {key[1] for key in counts} == set(range(1, EDITS + 1))
    assert set(counts.values()) == {1}
    assert rows == again


def all_scored(process: Process, view: str) -> None:
    """Wait until the view has all edits with their scores."""
    until(lambda: count_in(view, "scored") == EDITS, PATIENCE, lambda: process.log[-2000:], EVERY)


def settings_file(folder: Path, data: Path, wiki: str) -> Path:
    file = folder / "revq.toml"
    file.write_text(
        f"""
        data_folder = "{data}"
        [web]
        port = 0
        [[wikis]]
        api = "{wiki}"
        interval = 0.3
        overlap = 0.5
        """
    )
    return file


def scores_of(file: Path) -> Counter[tuple[str, int, str, str]]:
    """Count the scores by what identifies them."""
    connection = sqlite3.connect(file)
    try:
        rows = connection.execute(
            "SELECT value FROM event JOIN stream USING (stream_id) WHERE name = ?",
            (names.PREDICTION,),
        ).fetchall()
    finally:
        connection.close()
    return Counter(_key(msgspec.json.decode(value)) for (value,) in rows)


def _key(event: dict) -> tuple[str, int, str, str]:
    model = event["predicted_classification"]
    revision = event["revision"]["rev_id"]
    return event["wiki_id"], revision, model["model_name"], model["model_version"]
