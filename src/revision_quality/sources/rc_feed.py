"""MediaWiki's RCFeed over UDP: one JSON object a change ($wgRCFeeds, UDPRCFeedEngine).

A datagram may be lost and has neither page id nor tags, so that it is no event: it tells only that
its wiki has news, and wakes the polling that misses nothing.

Source: www.mediawiki.org, Manual:$wgRCFeeds and Manual:RCFeed.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from revision_quality.errors import SettingsError
from revision_quality.sources.base import Emit

Wake = Callable[[], None]


class _Meta(Struct, frozen=True):
    domain: str = ""


class _RecentChange(Struct, frozen=True):
    wiki: str
    meta: _Meta = _Meta()


_decoder = msgspec.json.Decoder(_RecentChange)


def changed_wiki(raw: bytes | str) -> str | None:
    """Return the wiki_id that an event of recent changes is about, None for a canary.

    Raises msgspec.DecodeError or UnicodeDecodeError for what is no such event.
    """
    change = _decoder.decode(raw)
    return None if change.meta.domain == "canary" else change.wiki


class RcFeed:
    """Listens on a UDP address, and wakes the wikis of `wake` by their wiki_id."""

    name = "rc_feed"

    def __init__(self, host: str, port: int, wake: Mapping[str, Wake]) -> None:
        self._address = (host, port)
        self._wake = wake
        self.received = 0
        self.unreadable = 0
        self.port = port
        """The port, of a running feed also where 0 was asked for."""

    async def run(self, emit: Emit) -> None:
        """Listen until cancelled; emits nothing. Raises SettingsError if the address is taken."""
        loop = asyncio.get_running_loop()
        try:
            transport, _ = await loop.create_datagram_endpoint(
                lambda: _Datagrams(self._take), local_addr=self._address
            )
        except OSError as error:
            host, port = self._address
            raise SettingsError(
                f"cannot listen for recent changes on {host}, UDP port {port}"
                f" ({error.strerror or error}): choose another address"
            ) from error
        try:
            self.port = transport.get_extra_info("sockname")[1]
            await loop.create_future()
        finally:
            transport.close()

    def _take(self, datagram: bytes) -> None:
        self.received += 1
        try:
            wiki_id = changed_wiki(datagram)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            self.unreadable += 1
            return
        if wiki_id and wiki_id in self._wake:
            self._wake[wiki_id]()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, take: Callable[[bytes], None]) -> None:
        self._take = take

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self._take(data)
