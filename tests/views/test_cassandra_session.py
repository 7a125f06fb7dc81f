"""A place is a URL; a server that is not there is told in one sentence."""

import asyncio

import pytest

from revision_quality.errors import StoreError
from revision_quality.views.cassandra_session import (
    CassandraPlace,
    CassandraSession,
    in_parallel,
    read_place,
)


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("cassandra://localhost/revq", CassandraPlace(hosts=("localhost",), keyspace="revq")),
        (
            "cassandra://u:p%40ss@a,b:9999/revq_1?data_center=dc1&replication=3",
            CassandraPlace(
                hosts=("a", "b"),
                keyspace="revq_1",
                port=9999,
                user="u",
                password="p@ss",
                data_center="dc1",
                replication=3,
            ),
        ),
    ],
)
def test_a_place_is_read_from_a_url(url, place):
    assert read_place(url) == place


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("mariadb://host/revq", "does not begin with cassandra:// and a host"),
        ("cassandra:///revq", "does not begin with cassandra:// and a host"),
        ("cassandra://host", "its path is no keyspace"),
        ("cassandra://host/a;b", "its path is no keyspace"),
        ("cassandra://host/Revq", "its path is no keyspace"),
        ("cassandra://host:0/revq", "its port is no number from 1 to 65535"),
        ("cassandra://host:x/revq", "its port is no number from 1 to 65535"),
        ("cassandra://host/revq?replication=0", "its replication is no number from 1 to 99"),
        ("cassandra://host/revq?copies=3", "it has no option copies"),
    ],
)
def test_a_url_that_names_no_place_is_refused_without_its_password(url: str, reason: str):
    with pytest.raises(StoreError, match=reason) as error:
        read_place(url.replace("://h", "://user:secret@h"))
    assert "secret" not in str(error.value)


@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
@pytest.mark.usefixtures("sockets_of_acsylla")
async def test_a_server_that_is_not_there_is_named_without_the_password():
    place = read_place("cassandra://user:secret@127.0.0.1:1/revq")

    with pytest.raises(StoreError, match=r"cassandra://127\.0\.0\.1:1/revq: No hosts") as error:
        await CassandraSession(place).open([], {})
    assert "secret" not in str(error.value)


@pytest.mark.parametrize(("many", "most"), [(0, 0), (2, 2), (50, 3)])
async def test_calls_run_side_by_side_but_no_more_than_allowed(many, most):
    under_way, seen = 0, 0

    async def call(number: int) -> int:
        nonlocal under_way, seen
        under_way += 1
        seen = max(seen, under_way)
        await asyncio.sleep(0.001 * (number % 3))
        under_way -= 1
        return number * 2

    assert await in_parallel(call, range(many), 3) == [number * 2 for number in range(many)]
    assert seen == most


async def test_the_first_call_that_fails_ends_the_others():
    called = []

    async def call(number: int) -> None:
        called.append(number)
        await asyncio.sleep(0)
        raise StoreError(f"no {number}")

    with pytest.raises(StoreError, match="no 0"):
        await in_parallel(call, range(50), 3)
    assert called == [0, 1, 2]
