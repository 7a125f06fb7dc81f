"""What the scripts of real servers share: programs that serve on this machine's loopback.

Needs the standard library only, as the scripts do: they run before anything is installed.
"""

import argparse
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

HOST = "127.0.0.1"
PORTS = range(20_000, 32_000)
"""Where a free port is looked for: below those that Linux gives to connections of its own accord,
which could take a server's while it is away."""

LOG_CHARACTERS = 2000
"""How much of a server's log an error shows."""

_LOOK_SECONDS = 0.05


class ServerError(Exception):
    """A server cannot be installed, made or served; the text says why."""


class NotStartedError(ServerError):
    """A server ended at once, as it does when its port is taken."""


def told(name: str, act: Callable[[], None]) -> int:
    """Do what a command line asks for; print what is wrong, and return the exit status."""
    try:
        act()
    except ServerError as error:
        print(f"{name}: {error}", file=sys.stderr)
        return 1
    return 0


def node(
    name: str,
    about: str | None,
    install: Callable[[], None],
    serve: Callable[[Path, int], None],
    argv: Sequence[str] | None = None,
) -> int:
    """Run the command line of a server that is one node in a folder; return the exit status."""
    parser = argparse.ArgumentParser(
        description=about, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("install")
    start = verbs.add_parser("start")
    start.add_argument("--folder", type=Path, required=True)
    start.add_argument("--port", type=int, default=0, help="0: any free port")
    args = parser.parse_args(argv)
    if args.verb == "install":
        return told(name, install)
    return told(name, lambda: serve(args.folder.resolve(), args.port))


def cache(variable: str, name: str) -> Path:
    """Return the folder in which something installed is kept; a variable names another one."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(os.environ.get(variable) or home / "revision_quality" / name)


def end_on_sigterm() -> None:
    """Have SIGTERM end this process as an exception does, its server with it."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))


def run(
    command: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    user: str | None = None,
) -> str:
    """Run a program to its end and return what it printed. Raises ServerError if it fails."""
    done = subprocess.run(
        command,
        env=env,
        cwd=cwd,
        user=user,
        group=user,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise ServerError(f"'{' '.join(command)}' failed:\n{done.stdout.strip()}")
    return done.stdout


def start(
    command: Sequence[str],
    log: Path,
    *,
    env: Mapping[str, str] | None = None,
    user: str | None = None,
) -> subprocess.Popen[bytes]:
    """Start a server in the folder of its log, in a session of its own."""
    with log.open("ab") as file:
        return subprocess.Popen(
            command,
            env=env,
            cwd=log.parent,
            user=user,
            group=user,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )


def keep(
    server: subprocess.Popen[bytes],
    log: Path,
    answer: Callable[[], str | None],
    *,
    start_seconds: float,
    stop_seconds: float,
    number: signal.Signals = signal.SIGTERM,
) -> None:
    """Print a server's `answer` as soon as there is one, wait for its end; end it when told to.

    Raises NotStartedError if it ends before it answers, ServerError if it is late or fails.
    """
    try:
        print(_answer(server, log, answer, start_seconds), flush=True)
        if server.wait() != 0:
            raise ServerError(f"the server ended: {end_of(log)}")
    except KeyboardInterrupt:
        pass
    finally:
        end(server, stop_seconds, number)


def _answer(
    server: subprocess.Popen[bytes], log: Path, answer: Callable[[], str | None], seconds: float
) -> str:
    deadline = time.monotonic() + seconds
    while (told := answer()) is None:
        if server.poll() is not None:
            raise NotStartedError(f"the server does not start: {end_of(log)}")
        if time.monotonic() > deadline:
            raise ServerError(f"the server does not answer after {seconds} s: {end_of(log)}")
        time.sleep(_LOOK_SECONDS)
    return told


def end(
    server: subprocess.Popen[bytes], seconds: float, number: signal.Signals = signal.SIGTERM
) -> None:
    """End a server by a signal, and kill it if it takes longer."""
    server.send_signal(number)
    try:
        server.wait(seconds)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def end_of(log: Path) -> str:
    """Say where a log is and how it ends."""
    return f"see {log}, which ends\n{log.read_text(errors='replace')[-LOG_CHARACTERS:]}"


def is_open(port: int) -> bool:
    """Tell whether something listens on a port."""
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def free_port() -> int:
    """Return a port that nobody listens on."""
    while True:
        with suppress(OSError), socket.socket() as probe:
            probe.bind((HOST, random.choice(PORTS)))
            return int(probe.getsockname()[1])
