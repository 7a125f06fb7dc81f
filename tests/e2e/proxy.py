"""A proxy on loopback that spoils a wiki's answers as networks and overloaded wikis do."""

import json
import random
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import urlsplit

import httpx

SLOW_SECONDS = 2.0

JSON = {"Content-Type": "application/json; charset=utf-8"}
HTML = {"Content-Type": "text/html; charset=utf-8"}
SOON = {"Retry-After": "1"}

_MAXLAG = {"error": {"code": "maxlag", "info": "Waiting for db1: 7 seconds lagged.", "lag": 7}}
_ODD = {"query": {"pages": [{"revisions": [{}]}], "recentchanges": [{}], "users": [[]]}}


class FaultyProxy:
    """Passes requests on to a wiki, spoiling a `share` of the answers with each fault in its turn.

    `share` may be changed at any time; 0 at first. `answered` counts the requests by what became
    of them: the name of a fault, or "passed".
    """

    def __init__(self, wiki_url: str, seed: int = 1, faults: Iterable[str] = ()) -> None:
        self.share = 0.0
        self._kinds = sorted(faults or FAULTS)
        self.answered: Counter[str] = Counter()
        self._wiki_url = wiki_url
        self._random = random.Random(seed)
        self._lock = threading.Lock()
        self._faults: list[str] = []
        self._client = httpx.Client(timeout=60)
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    @property
    def api_url(self) -> str:
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}{urlsplit(self._wiki_url).path}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self._client.close()

    def answer(self, request: "_Request") -> None:
        fault = self._next_fault()
        self.answered[fault or "passed"] += 1
        if fault:
            FAULTS[fault](self, request)
        else:
            self.pass_on(request)

    def pass_on(self, request: "_Request", share_of_body: float = 1) -> None:
        response = self._client.request(
            request.command,
            f"{self._wiki_url}?{urlsplit(request.path).query}",
            content=request.body,
            headers={"Content-Type": request.headers.get("Content-Type", "text/plain")},
        )
        body = response.content[: int(len(response.content) * share_of_body)]
        request.reply(
            response.status_code, {"Content-Type": response.headers["content-type"]}, body
        )

    def _next_fault(self) -> str | None:
        with self._lock:
            if self._random.random() >= self.share:
                return None
            if not self._faults:
                self._faults = self._random.sample(self._kinds, len(self._kinds))
            return self._faults.pop()


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    block_on_close = True


class _Request(BaseHTTPRequestHandler):
    body: bytes

    def reply(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def reset(self) -> None:
        """Close the connection as a crashed server's kernel does, with RST."""
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.connection.close()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Keep quiet."""


def _handler(proxy: FaultyProxy) -> type[_Request]:
    class Handler(_Request):
        def do_GET(self) -> None:
            self.body = b""
            proxy.answer(self)

        def do_POST(self) -> None:
            self.body = self.rfile.read(int(self.headers["Content-Length"]))
            proxy.answer(self)

        def handle(self) -> None:
            try:
                super().handle()
            except (OSError, ValueError):
                self.close_connection = True

        def finish(self) -> None:
            try:
                super().finish()
            except (OSError, ValueError):
                self.close_connection = True

    return Handler


def _slow(proxy: FaultyProxy, request: _Request) -> None:
    time.sleep(SLOW_SECONDS)
    proxy.pass_on(request)


FAULTS: dict[str, Callable[[FaultyProxy, _Request], None]] = {
    "HTML": lambda _, request: request.reply(200, HTML, b"<h1>Back soon</h1>"),
    "404": lambda _, request: request.reply(404, HTML, b"<h1>Not found</h1>"),
    "500": lambda _, request: request.reply(500, HTML, b"<h1>Error</h1>"),
    "503": lambda _, request: request.reply(503, HTML | SOON, b"<h1>Busy</h1>"),
    "429": lambda _, request: request.reply(429, HTML | SOON, b"<h1>Too many</h1>"),
    "maxlag": lambda _, request: request.reply(200, JSON | SOON, json.dumps(_MAXLAG).encode()),
    "odd JSON": lambda _, request: request.reply(200, JSON, json.dumps(_ODD).encode()),
    "truncated": lambda proxy, request: proxy.pass_on(request, share_of_body=0.7),
    "empty": lambda _, request: request.reply(200, JSON, b""),
    "reset": lambda _, request: request.reset(),
    "slow": _slow,
}
