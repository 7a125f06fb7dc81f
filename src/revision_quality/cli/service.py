"""The roles in one process: sources, scoring, views, the web."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import httpx
import structlog
import uvicorn
from msgspec import Struct, field
from starlette.middleware import Middleware

from revision_quality.alarms.level_watch import LevelWatch
from revision_quality.alarms.stored import Alarms
from revision_quality.alarms.watch import AlarmLimits, AlarmWatch, flagged_from
from revision_quality.alarms.webhook import Webhook
from revision_quality.cli.lease import Holder
from revision_quality.cli.level_rules import choosing_of
from revision_quality.cli.metrics import Meter
from revision_quality.cli.overview import Overview
from revision_quality.cli.pausing import PauseFollower
from revision_quality.cli.places import (
    collect_leases,
    materialise_leases,
    open_log,
    open_score_store,
    open_view,
    score_leases,
)
from revision_quality.cli.readiness import Watcher
from revision_quality.cli.role import EVERY, Role, in_order
from revision_quality.cli.running import Running, Watched, no_alarms
from revision_quality.cli.wiki_health import WikiBook
from revision_quality.cli.wiki_tables import NamedWiki, WikiTables, has_tables
from revision_quality.cli.wikis import http_client
from revision_quality.clock import system_clock
from revision_quality.errors import SettingsError, StoreError
from revision_quality.events import streams as names
from revision_quality.events.stream_config import StreamConfigs, stream_configs
from revision_quality.levels import labels_view
from revision_quality.levels.keeper import LevelsKeeper
from revision_quality.levels.labels_view import LabelsView
from revision_quality.levels.scores import NamedModel
from revision_quality.levels.side_by_side import LevelledModel
from revision_quality.pauses import Gate
from revision_quality.recent_changes.live_levels import LiveLevels
from revision_quality.recent_changes.shown_levels import ShownLevels
from revision_quality.recent_changes.wiki_levels import CurrentLevels
from revision_quality.scoring.group import ScoringGroup
from revision_quality.scoring.model_rule import ModelRule, streams_of
from revision_quality.scoring.on_request import AskedWiki, OnRequest, ScoreLog
from revision_quality.settings import Settings, access_token
from revision_quality.sites import Site
from revision_quality.sources.base import Source
from revision_quality.sources.collector import Collector
from revision_quality.streams.base import Streams
from revision_quality.streams.event_gate import EventGateSink
from revision_quality.streams.sqlite import SqliteStreams
from revision_quality.streams.unindexed import Unindexed
from revision_quality.tracing import Trace, open_trace
from revision_quality.views import cassandra
from revision_quality.views.asked_scores import AskedScores
from revision_quality.views.cassandra import CassandraScores
from revision_quality.views.changes import STREAMS, ChangesView
from revision_quality.views.database import Database
from revision_quality.views.materialiser import Materialiser
from revision_quality.views.positions import ViewPositions
from revision_quality.views.score_store import ScoreStore
from revision_quality.views.verdicts import GivenVerdicts
from revision_quality.views.view_scores import ViewScores
from revision_quality.web import (
    alarms,
    event_operations,
    health,
    level_operations,
    metrics,
    models_page,
    status,
    verdicts,
)
from revision_quality.web.alarms import AlarmsApi
from revision_quality.web.api import AskedModel, Extra, api_routes
from revision_quality.web.app import create_app
from revision_quality.web.assets import asset_files
from revision_quality.web.consumer import Consumer
from revision_quality.web.details import Closer
from revision_quality.web.diffs import Diffs
from revision_quality.web.draining import DrainingServer
from revision_quality.web.event_gate import EventGate, event_gate_routes
from revision_quality.web.event_streams import EventStreams
from revision_quality.web.explanations import Explanations
from revision_quality.web.levels import LevelsPage
from revision_quality.web.models_page import ModelsPage
from revision_quality.web.operator_token import guarded
from revision_quality.web.rate_limit import Limits, RateLimit
from revision_quality.web.requests_counted import Requests, RequestsCounted
from revision_quality.web.server import Server, server_config
from revision_quality.web.shortcuts import shortcuts_of
from revision_quality.web.stored_answers import StoredAnswers
from revision_quality.web.verdicts import Verdicts
from revision_quality.wiki.reader import RevisionReader

if TYPE_CHECKING:
    from revision_quality.web.logins import Logins

Work = Callable[[], Awaitable[None]]

_PURGE_SECONDS, _SHORT_PAUSE = 60.0, 0.1
_LOOK_SECONDS = 2.0

_log = structlog.get_logger()


async def _no_more() -> AsyncIterator[Any]:
    """Yield nothing."""
    nothing: Sequence[Any] = ()
    for each in nothing:
        yield each


class Parts(Struct, frozen=True, kw_only=True):
    """What differs between a demo and a run: who brings edits, who reads them, who scores them."""

    rules: Sequence[ModelRule]
    """The models; the first one's scores are those that the changes view shows."""
    wikis: Mapping[str, AskedWiki] = {}
    """By wiki_id; it may grow."""
    is_expected: Callable[[str | None], bool] = lambda _: False
    """Tells of a domain whether wikis of it may come to be known."""
    site_of: Callable[[str], Site | None]
    sources: Callable[[], Sequence[Source]] = tuple
    """Makes the sources, at each time that collecting begins."""
    arriving: Callable[[], AsyncIterator[Source]] = _no_more
    """Makes those that come one after another, as wikis answer."""
    named: Callable[[], AsyncIterator[NamedWiki]] = _no_more
    """Makes the configured wikis, one after another as they answer."""
    client: httpx.AsyncClient | None = None
    """What publishes to another EventGate, where the settings name one."""
    consumers: Mapping[str, Consumer] = {}
    """Of the wikis to which patrollers log in, by wiki_id; it may grow."""
    roles: frozenset[Role] = EVERY
    watched: Watched = Watched()
    gate: Gate = field(default_factory=lambda: Gate(is_known=False))
    """What is paused."""
    is_kept: bool = False
    """Whether rows and events stay, however old they are."""

    @property
    def streams(self) -> tuple[str, ...]:
        """The streams of scores, the first model's first."""
        return streams_of(self.rules)

    def reader_of(self, wiki_id: str) -> RevisionReader | None:
        """Return what reads the revisions of a wiki, None if the wiki is not known."""
        wiki = self.wikis.get(wiki_id)
        return wiki.revisions if wiki else None


class Service(Struct, frozen=True, kw_only=True):
    """A running service, for those who watch it. `view` is None where no role needs it."""

    url: str
    collector: Collector
    processors: Sequence[ScoringGroup]
    view: ChangesView | None


class _Stores(Struct, frozen=True, kw_only=True):
    streams: Streams
    view: ChangesView | None
    labels: LabelsView | None
    levels: Sequence[LiveLevels]
    """Of each rule's model, where there is a view."""
    scores: CassandraScores | None


def listen(host: str, port: int, *, is_shared: bool = False) -> socket.socket:
    """Take the address to serve on. Raises SettingsError if it cannot be had.

    One that `is_shared` may be taken by several processes that all say so (SO_REUSEPORT): a new
    one answers before the old one ends.
    """
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, reuse_port=is_shared)
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
    """Run the roles until `watch` returns; then end them, what is under way being written first.

    Raises what ends a role, StoreError among them.
    """
    async with AsyncExitStack() as stack:
        stores = await _open(settings, parts, stack)
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
        materialisers = _materialisers(parts, stores)
        holders = {
            Role.COLLECT: Holder("collect", collect_leases(settings)),
            Role.SCORE: Holder("score", score_leases(settings)),
            Role.MATERIALISE: Holder("materialise", materialise_leases(settings)),
        }
        work: dict[Role, Work] = {
            Role.COLLECT: lambda: _collect(parts, collector),
            Role.SCORE: lambda: _together([group.run for group in groups]),
            Role.MATERIALISE: lambda: _materialise(settings, parts, stores, materialisers),
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
            OnRequest(_score_log(stores.streams), rule, parts.wikis.get, tally=group.tally)
            for rule, group in zip(parts.rules, groups, strict=True)
        ]
        gate = EventGate(stores.streams, _configs(settings, parts))
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
            requests=requests,
            alarms=Alarms(stores.view).active if stores.view else no_alarms,
            begun=system_clock.now(),
        )
        book = WikiBook(watcher.lags, lambda: parts.gate.wikis)
        pages = _operator_pages(settings, parts, running, watcher, book)
        told = _Told(watcher, pages, asked, gate, limits, requests, trace)
        server = _server(settings, parts, stores, told)
        service = Service(
            url=_url(listening), collector=collector, processors=groups, view=stores.view
        )
        works = [holders[role].run(work[role]) for role in work if role in parts.roles]
        works += [PauseFollower(stores.streams, parts.gate).run(), _look(book)]
        works += [levels.run() for levels in stores.levels]
        await _run_until(watch(service), works, server, listening, settings.stop_seconds)


async def _open(settings: Settings, parts: Parts, stack: AsyncExitStack) -> _Stores:
    streams = open_log(settings)
    stack.push_async_callback(streams.close)
    if not parts.roles & {Role.MATERIALISE, Role.SERVE}:
        return _Stores(streams=streams, view=None, labels=None, levels=(), scores=None)
    view = await asyncio.to_thread(open_view, settings, [rule.key for rule in parts.rules])
    labels = LabelsView(view.database, view.bell, wait=settings.levels.wait)
    stack.push_async_callback(view.close)
    levels = [LiveLevels(view.database, _named(rule), rule.levels) for rule in parts.rules]
    for each in levels:
        await each.refresh()
    scores = await open_score_store(settings)
    if scores is not None:
        stack.push_async_callback(scores.close)
    return _Stores(streams=streams, view=view, labels=labels, levels=levels, scores=scores)


def _named(rule: ModelRule) -> NamedModel:
    return NamedModel(rule.model.name, rule.model.version)


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


async def _together(works: Iterable[Work]) -> None:
    """Do all at once until the first fails, and raise what it raised."""
    tasks = [asyncio.ensure_future(work()) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _materialisers(parts: Parts, stores: _Stores) -> list[Materialiser]:
    view, labels = stores.view, stores.labels
    if view is None or labels is None or Role.MATERIALISE not in parts.roles:
        return []
    made = [
        _materialiser(parts, stores.streams, view),
        # Pages and scores are as good without: many edits at once need not wait for labels.
        Materialiser(
            stores.streams,
            labels,
            [*labels_view.STREAMS, *parts.streams],
            name="labels",
            is_awaited=False,
        ),
    ]
    if stores.scores is not None:
        streams = dict.fromkeys([*cassandra.STREAMS, *parts.streams])
        made.append(Materialiser(stores.streams, stores.scores, list(streams), name="scores"))
    return made


def _materialiser(parts: Parts, streams: Streams, view: ChangesView) -> Materialiser:
    streams_of_view = [name for name in STREAMS if name != names.PREDICTION]
    return Materialiser(streams, view, [*streams_of_view, *parts.streams])


async def _materialise(
    settings: Settings, parts: Parts, stores: _Stores, materialisers: Sequence[Materialiser]
) -> None:
    works: list[Work] = [materialiser.run for materialiser in materialisers]
    works += [sink.run for sink in await _sinks(settings, parts, stores.streams)]
    works.append(lambda: _watch_for_alarms(settings, parts, stores, materialisers))
    works.append(lambda: _choose_levels(settings, parts, stores, materialisers))
    if not parts.is_kept:
        works.append(lambda: _purge(settings, stores))
    if any(map(has_tables, settings.wikis)):
        works.append(lambda: _keep_wiki_tables(settings, parts, stores))
    await _together(works)


async def _choose_levels(
    settings: Settings, parts: Parts, stores: _Stores, materialisers: Sequence[Materialiser]
) -> None:
    """Choose levels, the first ones as soon as the labels of what is in the streams are known."""
    if stores.view is None:
        return
    while not all(one.has_caught_up for one in materialisers):
        await system_clock.sleep(1)
    models = [_named(rule) for rule in parts.rules]
    await LevelsKeeper(stores.view.database, models, choosing_of(settings.levels)).run()


async def _keep_wiki_tables(settings: Settings, parts: Parts, stores: _Stores) -> None:
    views = Database(settings.changes_url)
    try:
        asked = {
            rule.model.name: AskedScores(
                OnRequest(_score_log(stores.streams), rule, parts.wikis.get).answers
            )
            for rule in reversed(parts.rules)
        }
        await WikiTables(stores.streams, parts.rules, asked, views, stores.levels[0]).keep(
            parts.named()
        )
    finally:
        await views.close()


async def _watch_for_alarms(
    settings: Settings, parts: Parts, stores: _Stores, materialisers: Sequence[Materialiser]
) -> None:
    limits = settings.alarms
    views = Database(settings.changes_url)
    levels = {_named(rule): live for rule, live in zip(parts.rules, stores.levels, strict=True)}
    watch = AlarmWatch(
        views,
        ViewPositions(views, "alarms"),
        flagged_from(levels),
        AlarmLimits(
            score_shift=limits.score_shift,
            flag_rate=limits.flag_rate,
            no_score_minutes=limits.no_score_minutes,
            coverage=limits.coverage,
            accepted_after_days=limits.accepted_after_days,
        ),
        levels=LevelWatch(
            views,
            levels,
            has_labels=lambda: all(one.has_caught_up for one in materialisers),
            wait=settings.levels.wait,
            days=limits.precision_days,
            least_edits=limits.precision_edits,
        ),
    )
    works = [Materialiser(stores.streams, watch, list(parts.streams)).run, watch.run]
    try:
        async with http_client() as client:
            if limits.webhook is not None:
                works.append(Webhook(views, client, limits.webhook).run)
            await _together(works)
    finally:
        await views.close()


async def _sinks(settings: Settings, parts: Parts, streams: Streams) -> list[EventGateSink]:
    gate, client = settings.event_gate, parts.client
    if gate is None or client is None:
        return []
    published = [*parts.streams, *([names.PREDICTION_ERROR] if gate.errors else [])]
    return [
        EventGateSink(streams, stream, client, gate.url, partition=partition)
        for stream in published
        for partition in range(await streams.partitions(stream))
    ]


class _Told(Struct, frozen=True):
    """What the server tells of the process, and what counts there."""

    watcher: Watcher
    pages: Sequence[Extra]
    asked: Sequence[OnRequest]
    gate: EventGate
    limits: Limits
    requests: Requests
    trace: Trace


def _operator_pages(
    settings: Settings, parts: Parts, running: Running, watcher: Watcher, book: WikiBook
) -> list[Extra]:
    token = access_token(settings.web.operator_token_env, "web.operator_token_env", "the token")
    meter = metrics.Metrics(Meter(running, watcher, book).gather)
    page = status.StatusPage(Overview(running, watcher, book, parts.site_of).status)
    return [
        Extra(guarded(meter.routes, token), metrics.OPERATIONS),
        Extra(guarded(page.routes, token), status.OPERATIONS),
    ]


def _configs(settings: Settings, parts: Parts) -> StreamConfigs:
    return stream_configs(accepts_scores=settings.web.accepts_scores, scores=parts.streams)


def _server(settings: Settings, parts: Parts, stores: _Stores, told: _Told) -> Server:
    config, watcher = _config(settings), told.watcher
    counted = Middleware(RequestsCounted, requests=told.requests)
    if stores.view is None or Role.SERVE not in parts.roles:
        routes = [route for page in told.pages for route in page.routes]
        routes.append(asset_files())
        app = health.health_app(watcher.readiness, routes, outermost=[counted])
        return Server(config(app), watcher.end)
    extra = [Extra(health.Ready(watcher.readiness).routes, health.OPERATIONS), *told.pages]
    if settings.web.accepts_events:
        extra.append(Extra(event_gate_routes(told.gate), event_operations.EVENT_GATE))
    public = EventStreams(stores.streams, _configs(settings, parts))
    extra.append(Extra(public.routes(), event_operations.EVENT_STREAMS))
    extra.append(Extra(AlarmsApi(Alarms(stores.view)).routes, alarms.OPERATIONS))
    if settings.verdicts.accepted:
        given = GivenVerdicts(stores.view)
        per_minute = settings.verdicts.per_minute
        taking = Verdicts(stores.streams, stores.view, given, per_minute=per_minute)
        extra.append(Extra(taking.routes, verdicts.OPERATIONS))
    models = [
        AskedModel(
            rule.model,
            asked,
            levels,
            _stored(stores, rule),
        )
        for rule, asked, levels in zip(parts.rules, told.asked, stores.levels, strict=True)
    ]
    chosen_levels = LevelsPage(
        stores.view.database,
        [(_named(rule), rule.levels) for rule in parts.rules],
        choosing_of(settings.levels),
        parts.site_of,
    )
    extra.append(Extra(chosen_levels.routes, level_operations.OPERATIONS))
    side_by_side = ModelsPage(
        stores.view.database,
        [LevelledModel(rule.key, rule.levels) for rule in parts.rules],
        parts.site_of,
        wait=settings.levels.wait,
    )
    extra.append(Extra(side_by_side.routes, models_page.OPERATIONS))
    routes = api_routes(
        models,
        stores.view,
        wiki_ids=parts.wikis,
        wiki_of=parts.wikis.get,
        ores_aliases=settings.ores.aliases,
        trusts_events=settings.web.accepts_events,
        extra=extra,
    )
    closer = Closer(Diffs(parts.wikis.get), Explanations(models[0].model, parts.wikis.get))
    levels: CurrentLevels = models[0].levels
    if len(models) > 1:
        by_model = {rule.key: one.levels for rule, one in zip(parts.rules, models, strict=True)}
        levels = ShownLevels(levels, by_model)
    app = create_app(
        stores.view,
        parts.site_of,
        levels,
        closer=closer,
        logins=_logins(settings, parts),
        routes=routes,
        outermost=[counted, *_limited(settings, told.limits)],
        trace=told.trace,
    )

    # Of what a shortcut answers there is no span.
    shortcuts = {} if settings.tracing.endpoint else shortcuts_of(routes, told.requests.shortcut)

    def end() -> None:
        watcher.end()
        shortcuts.clear()
        app.state.broadcaster.close()
        public.close()

    config = partial(config, shortcuts=shortcuts)
    return Server(config(app), end) if parts.roles == EVERY else DrainingServer(app, config, end)


def _logins(settings: Settings, parts: Parts) -> "Logins | None":
    if not any(wiki.oauth for wiki in settings.wikis):
        return None
    # Its library comes with an extra.
    from revision_quality.web.logins import Logins  # noqa: PLC0415

    return Logins(parts.consumers)


def _limited(settings: Settings, limits: Limits) -> list[Middleware]:
    rate = settings.web.requests_per_second
    return [Middleware(RateLimit, rate=rate, limits=limits)] if rate else []


def _config(settings: Settings) -> Callable[..., uvicorn.Config]:
    proxies = list(settings.web.trusted_proxies)
    return partial(
        server_config,
        is_limited=bool(settings.web.requests_per_second),
        proxy_headers=bool(proxies),
        forwarded_allow_ips=proxies,
        timeout_graceful_shutdown=max(1, int(settings.stop_seconds / 2)),
    )


def _score_log(streams: Streams) -> ScoreLog:
    return streams if isinstance(streams, SqliteStreams) else Unindexed(streams)


def _stored(stores: _Stores, rule: ModelRule) -> StoredAnswers | None:
    """Say where a model's scores are found: in the streams, if nothing else is there."""
    store: ScoreStore | None = stores.scores
    if store is None and stores.view and not isinstance(stores.streams, SqliteStreams):
        store = ViewScores(stores.view)
    return StoredAnswers(store, rule.model) if store else None


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


async def _purge(settings: Settings, stores: _Stores) -> None:
    """Drop what is older than the settings say, a little at a time; Kafka does so by itself."""
    streams, view, labels = stores.streams, stores.view, stores.labels
    while True:
        now = system_clock.now()
        events_before = now - timedelta(days=settings.streams.keep_days)
        rows_before = now - timedelta(days=settings.changes_view.keep_days)
        purged = 0
        try:
            if isinstance(streams, SqliteStreams):
                purged += await streams.purge(int(events_before.timestamp() * 1000))
            if view is not None and labels is not None:
                purged += await view.purge(int(rows_before.timestamp()))
                purged += await labels.purge(int(rows_before.timestamp()))
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
