"""The roles in one process: sources, scoring, views, the web."""

import asyncio
import signal
import socket
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack

import structlog
from msgspec import Struct

from revision_quality.alarms.stored import Alarms
from revision_quality.cli.lease import Holder
from revision_quality.cli.listening import url_of
from revision_quality.cli.materialising import materialise, materialisers_of
from revision_quality.cli.parts import Parts
from revision_quality.cli.pausing import PauseFollower
from revision_quality.cli.places import collect_leases, materialise_leases, score_leases
from revision_quality.cli.purging import Purging
from revision_quality.cli.readiness import Watcher
from revision_quality.cli.role import Role, in_order
from revision_quality.cli.running import Running, no_alarms
from revision_quality.cli.serving import Told, configs_of, operator_pages, server_of
from revision_quality.cli.stores import open_stores, score_log
from revision_quality.cli.together import Work, together
from revision_quality.cli.wiki_health import WikiBook
from revision_quality.clock import system_clock
from revision_quality.scoring.group import ScoringGroup
from revision_quality.scoring.on_request import OnRequest
from revision_quality.settings import Settings
from revision_quality.sources.collector import Collector
from revision_quality.tracing import open_trace
from revision_quality.views.changes import ChangesView
from revision_quality.web.event_gate import EventGate
from revision_quality.web.rate_limit import Limits
from revision_quality.web.requests_counted import Requests
from revision_quality.web.server import Server

_LOOK_SECONDS = 2.0

_log = structlog.get_logger()


class Service(Struct, frozen=True, kw_only=True):
    """A running service, for those who watch it. `view` is None where no role needs it."""

    url: str
    collector: Collector
    processors: Sequence[ScoringGroup]
    view: ChangesView | None


async def run_service(
    settings: Settings,
    parts: Parts,
    listening: socket.socket,
    watch: Callable[[Service], Awaitable[None]],
) -> None:
    """Run the roles until `watch` returns; then end them, what is under way being written first.

    Raises what ends a role, StoreError among them.
    """
    async with AsyncExitStack() as stack:
        stores = await open_stores(settings, parts, stack)
        trace = open_trace(
            settings.tracing.endpoint, settings.tracing.share, ", ".join(in_order(parts.roles))
        )
        stack.callback(trace.close)
        collector = Collector(stores.streams, trace=trace)
        groups = [
            ScoringGroup(
                stores.streams,
                rule,
                parts.reader_of,
                is_expected=parts.is_expected,
                gate=parts.gate,
                trace=trace,
            )
            for rule in parts.rules
        ]
        materialisers = materialisers_of(parts, stores)
        purging = Purging(settings, stores)
        holders = {
            Role.COLLECT: Holder("collect", collect_leases(settings)),
            Role.SCORE: Holder("score", score_leases(settings)),
            Role.MATERIALISE: Holder("materialise", materialise_leases(settings)),
        }
        work: dict[Role, Work] = {
            Role.COLLECT: lambda: _collect(parts, collector),
            Role.SCORE: lambda: together([group.run for group in groups]),
            Role.MATERIALISE: lambda: materialise(settings, parts, stores, materialisers, purging),
        }
        watcher = Watcher(
            streams=stores.streams,
            view=stores.view,
            roles=parts.roles,
            holders=holders,
            groups=groups,
            materialisers=materialisers,
            watched=parts.watched,
        )
        asked = [
            OnRequest(score_log(stores.streams), rule, parts.wikis.get, tally=group.tally)
            for rule, group in zip(parts.rules, groups, strict=True)
        ]
        gate = EventGate(stores.streams, configs_of(settings, parts))
        limits, requests = Limits(), Requests()
        running = Running(
            streams=stores.streams,
            view=stores.view,
            roles=parts.roles,
            collector=collector,
            groups=groups,
            materialisers=materialisers,
            watched=parts.watched,
            gate=parts.gate,
            asked=asked,
            posted=[gate.events],
            limited=lambda: limits.refused,
            unpurged=lambda: purging.problem,
            requests=requests,
            alarms=Alarms(stores.view).active if stores.view else no_alarms,
            begun=system_clock.now(),
        )
        book = WikiBook(watcher.lags, lambda: parts.gate.wikis)
        pages = operator_pages(settings, parts, running, watcher, book)
        told = Told(watcher, pages, asked, gate, limits, requests, trace)
        server = server_of(settings, parts, stores, told)
        service = Service(
            url=url_of(listening), collector=collector, processors=groups, view=stores.view
        )
        works = [holders[role].run(work[role]) for role in work if role in parts.roles]
        works += [PauseFollower(stores.streams, parts.gate).run(), _look(book)]
        works += [levels.run() for levels in stores.levels]
        await _run_until(watch(service), works, server, listening, settings.stop_seconds)


async def _look(book: WikiBook) -> None:
    """Notice how the wikis are, whether or not somebody asks: since when, counts."""
    while True:
        book.look()
        await asyncio.sleep(_LOOK_SECONDS)


async def _collect(parts: Parts, collector: Collector) -> None:
    try:
        async with asyncio.TaskGroup() as tasks:
            for source in parts.sources():
                tasks.create_task(source.run(collector.emit_of(source.name)))
            async for source in parts.arriving():
                tasks.create_task(source.run(collector.emit_of(source.name)))
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from errors


async def _run_until(
    watching: Awaitable[None],
    roles: Sequence[Awaitable[None]],
    server: Server,
    listening: socket.socket,
    stop_seconds: float,
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
        _, late = await asyncio.wait({serving, end, *working}, timeout=stop_seconds)
        if late:
            # What is durable stays, and what is not is done again at the next start.
            _log.warning("not all has ended in time", stop_seconds=stop_seconds, late=len(late))


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
