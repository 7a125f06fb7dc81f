"""uvicorn's protocol, with shortcuts."""

import asyncio
from collections.abc import Mapping
from typing import Any

import structlog
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from revision_quality.web.headers import SECURITY_HEADERS
from revision_quality.web.rate_limit import is_counted
from revision_quality.web.shortcuts import Shortcut
from revision_quality.web.turns import Turns

_SAID = {
    "content-type": "application/json",
    "cache-control": "no-cache",
    "vary": "Origin",
    **SECURITY_HEADERS,
}
_HEAD = b"HTTP/1.1 200 OK\r\n" + b"".join(
    f"{name.lower()}: {value}\r\n".encode() for name, value in _SAID.items()
)
_FOR_THE_APPLICATION = {b"origin", b"x-forwarded-for", b"x-request-id", b"traceparent"}
"""A page of another site asks, or a proxy for somebody else, or somebody who follows requests."""

HELD_BYTES, HELD_SECONDS = 1 << 20, 1.0
"""How much of a request is held, and how long, before the application has it: its way there takes
several turns of a loop in which each turn may score an edit of every connection."""

HEAD_SECONDS = 20.0
"""How long the head of a request may take, as its body may (`web.bodies`)."""

_log = structlog.get_logger()


class ShortcutProtocol(HttpToolsProtocol):
    """Answers by shortcuts what comes soon, over a connection that waits for nothing else.

    All other requests are the application's, and so are the limits of a body's size and time. Where
    requests are limited (`is_limited`) it has all of a client that is counted, too.
    """

    def __init__(
        self,
        *args: Any,
        shortcuts: Mapping[bytes, Shortcut],
        turns: Turns,
        is_limited: bool = False,
        head_seconds: float = HEAD_SECONDS,
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        self._shortcuts = shortcuts
        self._turns = turns
        self._is_limited = is_limited
        self._shortcut: Shortcut | None = None
        self._body = b""
        self._holding: asyncio.TimerHandle | None = None
        self._is_due = False
        self._head_seconds = head_seconds
        self._is_in_head = False
        self._awaiting_head: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Begin a connection."""
        super().connection_made(transport)
        self._await_head()
        if self._is_limited and is_counted(self.client[0] if self.client else ""):
            self._shortcuts = {}

    def data_received(self, data: bytes) -> None:
        """Take a piece of the connection; what is large or slow to end is the application's."""
        super().data_received(data)
        if self._is_in_head:
            self._await_head()
        if self._shortcut is None or self._is_due:
            return
        if len(self._body) > HELD_BYTES:
            self._pass_on()
        elif self._holding is None:
            self._holding = self.loop.call_later(HELD_SECONDS, self._pass_on)

    def eof_received(self) -> None:
        """Answer ahead of the end, to which a client that sends no more leads."""
        self._answer_what_is_due()
        super().eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        """End a connection."""
        self._is_due = False
        self._let_go()
        self._have_head()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """Begin a request, when the one before has its answer."""
        self._answer_what_is_due()
        self._is_in_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Choose who answers a request."""
        self._have_head()
        shortcut = self._shortcuts.get(self.url)
        if shortcut is not None and self._is_simple():
            self._shortcut, self._body = shortcut, b""
        else:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Go on with a request."""
        if self._shortcut is None:
            super().on_body(body)
        else:
            self._body += body

    def on_message_complete(self) -> None:
        """End a request."""
        if self._shortcut is None:
            super().on_message_complete()
        else:
            self._is_due = True
            self._turns.do(self._answer_what_is_due)

    def shutdown(self) -> None:
        """End the connection when its request has its answer."""
        self._answer_what_is_due()
        super().shutdown()

    def _answer_what_is_due(self) -> None:
        if not self._is_due or self._shortcut is None:
            return
        self._is_due = False
        answer = self._answer(self._shortcut)
        if answer is None:
            self._pass_on()
            super().on_message_complete()
        else:
            self._let_go()
            self._write(answer)

    def _await_head(self) -> None:
        if self._awaiting_head is None:
            self._awaiting_head = self.loop.call_later(self._head_seconds, self._end_without_head)

    def _have_head(self) -> None:
        self._is_in_head = False
        if self._awaiting_head is not None:
            self._awaiting_head.cancel()
            self._awaiting_head = None

    def _end_without_head(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()

    def _is_simple(self) -> bool:
        is_idle = self.cycle is None or self.cycle.response_complete
        return (
            is_idle
            and not self.flow.write_paused
            and self.parser.get_method() == b"POST"
            and self.parser.get_http_version() == "1.1"
            and self.parser.should_keep_alive()
            and not self.parser.should_upgrade()
            and not self.expect_100_continue
            and all(name not in _FOR_THE_APPLICATION for name, _ in self.headers)
        )

    def _answer(self, shortcut: Shortcut) -> bytes | None:
        try:
            return shortcut(self._body)
        except Exception:
            _log.exception("a shortcut failed; the application answers")
            return None

    def _write(self, answer: bytes) -> None:
        own = [b"%b: %b\r\n" % header for header in self.server_state.default_headers]
        length = b"content-length: %d\r\n\r\n" % len(answer)
        self.transport.write(b"".join((_HEAD, *own, length, answer)))
        self.on_response_complete()

    def _let_go(self) -> bytes:
        """Hold nothing any more; return what was held."""
        if self._holding is not None:
            self._holding.cancel()
        body, self._shortcut, self._body, self._holding = self._body, None, b"", None
        return body

    def _pass_on(self) -> None:
        body = self._let_go()
        super().on_headers_complete()
        if body:
            super().on_body(body)
