"""A real MariaDB or PostgreSQL on this machine's loopback, for tests and for trying things out.

    python3 -m scripts.databases install                    Debian's packages where missing (root)
    python3 -m scripts.databases start mariadb --dir D      serve a database from D until SIGTERM
    python3 -m scripts.databases start postgresql --dir D

`start` prints the server's version on one line and the database's SQLAlchemy URL on the next, as
soon as it answers. A folder that already holds a database keeps it. No password is asked for:
never serve it to anybody else. As root, PostgreSQL runs as the user postgres, who must be able to
enter the folder's parents. With `--no-sync` nothing waits for the disk: what a server has written
outlives its own death, `kill -9` included, but not the machine's.

Needs the standard library only.
"""

import argparse
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from scripts import debian, loopback
from scripts.loopback import HOST, NotStartedError, ServerError

ATTEMPTS = 3
"""How often another free port is tried when a server does not start."""

START_TIMEOUT_S = 180
STOP_TIMEOUT_S = 120
"""A busy disk takes long to write what a server holds."""

LOG = "log"

_DEBIAN_POSTGRESQL = Path("/usr/lib/postgresql")


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
    if args.verb == "install":
        return loopback.told("databases", install)
    return loopback.told(
        "databases",
        lambda: serve(KINDS[args.kind], args.dir.resolve(), args.port, syncs=not args.no_sync),
    )


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
    absent = [(kind.package, name) for kind in KINDS.values() if (name := missing(kind))]
    if absent:
        packages, names = zip(*absent, strict=True)
        debian.install(packages, f"{names[0]} is not installed")


def serve(kind: Kind, folder: Path, port: int, *, syncs: bool = True) -> None:
    """Make the database if the folder has none, and serve it until SIGTERM or SIGINT."""
    absent = missing(kind)
    if absent is not None:
        raise ServerError(
            f"{absent} is not installed: run 'python3 -m scripts.databases install' as root"
        )
    loopback.end_on_sigterm()
    folder.mkdir(parents=True, exist_ok=True)
    if kind is MARIADB:
        _make_mariadb(folder, syncs=syncs)
    else:
        _make_postgresql(folder, syncs=syncs)
    if port:
        _serve_at(kind, folder, port, syncs=syncs)
        return
    for _ in range(ATTEMPTS - 1):
        with suppress(NotStartedError):
            _serve_at(kind, folder, loopback.free_port(), syncs=syncs)
            return
    _serve_at(kind, folder, loopback.free_port(), syncs=syncs)


def _serve_at(kind: Kind, folder: Path, port: int, *, syncs: bool) -> None:
    start = _start_mariadb if kind is MARIADB else _start_postgresql
    loopback.keep(
        start(folder, port, syncs=syncs),
        folder / LOG,
        lambda: _answer(kind, folder, port),
        start_seconds=START_TIMEOUT_S,
        stop_seconds=STOP_TIMEOUT_S,
        number=kind.end,
    )


def _answer(kind: Kind, folder: Path, port: int) -> str | None:
    with suppress(OSError, subprocess.CalledProcessError):
        version = _mariadb_version(folder) if kind is MARIADB else _postgresql_version(folder, port)
        return f"{version}\n{_url(kind, port)}"
    return None


def _make_mariadb(folder: Path, *, syncs: bool) -> None:
    data = folder / "data"
    if not data.exists():
        loopback.run(
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
    return loopback.start(
        [
            *(_path("mariadbd"), "--no-defaults", f"--datadir={folder / 'data'}", _as_user()),
            *(f"--bind-address={HOST}", f"--port={port}", "--skip-name-resolve"),
            *(f"--socket={folder / 'socket'}", f"--pid-file={folder / 'pid'}"),
            *(f"--init-file={first}", "--innodb-buffer-pool-size=512M"),
            # Not /tmp: a server that starts deletes those of others there.
            f"--tmpdir={folder}",
            *(() if syncs else no_sync),
        ],
        folder / LOG,
    )


def _as_user() -> str:
    return f"--user={'root' if os.geteuid() == 0 else _user_name()}"


def _make_postgresql(folder: Path, *, syncs: bool) -> None:
    data = folder / "data"
    user = _postgresql_user()
    if user:
        shutil.chown(folder, user)
    if not (data / "PG_VERSION").exists():
        loopback.run(
            [
                *(_path("initdb"), "-D", str(data), "-U", "revq", "-A", "trust"),
                *("-E", "UTF8", "--locale", "C"),
                *(() if syncs else ("--no-sync",)),
            ],
            cwd=Path("/"),
            user=user,
        )


def _start_postgresql(folder: Path, port: int, *, syncs: bool) -> subprocess.Popen[bytes]:
    place = ["-D", str(folder / "data"), "-h", HOST, "-p", str(port), "-k", str(folder)]
    options = ["-c", "shared_buffers=512MB", "-c", f"fsync={'on' if syncs else 'off'}"]
    command = [_path("postgres"), *place, *options]
    return loopback.start(command, folder / LOG, user=_postgresql_user())


def _postgresql_user() -> str | None:
    return "postgres" if os.geteuid() == 0 else None


def _mariadb_version(folder: Path) -> str:
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


def _path(name: str) -> str:
    path = _program(name)
    if path is None:
        raise ServerError(f"{name} is not installed")
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


if __name__ == "__main__":
    sys.exit(main())
