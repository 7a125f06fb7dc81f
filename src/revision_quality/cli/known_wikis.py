"""The connected wikis as the roles ask for them."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import structlog
from msgspec.structs import replace

from revision_quality.cli.running import Fetching
from revision_quality.cli.span import span_of
from revision_quality.cli.wiki_tables import NamedWiki
from revision_quality.cli.wikis import ConnectedWiki, Wikis
from revision_quality.pauses import Gate
from revision_quality.scoring.on_request import AskedWiki
from revision_quality.settings import Settings
from revision_quality.sites import Site
from revision_quality.sources.base import Emit, Source
from revision_quality.sources.event_bus import EventBusSource
from revision_quality.sources.event_streams import EventStreamsSource, EventStreamsState
from revision_quality.sources.polling import PollingSource, PollingState
from revision_quality.sources.rc_feed import RcFeed, Wake
from revision_quality.sources.reverted import RevertedState
from revision_quality.sources.wiki_edits import WikiEdits
from revision_quality.state_file import StateFile
from revision_quality.web.consumer import Consumer
from revision_quality.web.interface import is_zone
from revision_quality.wiki.contents import Contents, Room
from revision_quality.wiki.diff import CompareReader
from revision_quality.wiki.reader import ApiReader

_log = structlog.get_logger()


class KnownWikis:
    """The connected wikis as the roles ask for them; there may be more of them by and by."""

    def __init__(
        self,
        settings: Settings,
        wikis: Wikis,
        following: httpx.AsyncClient,
        client: httpx.AsyncClient,
    ) -> None:
        self._settings = settings
        self._client = client
        self._following = following
        self.wikis = wikis
        self.gate = Gate(is_known=False)
        self._room = Room()
        self.asked: dict[str, AskedWiki] = {}
        self.fetching: dict[str, Fetching] = {}
        self.sites: dict[str, Site] = {}
        self.consumers: dict[str, Consumer] = {}
        self.polling: dict[str, PollingSource] = {}
        self._wake: dict[str, Wake] = {}
        wikis.on_connect(self._add, self._remove)

    def sources(self) -> list[Source]:
        """Return what brings edits, or the news of them, beside polling."""
        settings, feeds = self._settings, list[Source]()
        self.polling.clear()
        self._wake.clear()
        if settings.rc_feed:
            feeds.append(RcFeed(settings.rc_feed.host, settings.rc_feed.port, self._wake))
        if settings.event_streams:
            address = settings.event_streams.address
            store = StateFile(_position_file(settings.data, address), EventStreamsState)
            followed = EventStreamsSource(
                self._following,
                address,
                store,
                wiki_ids=self.asked.keys(),
                is_awaited=self.wikis.is_awaited,
                wake=self._wake,
            )
            feeds.append(_in_the_log_once(followed))
        return feeds

    async def arriving(self) -> AsyncIterator[Source]:
        """Yield what polls each wiki, as wikis connect."""
        async for wiki in self.wikis.each():
            source = _source(self._settings, wiki, self.gate)
            self.polling[wiki.wiki_id] = source
            self._wake[wiki.wiki_id] = source.wake
            yield _UntilEnded(_in_the_log_once(source), wiki.ended)

    async def named(self) -> AsyncIterator[NamedWiki]:
        """Yield each wiki once, as wikis connect."""
        seen: set[str] = set()
        async for wiki in self.wikis.each():
            if wiki.wiki_id not in seen:
                seen.add(wiki.wiki_id)
                yield NamedWiki(wiki.wiki_id, wiki.settings)

    def _add(self, wiki: ConnectedWiki) -> None:
        reader = ApiReader(wiki.api, wiki.info.batch, Contents(self._room))
        self.asked[wiki.wiki_id] = AskedWiki(
            WikiEdits(wiki.api, wiki.info), reader, CompareReader(wiki.api)
        )
        self.fetching[wiki.wiki_id] = Fetching(wiki.api, reader.kept)
        site = wiki.info.site
        zone = wiki.settings.time_zone or site.zone
        if zone and not is_zone(zone):
            _log.warning(
                "a wiki's time zone is not known on this machine, times are in each reader's own:"
                " give its block a time_zone",
                api=wiki.settings.api,
                time_zone=zone,
            )
        self.sites[wiki.wiki_id] = replace(site, zone=zone)
        self.consumers.pop(wiki.wiki_id, None)
        if wiki.settings.oauth:
            self.consumers[wiki.wiki_id] = Consumer(
                wiki.settings.oauth, wiki.info.site, wiki.settings.api, self._client
            )

    def _remove(self, wiki: ConnectedWiki) -> None:
        # Its site stays: there may be rows of it.
        for known in (self.asked, self.fetching, self.polling, self._wake, self.consumers):
            known.pop(wiki.wiki_id, None)


class _UntilEnded:
    """A source that ends with its wiki."""

    def __init__(self, source: Source, ended: asyncio.Event) -> None:
        self._source = source
        self._ended = ended

    @property
    def name(self) -> str:
        return self._source.name

    async def run(self, emit: Emit) -> None:
        working = asyncio.ensure_future(self._source.run(emit))
        ending = asyncio.ensure_future(self._ended.wait())
        try:
            done, _ = await asyncio.wait([working, ending], return_when=asyncio.FIRST_COMPLETED)
            if working in done:
                working.result()
        finally:
            working.cancel()
            ending.cancel()
            await asyncio.gather(working, ending, return_exceptions=True)


def _in_the_log_once(source: Source) -> Source:
    """Have edits kept under one identifier, whichever source brings them first."""
    return EventBusSource(source)


def _position_file(data: Path, address: str) -> Path:
    name = hashlib.sha256(address.encode()).hexdigest()[:16]
    return data / "event_streams" / f"{name}.json"


def _source(settings: Settings, wiki: ConnectedWiki, gate: Gate) -> PollingSource:
    folder, name = settings.data / "polling", f"{wiki.wiki_id}.json"
    store = StateFile(folder / name, PollingState)
    return PollingSource(
        wiki.api,
        wiki.info,
        store,
        interval=wiki.settings.interval,
        overlap=wiki.settings.overlap,
        backfill=span_of(wiki.settings.backfill),
        gate=gate,
        reverted=StateFile(folder / "reverted" / name, RevertedState),
    )
