"""Of several who could do one work on one place, one does it; another takes over."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from revision_quality.cli.lease import (
    DatabaseLease,
    FileLease,
    Free,
    GroupLease,
    Holder,
    Lease,
    lease_of_database,
)
from revision_quality.errors import StoreError
from revision_quality.streams.kafka.streams import KafkaStreams

HOLDER = """
import asyncio, sys
from pathlib import Path
from revision_quality.cli.lease import FileLease, lease_of_database
kind, place = sys.argv[1:]
lease = FileLease(Path(place)) if kind == "file" else lease_of_database(place, "revq test")
async def hold():
    assert await lease.take()
    print("held", flush=True)
    await asyncio.sleep(1000)
asyncio.run(hold())
"""

KINDS = [
    "file",
    pytest.param("mariadb", marks=pytest.mark.database),
    pytest.param("postgresql", marks=pytest.mark.database),
    pytest.param("kafka", marks=pytest.mark.kafka),
]


@pytest.fixture
def place(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str]:
    """Return a kind of place, and where one of it is that nobody holds."""
    kind: str = request.param
    if kind == "file":
        return kind, str(tmp_path / "new/lock")
    return kind, request.getfixturevalue(kind).new_url()


@pytest.fixture(params=KINDS)
async def new_lease(
    request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[Callable[[], Lease]]:
    """Return what makes one more lease of one place, as another process would."""
    kind: str = request.param
    made: list[Lease] = []
    if kind == "kafka":
        cluster = request.getfixturevalue("broker").place(partitions=1)
    elif kind != "file":
        url = request.getfixturevalue(kind).new_url()

    def make() -> Lease:
        lease: Lease
        if kind == "file":
            lease = FileLease(tmp_path / "new/lock")
        elif kind == "kafka":
            lease = GroupLease(lambda: KafkaStreams(cluster), "test", "nothing")
        else:
            lease = lease_of_database(url, "revq test")
        made.append(lease)
        return lease

    yield make
    for lease in made:
        await lease.release()


async def until(check: Callable[[], Awaitable[bool]], seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not await check():  # noqa: ASYNC110
            await asyncio.sleep(0.1)


async def test_one_holds_and_the_next_takes_over(new_lease):
    first, second = new_lease(), new_lease()
    await until(first.take)

    assert not await second.take()
    assert await first.take()
    assert await first.is_kept()
    assert not await second.is_kept()
    await first.release()
    await until(second.take)
    assert await second.is_kept()
    assert not await first.is_kept()


@pytest.mark.parametrize("place", KINDS[:3], indirect=True)
async def test_the_death_of_the_holder_frees_the_place(place):
    kind, where = place
    with subprocess.Popen(  # noqa: ASYNC220
        [sys.executable, "-c", HOLDER, kind, where], stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        lease: Lease
        lease = FileLease(Path(where)) if kind == "file" else lease_of_database(where, "revq test")
        try:
            assert not await lease.take()
            holder.send_signal(signal.SIGKILL)
            holder.wait()
            await until(lease.take)
        finally:
            await lease.release()


@pytest.mark.database
@pytest.mark.parametrize("kind", ["mariadb", "postgresql"])
async def test_another_name_or_database_is_another_lease(kind, request):
    server = request.getfixturevalue(kind)
    url, other = server.new_url(), server.new_url()
    leases = [DatabaseLease(url, "one"), DatabaseLease(url, "two"), DatabaseLease(other, "one")]
    try:
        assert [await lease.take() for lease in leases] == [True, True, True]
    finally:
        for lease in leases:
            await lease.release()


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("sqlite:////data/changes.sqlite", "/data/changes.sqlite.materialise.lock"),
        ("sqlite:///:memory:", "nothing"),
        ("sqlite://", "nothing"),
    ],
)
def test_sqlite_is_held_by_a_file_beside_it(url, expected):
    assert lease_of_database(url, "revq materialise").name == expected


async def test_a_file_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(StoreError, match=r"file/lock cannot be written"):
        await FileLease(tmp_path / "file/lock").take()


class Loose:
    """A lease that is lost when a test says so."""

    name = "a loose thing"

    def __init__(self) -> None:
        self.is_ours = True
        self.released = 0

    async def take(self) -> bool:
        return self.is_ours

    async def is_kept(self) -> bool:
        return self.is_ours

    async def release(self) -> None:
        self.released += 1


class Work:
    """Counts how often it begins and ends."""

    def __init__(self) -> None:
        self.begun = 0
        self.ended = 0

    async def run(self) -> None:
        self.begun += 1
        try:
            await asyncio.sleep(1000)
        finally:
            self.ended += 1


async def test_work_ends_with_the_lease_and_begins_again_with_it():
    lease, work = Loose(), Work()
    holder = Holder("test", [Free(), lease])
    running = asyncio.create_task(holder.run(work.run))

    async def is_working() -> bool:
        return holder.is_working

    async def is_waiting() -> bool:
        return not holder.is_working

    await until(is_working)
    lease.is_ours = False
    await until(is_waiting)
    assert (work.begun, work.ended) == (1, 1)
    lease.is_ours = True
    await until(is_working)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert (work.begun, work.ended) == (2, 2)
    assert lease.released == 2


async def test_work_that_ends_or_fails_ends_the_holder():
    async def fails() -> None:
        raise StoreError("no")

    lease = Loose()
    await Holder("test", [lease]).run(_nothing)
    with pytest.raises(StoreError, match="no"):
        await Holder("test", [lease]).run(fails)
    assert lease.released == 2


async def _nothing() -> None:
    """Be done."""
