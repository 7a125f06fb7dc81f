"""Real MariaDB and PostgreSQL servers on loopback as fixtures."""

import itertools
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import pytest
import sqlalchemy
from scripts import databases as script
from sqlalchemy.engine import URL

from revision_quality.views.changes import ChangesView
from revision_quality.views.database import Database
from tests.servers import scripted


class RealServer:
    """A database server that runs from a folder.

    Unless it `syncs`, it never waits for the disk: no row is lost when the server is killed, but
    figures measured on it would be too good.
    """

    def __init__(self, kind: str, folder: Path, *, syncs: bool = True) -> None:
        self.kind = kind
        self.folder = folder
        self._syncs = syncs
        self.version = ""
        self._url: URL | None = None
        self._process: subprocess.Popen[str] | None = None
        self._numbers = itertools.count(1)

    def start(self) -> None:
        """Serve, at the same address as before if it was served before."""
        port = (self._url and self._url.port) or 0
        place = ["--dir", str(self.folder), "--port", str(port)]
        options = [] if self._syncs else ["--no-sync"]
        self._process, self.version = scripted.start(
            "databases", "start", self.kind, *place, *options
        )
        assert self._process.stdout is not None
        self._url = sqlalchemy.make_url(self._process.stdout.readline().strip())

    def stop(self) -> None:
        """End the server as its operator does."""
        assert self._process is not None
        self._process.terminate()
        self._process.communicate()

    def kill(self) -> None:
        """End the server as a crash does: what it has not written is lost."""
        assert self._process is not None
        if self.kind == "mariadb":
            os.kill(int((self.folder / "pid").read_text()), signal.SIGKILL)
        else:
            pid = (self.folder / "data/postmaster.pid").read_text().split()[0]
            os.kill(int(pid), signal.SIGQUIT)
        self._process.communicate()

    @property
    def url(self) -> URL:
        """The server, as its administrator."""
        assert self._url is not None
        return self._url

    def new_url(self) -> str:
        """Make an empty database; return its SQLAlchemy URL."""
        return self.url_of(f"test_{next(self._numbers)}")

    def url_of(self, name: str) -> str:
        """Make a database unless it is there; return its SQLAlchemy URL."""
        with suppress(psycopg.errors.DuplicateDatabase):
            absent = "" if self.kind == "postgresql" else "IF NOT EXISTS "
            self.run(f"CREATE DATABASE {absent}{name}")
        assert self._url is not None
        return self._url.set(database=name).render_as_string(hide_password=False)

    def run(self, statement: str) -> None:
        """Run a statement as the server's administrator."""
        assert self._url is not None
        if self.kind == "postgresql":
            address = {"host": self._url.host, "port": self._url.port, "user": self._url.username}
            with psycopg.connect(**address, dbname="postgres", autocommit=True) as connection:
                connection.execute(statement)
            return
        database = Database(self._url.render_as_string(hide_password=False))
        database.write_now(lambda connection: connection.exec_driver_sql(statement) and None)
        database.close_now()


@contextmanager
def server(kind: str, *, syncs: bool = True) -> Iterator[RealServer]:
    """Serve an empty database; skip where its programs are not installed."""
    absent = script.missing(script.KINDS[kind])
    if absent is not None:
        pytest.skip(
            f"{absent} is not installed: run 'python3 -m scripts.databases install' as root"
        )
    # Not pytest's own folder: as root, PostgreSQL's user could not enter it.
    folder = Path(tempfile.mkdtemp(prefix=f"revq-{kind}-"))
    running = RealServer(kind, folder, syncs=syncs)
    try:
        running.start()
        yield running
    finally:
        running.stop()
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def mariadb() -> Iterator[RealServer]:
    """Return a MariaDB that all tests share: use databases of your own."""
    with server("mariadb", syncs=False) as running:
        yield running


@pytest.fixture(scope="session")
def postgresql() -> Iterator[RealServer]:
    """Return a PostgreSQL that all tests share: use databases of your own."""
    with server("postgresql", syncs=False) as running:
        yield running


@pytest.fixture(scope="session")
def empty_view(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a changes view in SQLite without edits: copied, it is there thirty times as soon."""
    file = tmp_path_factory.mktemp("empty") / "changes.sqlite"
    ChangesView(made := Database(f"sqlite:///{file}"))
    made.close_now()
    return file


@pytest.fixture(
    params=[
        "sqlite",
        pytest.param("mariadb", marks=pytest.mark.database),
        pytest.param("postgresql", marks=pytest.mark.database),
    ]
)
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], str]:
    """Return what makes an empty database and returns its URL, once for each kind of server."""
    if request.param == "sqlite":
        numbers = itertools.count(1)
        return lambda: f"sqlite:///{tmp_path}/changes_{next(numbers)}.sqlite"
    running: RealServer = request.getfixturevalue(request.param)
    return running.new_url


@pytest.fixture
def url(new_url: Callable[[], str]) -> str:
    """Return the URL of an empty database, once for each kind of server."""
    return new_url()
