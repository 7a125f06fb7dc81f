"""A Ray cluster on loopback: a head that does no work, and two machines of one core each."""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

RAY = Path(sysconfig.get_path("scripts")) / "ray"

PATIENCE_SECONDS = 180.0


class RayNodes:
    """The cluster; `environment` is what a client needs, `workers` are the machines' processes."""

    def __init__(self, port: int, environment: dict[str, str]) -> None:
        self.address = f"127.0.0.1:{port}"
        self.environment = environment
        self.workers: list[subprocess.Popen[bytes]] = []

    def kill(self, node: subprocess.Popen[bytes]) -> None:
        """End a machine as a power cut does."""
        os.killpg(node.pid, signal.SIGKILL)
        node.wait()


@pytest.fixture(scope="session")
def ray_nodes() -> Iterator[RayNodes]:
    # Sockets in the folder have names of at most 107 characters: pytest's own would be too long.
    folder = Path(tempfile.mkdtemp(prefix="revq-ray-"))
    environment = os.environ | {
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": secrets.token_hex(32),
        "RAY_USAGE_STATS_ENABLED": "0",
    }
    nodes = RayNodes(_free_port(), environment)
    head = [
        *("--head", "--port", nodes.address.rpartition(":")[2], "--num-cpus", "0"),
        *("--include-dashboard", "false", "--temp-dir", str(folder)),
    ]
    worker = ["--address", nodes.address, "--num-cpus", "1"]
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        stack.enter_context(_node(head, folder / "head.log", environment))
        for number in range(2):
            log = folder / f"{number}.log"
            nodes.workers.append(stack.enter_context(_node(worker, log, environment)))
        yield nodes


@contextmanager
def _node(
    options: list[str], log: Path, environment: dict[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    command = [
        *("nice", str(RAY), "start", *options, "--block", "--node-ip-address", "127.0.0.1"),
        *("--object-store-memory", "100000000", "--disable-usage-stats"),
    ]
    with (
        log.open("wb") as file,
        subprocess.Popen(
            command, env=environment, stdout=file, stderr=file, start_new_session=True
        ) as node,
    ):
        try:
            _wait_until_started(node, log)
            yield node
        finally:
            node.terminate()
            node.wait(PATIENCE_SECONDS)


def _wait_until_started(node: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while "Ray runtime started" not in log.read_text():
        if node.poll() is not None or time.monotonic() > until:
            raise RuntimeError(f"Ray did not start: {log.read_text()}")
        time.sleep(0.1)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
