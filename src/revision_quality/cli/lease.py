"""Leases: of several processes that could do one work on one place, one does it.

Who has no lease waits, ready to take over. A process that dies loses its leases at once (a file),
or within half a minute (a server notices that its connection is gone). One that does not notice
its loss for a moment doubles work, but no event: every consumer is idempotent.
"""

import asyncio
import fcntl
import os
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol
from zlib import crc32

import structlog
from sqlalchemy import Connection, make_url, text

from revision_quality.clock import Clock, system_clock
from revision_quality.errors import StoreError
from revision_quality.streams.base import Member, Streams
from revision_quality.views.database import Database

LOOK_SECONDS = 1.0
"""How often who waits tries, and who holds makes sure."""

SILENT_SECONDS = 30
"""A database forgets a holder that is silent for so long."""

_log = structlog.get_logger()


class Lease(Protocol):
    """What one process at a time holds. `take` and `is_kept` may raise StoreError."""

    @property
    def name(self) -> str:
        """What is held, for people."""
        ...

    async def take(self) -> bool:
        """Try to get it; return whether it is held now."""
        ...

    async def is_kept(self) -> bool:
        """Tell whether it is still held."""
        ...

    async def release(self) -> None:
        """Let go of it, held or not."""
        ...


class Free:
    """A lease that everybody has."""

    name = "nothing"

    async def take(self) -> bool:
        """Return True."""
        return True

    async def is_kept(self) -> bool:
        """Return True."""
        return True

    async def release(self) -> None:
        """Do nothing."""


class FileLease:
    """A lock of a file on a disk of this machine; the kernel frees it when its holder ends."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None

    @property
    def name(self) -> str:
        """The file."""
        return str(self._path)

    async def take(self) -> bool:
        """Lock the file, making it if need be. Raises StoreError if that cannot be."""
        if self._file is not None:
            return True
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise StoreError(f"{self._path} cannot be written ({error.strerror})") from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            return False
        except OSError as error:
            os.close(file)
            raise StoreError(f"{self._path} cannot be locked ({error.strerror})") from error
        self._file = file
        return True

    async def is_kept(self) -> bool:
        """Tell whether it was taken: it cannot be lost."""
        return self._file is not None

    async def release(self) -> None:
        """Unlock the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


class DatabaseLease:
    """An advisory lock of a MariaDB, MySQL or PostgreSQL, on a connection of its own."""

    def __init__(self, url: str, name: str) -> None:
        self._url = url
        self._name = name
        self._kind = make_url(url).get_backend_name()
        self._database: Database | None = None

    @property
    def name(self) -> str:
        """The database and the lock."""
        return f"{self._name} in {make_url(self._url)!r}"

    async def take(self) -> bool:
        """Lock, or find that it is locked by us. Raises StoreError."""
        if await self.is_kept():
            return True
        return await self._ask(_TAKE)

    async def is_kept(self) -> bool:
        """Ask the server. Raises StoreError."""
        return await self._ask(_KEPT)

    async def release(self) -> None:
        """Close the connection, and with it unlock."""
        database, self._database = self._database, None
        if database is not None:
            await database.close()

    async def _ask(self, question: dict[str, str]) -> bool:
        def run(connection: Connection) -> bool:
            connection.execute(text(_PREPARE[self._kind]))
            asked = text(question[self._kind])
            return bool(connection.execute(asked, self._values).scalar())

        self._database = self._database or Database(self._url)
        return await self._database.write(run)

    @property
    def _values(self) -> dict[str, Any]:
        return {"name": self._name} if self._kind != "postgresql" else {"number": self._number}

    @property
    def _number(self) -> int:
        return crc32(self._name.encode()) & 0x7FFFFFFF


_LOCK = "concat(:name, ' ', database())"
_MARIADB_TAKE = f"SELECT GET_LOCK({_LOCK}, 0)"
_MARIADB_KEPT = f"SELECT IS_USED_LOCK({_LOCK}) = CONNECTION_ID()"
_MARIADB_PREPARE = f"SET SESSION wait_timeout = {SILENT_SECONDS}"
_POSTGRESQL_TAKE = "SELECT pg_try_advisory_lock(:number)"
_POSTGRESQL_KEPT = (
    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = 0"
    " AND objid = :number AND pid = pg_backend_pid() AND granted"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)
_POSTGRESQL_PREPARE = (
    f"SELECT set_config('tcp_keepalives_idle', '{SILENT_SECONDS // 3}', false),"
    f" set_config('tcp_keepalives_interval', '{SILENT_SECONDS // 6}', false),"
    " set_config('tcp_keepalives_count', '4', false)"
)
_TAKE = {
    "mariadb": _MARIADB_TAKE,
    "mysql": _MARIADB_TAKE,
    "postgresql": _POSTGRESQL_TAKE,
}
_KEPT = {
    "mariadb": _MARIADB_KEPT,
    "mysql": _MARIADB_KEPT,
    "postgresql": _POSTGRESQL_KEPT,
}
_PREPARE = {
    "mariadb": _MARIADB_PREPARE,
    "mysql": _MARIADB_PREPARE,
    "postgresql": _POSTGRESQL_PREPARE,
}


class GroupLease:
    """The one partition of a stream that has no events: a consumer group gives it to one member."""

    def __init__(self, open_streams: Callable[[], Streams], group: str, stream: str) -> None:
        self._open = open_streams
        self._group = group
        self._stream = stream
        self._streams: Streams | None = None
        self._member: Member | None = None

    @property
    def name(self) -> str:
        """The group."""
        return f"the group {self._group}"

    async def take(self) -> bool:
        """Join the group; tell whether the partition is ours. Raises StoreError."""
        if self._streams is None:
            self._streams = self._open()
        if self._member is None:
            self._member = await self._streams.join(self._group, [self._stream])
            await self._member.wait(self._member.changes(), LOOK_SECONDS)
        return bool(self._member.claims)

    async def is_kept(self) -> bool:
        """Tell whether the partition is still ours."""
        return self._member is not None and bool(self._member.claims)

    async def release(self) -> None:
        """Leave the group; who waits takes over at once."""
        streams, self._streams, self._member = self._streams, None, None
        if streams is not None:
            await streams.close()


def lease_of_database(url: str, name: str) -> Lease:
    """Return the lease of a SQL database: of SQLite a file beside it."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return DatabaseLease(url, name)
    if parsed.database in (None, "", ":memory:"):
        return Free()
    file = Path(str(parsed.database))
    return FileLease(file.with_name(f"{file.name}.{name.rpartition(' ')[2]}.lock"))


class Holder:
    """Works while it holds all of some leases; waits for them, and again when one is lost."""

    def __init__(self, what: str, leases: Sequence[Lease], clock: Clock = system_clock) -> None:
        self._what = what
        self._leases = leases
        self._clock = clock
        self._is_waiting = False
        self.is_working = False

    async def run(self, work: Callable[[], Awaitable[None]]) -> None:
        """Work until cancelled, or until the work ends. Raises what the work raises."""
        try:
            while not await self._work(work):
                await self._release()
        finally:
            await asyncio.shield(self._release())

    async def _work(self, work: Callable[[], Awaitable[None]]) -> bool:
        """Wait, then work; return whether the work ended by itself."""
        while not await self._take():
            await self._clock.sleep(LOOK_SECONDS)
        self._is_waiting, self.is_working = False, True
        working = asyncio.ensure_future(work())
        losing = asyncio.create_task(self._lost())
        try:
            await asyncio.wait({working, losing}, return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                await working
                return True
            _log.warning("another process may work here now, waiting", role=self._what)
            return False
        finally:
            self.is_working = False
            for task in (working, losing):
                task.cancel()
            await asyncio.gather(working, losing, return_exceptions=True)

    async def _take(self) -> bool:
        for lease in self._leases:
            try:
                is_taken = await lease.take()
            except StoreError as error:
                self._waits(str(error))
                return False
            if not is_taken:
                self._waits(f"another process holds {lease.name}")
                return False
        return True

    async def _lost(self) -> None:
        while True:
            await self._clock.sleep(LOOK_SECONDS)
            for lease in self._leases:
                try:
                    is_kept = await lease.is_kept()
                except StoreError:
                    # Who cannot be asked gives it to nobody else meanwhile.
                    continue
                if not is_kept and not await self._regained(lease):
                    return

    async def _regained(self, lease: Lease) -> bool:
        """Take a lease again that a server has forgotten, if nobody was faster."""
        with suppress(StoreError):
            return await lease.take()
        return False

    def _waits(self, reason: str) -> None:
        if not self._is_waiting:
            _log.info("waiting to take over", role=self._what, reason=reason)
        self._is_waiting = True

    async def _release(self) -> None:
        for lease in reversed(self._leases):
            with suppress(StoreError):
                await lease.release()
