"""Ray does the work of one process, on this machine or on many, and when one of them is lost."""

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from revision_quality.bulk.ray_cluster import ray_cluster
from revision_quality.errors import BulkError
from tests.bulk.conftest import RayNodes
from tests.bulk.make import histories, in_files, scores
from tests.e2e.service import REVQ, revq
from tests.training.histories.make import dump

DUMP = dump(histories(480))
FILES = 24

WITHOUT_RAY = """
import sys
sys.modules["ray"] = None
from revision_quality.cli.main import run
run()
"""


@pytest.fixture(scope="module")
def dumps(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("input") / "dumps"
    in_files(DUMP, folder, FILES)
    return folder


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[int, float | None]:
    path = tmp_path_factory.mktemp("whole") / "whole.xml"
    path.write_text(DUMP)
    lines = revq("score", "--file", path).stdout.splitlines()
    return {
        answer["revision_id"]: answer.get("output", {}).get("probabilities", {}).get("true")
        for answer in map(json.loads, lines)
    }


def scored_by_ray(output: Path, dumps: Path, *options: str, **more: Any) -> subprocess.Popen[bytes]:
    command = [str(REVQ), "score", "--file", str(dumps), "--output", str(output)]
    return subprocess.Popen(
        [*command, "--engine", "ray", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **more,
    )


def test_ray_on_this_machine_alone(tmp_path, dumps, expected):
    home = tmp_path / "home"
    home.mkdir()
    environment = os.environ | {"HOME": str(home)}
    with scored_by_ray(tmp_path / "out", dumps, "--workers", "2", env=environment) as run:
        out, err = run.communicate()

    assert (run.returncode, err) == (0, b"")
    assert out.startswith(f"{480 * 20:,} edits: ".encode())
    assert scores(tmp_path / "out") == expected
    assert list(home.iterdir()) == []


def test_a_machine_that_is_lost_has_its_partitions_done_by_another(
    tmp_path, dumps, expected, ray_nodes: RayNodes
):
    output = tmp_path / "out"
    options = ("--address", ray_nodes.address)
    with scored_by_ray(output, dumps, *options, env=ray_nodes.environment) as run:
        until = time.monotonic() + 120
        while not any(output.glob("part-*.parquet")) and time.monotonic() < until:
            time.sleep(0.02)
        at_work = len(list(output.glob("part-*.parquet")))
        ray_nodes.kill(ray_nodes.workers.pop())
        out, err = run.communicate()

    assert 0 < at_work < FILES
    assert (run.returncode, err) == (0, b"")
    # Before it Ray tells of the tasks that it does again.
    assert out.splitlines()[-1].startswith(f"{480 * 20:,} edits: ".encode())
    assert scores(output) == expected


def test_a_cluster_that_lacks_memory_for_the_work_is_told(tmp_path, dumps):
    """By itself Ray begins the same task again for ever; here it does so once, for speed."""
    environment = os.environ | {
        "RAY_memory_usage_threshold": "0.001",
        "RAY_memory_monitor_refresh_ms": "100",
        "RAY_task_oom_retries": "1",
    }
    with scored_by_ray(tmp_path / "out", dumps, "--workers", "1", env=environment) as run:
        _, err = run.communicate()

    assert run.returncode == 1
    assert b"revq: the Ray cluster has too little memory: a worker was killed" in err


def test_what_is_no_cluster_is_told():
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        sentence = f"--address {address}: no Ray cluster answers there within 3 seconds."
        with pytest.raises(BulkError, match=sentence), ray_cluster(address, patience=3):
            pass


def test_what_ray_says_of_an_address_is_told():
    sentence = "--address nonsense: Ray cannot connect to it: ValueError: Invalid address"
    with pytest.raises(BulkError, match=sentence), ray_cluster("nonsense"):
        pass


def test_ray_that_is_not_installed_is_told(tmp_path, dumps):
    arguments = ["score", "--file", str(dumps), "--output", "out", "--engine", "ray"]
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_RAY, *arguments],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert done.stderr == (
        "revq: --engine ray needs Ray: install it with `pip install 'revision-quality[ray]'`.\n"
    )
