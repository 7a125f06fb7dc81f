"""All roles in one process: sources, scoring, the changes view, the web."""

import asyncio
import os
import signal
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta

import structlog
import uvicorn
from msgspec import Struct

from revision_quality.clock import system_clock
from revision_quality.errors import SettingsError, StoreError
from revision_quality.events.stream_config import stream_configs
from revision_quality.levels.level import Level
from revision_quality.models.base import Model
from revision_quality.recent_changes.wiki_levels import WikiLevels
from revision_quality.scoring.on_request import AskedWiki, OnRequest
from revision_quality.scoring.processor import Processor
from revision_quality.settings import Settings
from revision_quality.sites import Site
from revision_quality.sources.base import Source
from revision_quality.sources.collector import Collector
from revision_quality.streams.sqlite import SqliteStreams
from revision_quality.views.changes import STREAMS, ChangesView
from revision_quality.views.database import Database
from revision_quality.views.materialiser import Materialiser
from revision_quality.web import event_operations
from revision_quality.web.api import Extra, api_routes
from revision_quality.web.app import create_app
from revision_quality.web.event_gate import EventGate, event_gate_routes
from revision_quality.web.event_streams import EventStreams
from revision_quality.web.server import Server
from revision_quality.wiki.reader import RevisionReader

_PURGE_SECONDS, _SHORT_PAUSE = 60.0, 0.1

_log = structlog.get_logger()


class Parts(Struct, frozen=True, kw_only=True):
    """What differs between a demo and a run: who brings edits, who reads them, who scores them."""

    sources: Sequence[Source]
    model: Model
    levels: tuple[Level, ...]
    wikis: Mapping[str, AskedWiki]
    site_of: Callable[[str], Site | None]
    is_kept: bool = False
    """Whether rows and events stay, however old they are."""

    def reader_of(self, wiki_id: str) -> RevisionReader | None:
        """Return what reads the revisions of a wiki, None if the wiki is not known."""
        wiki = self.wikis.get(wiki_id)
        return wiki.revisions if wiki else None


class Service(Struct, frozen=True, kw_only=True):
    """A running service, for those who watch it."""

    url: str
    collector: Collector
    processor: Processor
    view: ChangesView


def listen(host: str, port: int) -> socket.socket:
    """Take the address to serve on. Raises SettingsError if it cannot be had."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as error:
        number = getattr(error, "errno", None) or 0
        reason = os.strerror(number) if number > 0 else str(error)
        raise SettingsError(
            f"cannot serve on {host}, port {port} ({reason}):"
            " choose another with --host and --port, or port 0 for any that is free"
        ) from error


async def run_service(
    settings: Settings,
    parts: Parts,
    listening: socket.socket,
    watch: Callable[[Service], Awaitable[None]],
) -> None:
    """Run everything until `watch` returns; then end it, what is under way being written first.

    Raises what ends a role, StoreError among them.
    """
    async with AsyncExitStack() as stack:
        streams = SqliteStreams(settings.streams_file)
        stack.push_async_callback(streams.close)
        view = ChangesView(Database(settings.changes_url))
        stack.push_async_callback(view.close)
        collector = Collector(streams)
        processor = Processor(streams, parts.model, parts.reader_of)
        server = _server(settings, parts, streams, view)
        roles = [
            processor.run(),
            Materialiser(streams, view, STREAMS).run(),
            *(source.run(collector.emit) for source in parts.sources),
        ]
        if not parts.is_kept:
            roles.append(_purge(settings, streams, view))
        service = Service(url=_url(listening), collector=collector, processor=processor, view=view)
        await _run_until(watch(service), roles, server, listening)


def _server(settings: Settings, parts: Parts, streams: SqliteStreams, view: ChangesView) -> Server:
    levels = WikiLevels(parts.levels)
    public = EventStreams(streams, stream_configs())
    extra = [Extra(public.routes(), event_operations.EVENT_STREAMS)]
    if settings.web.accepts_events:
        gate = event_gate_routes(EventGate(streams, stream_configs()))
        extra.append(Extra(gate, event_operations.EVENT_GATE))
    routes = api_routes(
        OnRequest(streams, parts.model, parts.wikis.get),
        parts.model,
        view,
        levels,
        wiki_ids=list(parts.wikis),
        wiki_of=parts.wikis.get,
        trusts_events=settings.web.accepts_events,
        extra=extra,
    )
    app = create_app(view, parts.site_of, levels, routes=routes)

    def end_streams() -> None:
        app.state.broadcaster.close()
        public.close()

    config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off")
    return Server(config, end_streams)


async def _run_until(
    watching: Awaitable[None],
    roles: Sequence[Awaitable[None]],
    server: Server,
    listening: socket.socket,
) -> None:
    serving = asyncio.ensure_future(server.serve(sockets=[listening]))
    end = asyncio.ensure_future(watching)
    working = {asyncio.ensure_future(role) for role in roles}
    try:
        left = {serving, end, *working}
        while end in left:
            done, left = await asyncio.wait(left, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
    finally:
        server.should_exit = True
        for task in (end, *working):
            task.cancel()
        await asyncio.gather(serving, end, *working, return_exceptions=True)


async def _purge(settings: Settings, streams: SqliteStreams, view: ChangesView) -> None:
    """Drop what is older than the settings say, a little at a time."""
    while True:
        now = system_clock.now()
        events_before = now - timedelta(days=settings.streams.keep_days)
        rows_before = now - timedelta(days=settings.changes_view.keep_days)
        try:
            purged = await streams.purge(int(events_before.timestamp() * 1000))
            purged += await view.purge(int(rows_before.timestamp()))
        except StoreError as error:
            _log.error("old events and rows cannot be dropped, trying again", error=str(error))
            purged = 0
        await asyncio.sleep(_SHORT_PAUSE if purged else _PURGE_SECONDS)


def _url(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"


async def until_signal() -> None:
    """Wait for SIGINT or SIGTERM."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    try:
        await stop.wait()
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
