"""A client that asks too often is told when to ask again; nobody else notices."""

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from revision_quality.web.rate_limit import Limits, RateLimit


def client(peer: str, limits: Limits) -> httpx.AsyncClient:
    async def answer(request):
        return PlainTextResponse("fine")

    app = Starlette(routes=[Route("/", answer), Route("/healthz", answer)])
    limited = RateLimit(app, rate=1, limits=limits)
    transport = httpx.ASGITransport(app=limited, client=(peer, 1234))
    return httpx.AsyncClient(transport=transport, base_url="http://revq")


async def statuses(asking: httpx.AsyncClient, path: str = "/") -> list[int]:
    return [(await asking.get(path)).status_code for _ in range(4)]


async def test_who_asks_too_often_gets_429_with_the_time_to_wait():
    limits = Limits()
    async with client("203.0.113.9", limits) as asking:
        found = await statuses(asking)
        refused = await asking.get("/")

    assert found == [200, 200, 429, 429]
    assert (refused.headers["retry-after"], refused.json()["status"]) == ("1", 429)
    assert limits.refused == 3


@pytest.mark.parametrize("peer", ["127.0.0.1", "::1", "127.8.8.8"])
async def test_this_machine_is_not_limited(peer):
    async with client(peer, Limits()) as asking:
        assert await statuses(asking) == [200] * 4


async def test_health_is_not_limited():
    async with client("203.0.113.9", Limits()) as asking:
        assert await statuses(asking, "/healthz") == [200] * 4


async def test_an_ipv6_network_is_one_client():
    async def answer(request):
        return PlainTextResponse("fine")

    limited = RateLimit(Starlette(routes=[Route("/", answer)]), rate=1)
    found = []
    for number in range(4):
        transport = httpx.ASGITransport(app=limited, client=(f"2001:db8::{number + 1}", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://revq") as asking:
            found.append((await asking.get("/")).status_code)

    assert found == [200, 200, 429, 429]
