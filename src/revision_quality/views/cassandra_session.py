"""A connection to Apache Cassandra: where it is, its statements, many at once but not too many."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import parse_qs, unquote, urlsplit

from msgspec import Struct

from revision_quality.errors import StoreError

Value = str | int | float | bool | set[str] | None
Values = Sequence[Value]

T = TypeVar("T")
R = TypeVar("R")

_PORT = 9042
_EXAMPLE = "cassandra://user:password@host1,host2/revq?data_center=dc1&replication=3"
_REQUEST_SECONDS = 12.0
_FIRST_RECONNECT_MS, _LONGEST_RECONNECT_MS = 500, 5000


class CassandraPlace(Struct, frozen=True, kw_only=True):
    """Where a keyspace is. `replication` is how many copies it gets where it is made."""

    hosts: tuple[str, ...]
    keyspace: str
    port: int = _PORT
    user: str | None = None
    password: str | None = None
    data_center: str | None = None
    replication: int = 1

    def __str__(self) -> str:
        """Name the place, without its password."""
        return f"cassandra://{','.join(self.hosts)}:{self.port}/{self.keyspace}"


def read_place(url: str) -> CassandraPlace:
    """Read a URL, `cassandra://user:password@host1,host2:9042/keyspace?data_center=…`.

    The port is that of all hosts. Raises StoreError, which does not tell the password.
    """
    try:
        return _place(url)
    except ValueError as error:
        raise StoreError(
            f"score store: the URL cannot be used ({error}): give one like {_EXAMPLE}"
        ) from error


def _place(url: str) -> CassandraPlace:
    parts = urlsplit(url)
    login, _, address = parts.netloc.rpartition("@")
    user, _, password = login.partition(":")
    names, colon, port = address.partition(":")
    hosts = tuple(host for host in names.split(",") if host)
    keyspace = parts.path.strip("/")
    if parts.scheme != "cassandra" or not hosts:
        raise ValueError("it does not begin with cassandra:// and a host")
    if not (keyspace.isidentifier() and keyspace.isascii() and keyspace.islower()):
        raise ValueError("its path is no keyspace: small letters, digits and _")
    return CassandraPlace(
        hosts=hosts,
        keyspace=keyspace,
        port=_number("port", port, 65535) if colon else _PORT,
        user=unquote(user) or None,
        password=unquote(password) or None,
        **_options(parts.query),
    )


def _options(query: str) -> dict[str, Any]:
    found: dict[str, Any] = {name: values[-1] for name, values in parse_qs(query).items()}
    unknown = found.keys() - {"data_center", "replication"}
    if unknown:
        raise ValueError(f"it has no option {min(unknown)}")
    if "replication" in found:
        found["replication"] = _number("replication", found["replication"], 99)
    return found


def _number(name: str, text: str, highest: int) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) <= highest):
        raise ValueError(f"its {name} is no number from 1 to {highest}")
    return int(text)


class CassandraSession:
    """Runs prepared statements by name, at the consistency LOCAL_QUORUM.

    At most `concurrency` of `run_all` are under way at once. A connection that is lost is made
    anew within seconds of the server's return. All methods raise StoreError.
    """

    def __init__(self, place: CassandraPlace, concurrency: int = 128) -> None:
        self._place = place
        self._concurrency = concurrency
        self._driver = _driver()
        self._session: Any = None
        self._prepared: dict[str, Any] = {}

    async def open(self, schema: Sequence[str], statements: Mapping[str, str]) -> None:
        """Connect, make the keyspace and what `schema` makes, prepare `statements`."""
        try:
            self._session = await self._cluster().create_session()
            await self._make(schema)
            for name, text in statements.items():
                self._prepared[name] = await self._session.create_prepared(text)
        except self._driver.errors.CassException as error:
            await self.close()
            raise self._error(error) from error

    async def run(self, name: str, values: Values) -> list[tuple[Any, ...]]:
        """Run a statement; return its rows."""
        return [row async for row in self.rows(name, values)]

    async def rows(
        self, name: str, values: Values, page_size: int = 1000
    ) -> AsyncIterator[tuple[Any, ...]]:
        """Run a statement and yield its rows, read `page_size` at a time."""
        page_state: bytes | None = None
        while True:
            result = await self._execute(name, values, page_size, page_state)
            for row in result:
                yield tuple(row.as_tuple())
            if not result.has_more_pages():
                return
            page_state = result.page_state()

    async def run_all(self, name: str, many: Iterable[Values]) -> list[list[tuple[Any, ...]]]:
        """Run a statement with each of `many`; return the rows of each, in their order.

        Stops at the first that fails, others may then have been run.
        """
        return await in_parallel(lambda values: self.run(name, values), many, self._concurrency)

    async def close(self) -> None:
        """Close the connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _execute(
        self, name: str, values: Values, page_size: int, page_state: bytes | None
    ) -> Any:
        try:
            statement = self._prepared[name].bind(page_size=page_size, page_state=page_state)
            statement.bind_list(list(values))
            statement.set_is_idempotent(True)
            return await self._session.execute(statement)
        except self._driver.errors.CassException as error:
            raise self._error(error) from error

    def _cluster(self) -> Any:
        place = self._place
        return self._driver.create_cluster(
            list(place.hosts),
            port=place.port,
            username=place.user,
            password=place.password,
            consistency="LOCAL_QUORUM",
            load_balance_dc_aware=place.data_center,
            request_timeout=_REQUEST_SECONDS,
            exponential_reconnect_base_delay_ms=_FIRST_RECONNECT_MS,
            exponential_reconnect_max_delay_ms=_LONGEST_RECONNECT_MS,
            application_name="revision_quality",
            log_level="disabled",
        )

    async def _make(self, schema: Sequence[str]) -> None:
        place = self._place
        keyspace = f"CREATE KEYSPACE IF NOT EXISTS {place.keyspace} WITH {_replication(place)}"
        for text in (keyspace, f"USE {place.keyspace}", *schema):
            await self._session.execute(self._driver.create_statement(text))

    def _error(self, error: Exception) -> StoreError:
        return StoreError(f"score store {self._place}: {error}")


async def in_parallel(
    call: Callable[[T], Awaitable[R]], many: Iterable[T], concurrency: int
) -> list[R]:
    """Call for each of `many`, `concurrency` at once; return the results in their order.

    Raises what the first call that fails raises, and cancels the others.
    """
    listed = list(many)
    found: dict[int, R] = {}
    waiting = iter(enumerate(listed))

    async def work() -> None:
        for number, one in waiting:
            found[number] = await call(one)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(concurrency, len(listed))):
                group.create_task(work())
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from errors
    return [found[number] for number in range(len(listed))]


def _replication(place: CassandraPlace) -> str:
    """Return the keyspace's replication, in CQL."""
    if place.data_center is None:
        copies = f"'replication_factor': {place.replication}"
        return f"replication = {{'class': 'SimpleStrategy', {copies}}}"
    data_center = place.data_center.replace("'", "''")
    copies = f"'{data_center}': {place.replication}"
    return f"replication = {{'class': 'NetworkTopologyStrategy', {copies}}}"


def _driver() -> Any:
    try:
        import acsylla  # noqa: PLC0415 (only who keeps scores in Cassandra has it)
    except ImportError as error:
        raise StoreError(
            f"score store: the driver of Cassandra is not installed ({error}):"
            " run pip install 'revision-quality[cassandra]'"
        ) from error
    return acsylla
