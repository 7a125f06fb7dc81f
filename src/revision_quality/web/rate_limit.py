"""How many requests a client may send."""

import math
from ipaddress import IPv6Address, ip_address, ip_network

from starlette.types import ASGIApp, Receive, Scope, Send

from revision_quality.web.buckets import Buckets
from revision_quality.web.health import ALIVE_PATH, READY_PATH
from revision_quality.web.json_answers import problem_answer
from revision_quality.web.metrics import METRICS_PATH

_BURST_SECONDS = 2.0
_FREE = (ALIVE_PATH, READY_PATH, METRICS_PATH)


class Limits:
    """Counts the requests that were refused."""

    refused = 0


class RateLimit:
    """Answers 429 to a client that sends more than `rate` requests a second.

    This machine itself is not limited; of a request that comes by way of a trusted proxy the client
    is who it names (uvicorn's `forwarded_allow_ips`). An IPv6 client is its /64 network. What
    operates the service (health, metrics) is free.
    """

    def __init__(self, app: ASGIApp, rate: float, limits: Limits | None = None) -> None:
        self._app = app
        self._buckets = Buckets(rate, most=max(1.0, rate * _BURST_SECONDS))
        self._limits = limits or Limits()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or refuse to."""
        client = _client(scope) if scope["type"] == "http" else None
        if client is None or scope["path"] in _FREE:
            await self._app(scope, receive, send)
            return
        wait = self._buckets.take(client)
        if not wait:
            await self._app(scope, receive, send)
            return
        self._limits.refused += 1
        answer = problem_answer(
            429,
            "Too many requests from this address: ask again later, and less often.",
            {"Retry-After": str(math.ceil(wait)), "Access-Control-Allow-Origin": "*"},
        )
        await answer(scope, receive, send)


def _client(scope: Scope) -> str | None:
    """Return who is counted, None for who is not limited."""
    peer = scope["client"][0] if scope.get("client") else ""
    return _network(peer) if is_counted(peer) else None


def is_counted(peer: str) -> bool:
    """Tell whether a client with this address is limited; "" is one without."""
    return bool(peer) and not _is_here(peer)


def _is_here(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False


def _network(address: str) -> str:
    try:
        parsed = ip_address(address)
    except ValueError:
        return address[:64]
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(ip_network((parsed, 64), strict=False))
    return address
