"""A real MariaDB or PostgreSQL on this machine's loopback, for tests and for trying things out.

    python3 scripts/databases.py install                    Debian's packages where missing (root)
    python3 scripts/databases.py start mariadb --dir D      serve a database from D until SIGTERM
    python3 scripts/databases.py start postgresql --dir D

`start` prints the server's version on one line and the database's SQLAlchemy URL on the next, as
soon as it answers. A folder that already holds a database keeps it. No password is asked for:
never serve it to anybody else. As root, PostgreSQL runs as the user postgres, who must be able to
enter the folder's parents. With `--no-sync` nothing waits for the disk: what a server has written
outlives its own death, `kill -9` included, but not the machine's.

Needs the standard library only.
"""

import argparse
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

HOST = "127.0.0.1"
PORTS = range(20_000, 32_000)
"""Where a free port is looked for: below those that Linux gives to connections of its own accord,
which could take a server's while it is away."""

ATTEMPTS = 3
"""How often another free port is tried when a server does not start."""

START_TIMEOUT_S = 180
STOP_TIMEOUT_S = 120
"""A busy disk takes long to write what a server holds."""

LOG_CHARACTERS = 2000
"""How much of a server's log an error shows."""

_POLICY = Path("/usr/sbin/policy-rc.d")
_DEBIAN_POSTGRESQL = Path("/usr/lib/postgresql")


class DatabaseServerError(Exception):
    """The server cannot be installed or started; the text says why."""


class _NotStartedError(DatabaseServerError):
    """The server ended at once, as it does when its port is taken."""


class Kind(NamedTuple):
    """A kind of server: Debian's package, its programs, the signal that ends it."""

    name: str
    package: str
    programs: tuple[str, ...]
    end: signal.Signals


MARIADB = Kind(
    "mariadb", "mariadb-server", ("mariadbd", "mariadb-install-db"), signal.Signals.SIGTERM
)
POSTGRESQL = Kind(
    "postgresql", "postgresql", ("postgres", "initdb", "pg_isready"), signal.Signals.SIGINT
)
KINDS = {kind.name: kind for kind in (MARIADB, POSTGRESQL)}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    args = _parser().parse_args(argv)
    try:
        if args.verb == "install":
            install()
        else:
            serve(KINDS[args.kind], args.dir.resolve(), args.port, syncs=not args.no_sync)
    except DatabaseServerError as error:
        print(f"databases: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("install")
    start = verbs.add_parser("start")
    start.add_argument("kind", choices=sorted(KINDS))
    start.add_argument("--dir", type=Path, required=True)
    start.add_argument("--port", type=int, default=0, help="0: any free port")
    start.add_argument("--no-sync", action="store_true", help="never wait for the disk")
    return parser


def missing(kind: Kind) -> str | None:
    """Return the first program of a kind that is not installed, None if all are."""
    return next((name for name in kind.programs if _program(name) is None), None)


def install() -> None:
    """Install Debian's packages where they are missing; needs root."""
    packages = [kind.package for kind in KINDS.values() if missing(kind)]
    if not packages:
        return
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        raise DatabaseServerError(
            f"as root on Debian, run 'apt-get install --no-install-recommends {' '.join(packages)}'"
        )
    with _no_services_started():
        _run(["apt-get", "update", "-q"])
        _run(["apt-get", "install", "-y", "-q", "--no-install-recommends", *packages])


@contextmanager
def _no_services_started() -> Iterator[None]:
    """Keep Debian from starting the servers that it installs."""
    if _POLICY.exists():
        yield
        return
    _POLICY.write_text("#!/bin/sh\nexit 101\n")
    _POLICY.chmod(0o755)
    try:
        yield
    finally:
        _POLICY.unlink()


def serve(kind: Kind, folder: Path, port: int, *, syncs: bool = True) -> None:
    """Make the database if the folder has none, and serve it until SIGTERM or SIGINT."""
    absent = missing(kind)
    if absent is not None:
        raise DatabaseServerError(
            f"{absent} is not installed: run 'python3 scripts/databases.py install' as root"
        )
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    folder.mkdir(parents=True, exist_ok=True)
    if kind is MARIADB:
        _make_mariadb(folder, syncs=syncs)
    else:
        _make_postgresql(folder, syncs=syncs)
    with suppress(KeyboardInterrupt):
        if port:
            _serve_at(kind, folder, port, syncs=syncs)
            return
        for _ in range(ATTEMPTS - 1):
            with suppress(_NotStartedError):
                _serve_at(kind, folder, _free_port(), syncs=syncs)
                return
        _serve_at(kind, folder, _free_port(), syncs=syncs)


def _serve_at(kind: Kind, folder: Path, port: int, *, syncs: bool) -> None:
    start, version = (
        (_start_mariadb, _mariadb_version)
        if kind is MARIADB
        else (_start_postgresql, _postgresql_version)
    )
    server = start(folder, port, syncs=syncs)
    try:
        print(_wait(server, lambda: version(folder, port), folder), flush=True)
        print(_url(kind, port), flush=True)
        if server.wait() != 0:
            raise DatabaseServerError(f"the server ended: {_told(folder)}")
    finally:
        _end(server, kind.end)


def _make_mariadb(folder: Path, *, syncs: bool) -> None:
    data = folder / "data"
    if not data.exists():
        _run(
            [
                *(_path("mariadb-install-db"), "--no-defaults", f"--datadir={data}", _as_user()),
                *("--auth-root-authentication-method=normal", "--skip-test-db"),
                *(() if syncs else ("--debug-no-sync",)),
            ]
        )


def _start_mariadb(folder: Path, port: int, *, syncs: bool) -> subprocess.Popen[bytes]:
    first = folder / "first.sql"
    first.write_text("CREATE DATABASE IF NOT EXISTS revq CHARACTER SET utf8mb4;\n")
    no_sync = (
        *("--debug-no-sync", "--innodb-flush-method=nosync"),
        "--innodb-flush-log-at-trx-commit=2",
    )
    return _start(
        folder,
        [
            *(_path("mariadbd"), "--no-defaults", f"--datadir={folder / 'data'}", _as_user()),
            *(f"--bind-address={HOST}", f"--port={port}", "--skip-name-resolve"),
            *(f"--socket={folder / 'socket'}", f"--pid-file={folder / 'pid'}"),
            *(f"--init-file={first}", "--innodb-buffer-pool-size=512M"),
            # Not /tmp: a server that starts deletes those of others there.
            f"--tmpdir={folder}",
            *(() if syncs else no_sync),
        ],
    )


def _as_user() -> str:
    return f"--user={'root' if os.geteuid() == 0 else _user_name()}"


def _make_postgresql(folder: Path, *, syncs: bool) -> None:
    data = folder / "data"
    user = _postgresql_user()
    if user:
        shutil.chown(folder, user)
    if not (data / "PG_VERSION").exists():
        _run(
            [
                *(_path("initdb"), "-D", str(data), "-U", "revq", "-A", "trust"),
                *("-E", "UTF8", "--locale", "C"),
                *(() if syncs else ("--no-sync",)),
            ],
            user,
        )


def _start_postgresql(folder: Path, port: int, *, syncs: bool) -> subprocess.Popen[bytes]:
    place = ["-D", str(folder / "data"), "-h", HOST, "-p", str(port), "-k", str(folder)]
    options = ["-c", "shared_buffers=512MB", "-c", f"fsync={'on' if syncs else 'off'}"]
    return _start(folder, [_path("postgres"), *place, *options], _postgresql_user())


def _postgresql_user() -> str | None:
    return "postgres" if os.geteuid() == 0 else None


def _start(folder: Path, command: list[str], user: str | None = None) -> subprocess.Popen[bytes]:
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=folder,
            user=user,
            group=user,
            start_new_session=True,
        )


def _wait(server: subprocess.Popen[bytes], version: Callable[[], str], folder: Path) -> str:
    deadline = time.monotonic() + START_TIMEOUT_S
    while True:
        with suppress(OSError, subprocess.CalledProcessError):
            return version()
        if server.poll() is not None:
            raise _NotStartedError(f"the server does not start: {_told(folder)}")
        if time.monotonic() > deadline:
            raise DatabaseServerError(
                f"the server does not answer after {START_TIMEOUT_S} s: {_told(folder)}"
            )
        time.sleep(0.05)


def _told(folder: Path) -> str:
    log = folder / "log"
    return f"see {log}, which ends\n{log.read_text(errors='replace')[-LOG_CHARACTERS:]}"


def _mariadb_version(folder: Path, port: int) -> str:
    """Return the version that the server greets with (MariaDB's protocol, HandshakeV10).

    Asks at its socket: at the port there could be another server.
    """
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(5)
        connection.connect(str(folder / "socket"))
        greeting = connection.recv(128)
    version = re.search(rb"[\d.]+-MariaDB", greeting)
    if version is None:
        raise ConnectionError("no greeting")
    return f"MariaDB {version[0].decode().removesuffix('-MariaDB')}"


def _postgresql_version(folder: Path, port: int) -> str:
    ready = [_path("pg_isready"), "-q", "-h", str(folder), "-p", str(port)]
    subprocess.run(ready, check=True, capture_output=True)
    answer = subprocess.run(
        [_path("postgres"), "--version"], check=True, capture_output=True, text=True
    )
    return f"PostgreSQL {answer.stdout.split()[2]}"


def _url(kind: Kind, port: int) -> str:
    if kind is MARIADB:
        return f"mariadb://root@{HOST}:{port}/revq"
    return f"postgresql://revq@{HOST}:{port}/postgres"


def _end(server: subprocess.Popen[bytes], with_signal: signal.Signals) -> None:
    server.send_signal(with_signal)
    try:
        server.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def _path(name: str) -> str:
    path = _program(name)
    if path is None:
        raise DatabaseServerError(f"{name} is not installed")
    return path


def _program(name: str) -> str | None:
    """Find a program; Debian keeps PostgreSQL's and some of MariaDB's off the PATH."""
    newest_first = sorted(_DEBIAN_POSTGRESQL.glob("*/bin"), key=_version, reverse=True)
    places = [os.environ.get("PATH", ""), "/usr/sbin", *map(str, newest_first)]
    return shutil.which(name, path=os.pathsep.join(places))


def _version(folder: Path) -> float:
    return float(folder.parent.name)


def _user_name() -> str:
    import pwd  # noqa: PLC0415, not on every system

    return pwd.getpwuid(os.geteuid()).pw_name


def _run(command: Sequence[str], user: str | None = None) -> None:
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        cwd="/",
        user=user,
        group=user,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise DatabaseServerError(f"'{' '.join(command)}' failed:\n{done.stdout.strip()}")


def _free_port() -> int:
    while True:
        with suppress(OSError), socket.socket() as probe:
            probe.bind((HOST, random.choice(PORTS)))
            return int(probe.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main())
