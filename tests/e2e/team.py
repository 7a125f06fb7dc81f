"""The roles as separate processes, some of them killed again and again."""

import random
import re
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any, Self, TypeVar

import httpx
import msgspec
from sqlalchemy import Select, func, select

from revision_quality.errors import StoreError
from revision_quality.events import streams as names
from revision_quality.streams.base import START
from revision_quality.streams.kafka.place import KafkaPlace
from revision_quality.streams.kafka.streams import KafkaStreams
from revision_quality.views.database import Database
from revision_quality.views.tables import changes
from tests.e2e.service import REVQ

_HEALTH = re.compile(r"^(?:Health|Recent changes): (http://[^/\s]+/)", re.MULTILINE)

T = TypeVar("T")
Key = tuple[str, int, str, str]


def until(
    check: Callable[[], T | None],
    seconds: float,
    story: Callable[[], str] = str,
    every: float = 0.1,
) -> T:
    """Return the first answer that is true; what fails meanwhile is asked again."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            if answer := check():
                return answer
        except (httpx.HTTPError, StoreError):
            pass
        assert time.monotonic() < deadline, f"nothing after {seconds} seconds: {story()}"
        time.sleep(every)


class Process:
    """`revq run` of some roles, its output in a file; it can be killed and started again."""

    def __init__(self, name: str, settings: Path, roles: Sequence[str], *options: object) -> None:
        given = [part for role in roles for part in ("--role", role)]
        self.name = name
        self._command = [str(REVQ), "run", str(settings), *given, *map(str, options)]
        self._file = settings.parent / f"{name}.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._log: IO[bytes] | None = None
        self.starts = 0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def log(self) -> str:
        return self._file.read_text(errors="replace") if self._file.exists() else ""

    @property
    def url(self) -> str:
        """The address of the running process, waited for."""
        return until(lambda: self._url, 120, lambda: self.log)

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def has_begun(self) -> bool:
        """Whether the running process has said that it is at work."""
        return self._url is not None

    def readiness(self) -> dict[str, Any]:
        found: dict[str, Any] = httpx.get(f"{self.url}readyz", timeout=60).json()
        return found

    def ready(
        self, role: str | None = None, state: str = "working", seconds: float = 120
    ) -> dict[str, Any]:
        """Wait until it is ready, and until `role` is in a state."""

        def check() -> dict[str, Any] | None:
            assert self.is_running, self.log
            found = self.readiness()
            is_there = role is None or found["roles"][role] == state
            return found if found["ready"] and is_there else None

        return until(check, seconds, lambda: self.log)

    def start(self) -> None:
        self.starts += 1
        self._log = self._file.open("wb" if self.starts == 1 else "ab")
        self._log.write(f"start {self.starts}\n".encode())
        self._log.flush()
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log
        )

    def kill(self) -> None:
        """End it as a power cut would."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """Ask it to end; return its exit status."""
        return self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> int:
        assert self._process is not None
        if self._process.poll() is None:
            self._process.send_signal(number)
        status = self._process.wait(90)
        if self._log is not None:
            self._log.close()
        return status

    @property
    def _url(self) -> str | None:
        found = _HEALTH.findall(self.log.rpartition("start ")[2])
        return found[-1] if found else None


def kill_some(processes: Sequence[Process], until_done: Callable[[], bool], seed: int) -> int:
    """Kill one of the processes that are at work every second and start it again; return how often.

    One that is still starting is let be: a slow machine would do nothing but start.
    """
    chance, number = random.Random(seed), 0
    while not until_done():
        if at_work := [process for process in processes if process.has_begun]:
            chosen = chance.choice(at_work)
            chosen.kill()
            chosen.start()
            number += 1
        time.sleep(1)
    return number


async def scores_in(place: KafkaPlace) -> Counter[Key]:
    """Count the scores in Kafka by what identifies them."""
    counts: Counter[Key] = Counter()
    async with KafkaStreams(place) as streams:
        for partition in range(await streams.partitions(names.PREDICTION)):
            after = START
            while found := await streams.read(names.PREDICTION, after, 2000, partition):
                counts.update(_key(record.value) for record in found)
                after = found[-1].offset
    return counts


def _key(value: bytes) -> Key:
    event = msgspec.json.decode(value)
    model = event["predicted_classification"]
    revision = event["revision"]["rev_id"]
    return event["wiki_id"], revision, model["model_name"], model["model_version"]


def rows_in(url: str) -> list[tuple[Any, ...]]:
    """Return the rows of a changes view, without the numbers of their writes."""
    columns = [column for column in changes.columns if column.name != "seq"]
    return _select(url, select(*columns).order_by(changes.c.wiki_id, changes.c.rev_id))


def count_in(url: str, *states: str) -> int:
    """Count the rows of some states."""
    statement = select(func.count()).select_from(changes).where(changes.c.state.in_(states))
    return int(_select(url, statement)[0][0])


def _select(url: str, statement: Select[Any]) -> list[tuple[Any, ...]]:
    database = Database(url)
    try:
        return database.write_now(
            lambda connection: [tuple(row) for row in connection.execute(statement)]
        )
    finally:
        database.close_now()
