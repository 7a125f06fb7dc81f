"""The workers of one machine: all of the tasks, and an end that hangs on nobody."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from revision_quality.bulk.processes import processes
from revision_quality.errors import BulkError

WAITING = """
import signal, sys, time
from tests.bulk.test_processes import note_and_wait
from revision_quality.bulk.processes import processes
if __name__ == "__main__":
    # A shell that runs the tests in the background has it ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with processes(1) as engine:
        list(engine.map([sys.argv[1]], note_and_wait))
"""


def note_and_wait(path: str) -> None:
    Path(path).write_text(str(os.getpid()))
    time.sleep(600)


def double(number: int) -> int:
    return 2 * number


def die(_: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def lives(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().split()[2] != "Z"
    except OSError:
        return False


def test_every_task_has_its_result_and_a_second_round_works():
    with processes(2) as engine:
        assert sorted(engine.map(range(50), double)) == list(range(0, 100, 2))
        assert list(engine.map([], double)) == []
        assert list(engine.map([4], double)) == [8]


def test_a_worker_that_is_killed_is_told():
    with pytest.raises(BulkError, match="a worker process was killed"), processes(1) as engine:
        list(engine.map([1], die))


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT])
def test_no_worker_outlives_its_parent(end, tmp_path):
    script = tmp_path / "waiting.py"
    script.write_text(WAITING)
    note = tmp_path / "pid"
    environment = os.environ | {"PYTHONPATH": os.getcwd()}
    command = [sys.executable, script, note]
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as parent:
        worker = int(_when_there(note))
        parent.send_signal(end)
        parent.wait(90)

    until = time.monotonic() + 60
    while lives(worker) and time.monotonic() < until:
        time.sleep(0.05)
    assert not lives(worker)


def _when_there(path: Path) -> str:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if path.exists() and (text := path.read_text()):
            return text
        time.sleep(0.05)
    raise TimeoutError(path)
