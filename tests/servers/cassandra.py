"""A real Cassandra on loopback as a fixture."""

import gc
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Self

import pytest
from scripts import cassandra as script

from revision_quality.views.cassandra_session import CassandraPlace
from tests.servers import scripted

QUICK = {"JDK_JAVA_OPTIONS": "-XX:TieredStopAtLevel=1"}
"""A node that lives for minutes starts in two thirds of the time if it does not optimise itself."""

_numbers = count(1)


class RealCassandra:
    """One node served from a folder; started again, it has the same port and the same rows."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = 0
        self._server: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Serve, and wait until it answers."""
        place = ["--folder", str(self._folder), "--port", str(self._port)]
        self._server, told = scripted.start("cassandra", "start", *place, env=QUICK)
        self._port = int(told.partition(" ")[0].rpartition(":")[2])

    def stop(self) -> None:
        """End the server."""
        if self._server is not None:
            self._server.terminate()
            self._server.communicate()
            self._server = None

    def kill(self) -> None:
        """End the server as a power cut does, the disk aside."""
        os.kill(self._node_id(), signal.SIGKILL)
        self.stop()

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """Let the node hang: connections stay open, nothing is answered."""
        os.kill(self._node_id(), signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self._node_id(), signal.SIGCONT)

    def place(self) -> CassandraPlace:
        """Return a keyspace that nobody has used."""
        keyspace = f"test_{next(_numbers)}"
        return CassandraPlace(hosts=("127.0.0.1",), port=self._port, keyspace=keyspace)

    def _node_id(self) -> int:
        assert self._server is not None
        parent = self._server.pid
        return int(Path(f"/proc/{parent}/task/{parent}/children").read_text().split()[0])


@pytest.fixture(scope="session")
def cassandra(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealCassandra]:
    """Return a node that all tests share: use keyspaces of your own."""
    reason = script.missing()
    if reason is not None:
        pytest.skip(f"{reason}: run 'python3 -m scripts.cassandra install'")
    with RealCassandra(tmp_path_factory.mktemp("cassandra")) as node:
        yield node


@pytest.fixture
def sockets_of_acsylla() -> Iterator[None]:
    """Collect the two socket pairs of each cluster, which acsylla leaves to the garbage collector.

    For tests that ignore the warning of it, so that it does not come in another one.
    """
    yield
    gc.collect()
