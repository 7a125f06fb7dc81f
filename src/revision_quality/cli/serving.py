"""The role that answers: pages, APIs, and how the process is."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

import uvicorn
from msgspec import Struct
from starlette.middleware import Middleware

from revision_quality.alarms.stored import Alarms
from revision_quality.cli.level_rules import choosing_of
from revision_quality.cli.metrics import Meter
from revision_quality.cli.overview import Overview
from revision_quality.cli.parts import Parts
from revision_quality.cli.readiness import Watcher
from revision_quality.cli.role import EVERY, Role
from revision_quality.cli.running import Running
from revision_quality.cli.stores import Stores, named_model
from revision_quality.cli.wiki_health import WikiBook
from revision_quality.events.stream_config import StreamConfigs, stream_configs
from revision_quality.levels.side_by_side import LevelledModel
from revision_quality.recent_changes.shown_levels import ShownLevels
from revision_quality.recent_changes.wiki_levels import CurrentLevels
from revision_quality.scoring.model_rule import ModelRule
from revision_quality.scoring.on_request import OnRequest
from revision_quality.settings import Settings, access_token
from revision_quality.streams.sqlite import SqliteStreams
from revision_quality.tracing import Trace
from revision_quality.views.changes import ChangesView
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

if TYPE_CHECKING:
    from revision_quality.web.logins import Logins


class Told(Struct, frozen=True):
    """What the server tells of the process, and what counts there."""

    watcher: Watcher
    pages: Sequence[Extra]
    asked: Sequence[OnRequest]
    gate: EventGate
    limits: Limits
    requests: Requests
    trace: Trace

    @property
    def counted(self) -> Middleware:
        """What counts the requests of an app."""
        return Middleware(RequestsCounted, requests=self.requests)


def operator_pages(
    settings: Settings, parts: Parts, running: Running, watcher: Watcher, book: WikiBook
) -> list[Extra]:
    """Make the pages for who runs the process: metrics and status, behind the operator's token."""
    token = access_token(settings.web.operator_token_env, "web.operator_token_env", "the token")
    meter = metrics.Metrics(Meter(running, watcher, book).gather)
    page = status.StatusPage(Overview(running, watcher, book, parts.site_of).status)
    return [
        Extra(guarded(meter.routes, token), metrics.OPERATIONS),
        Extra(guarded(page.routes, token), status.OPERATIONS),
    ]


def configs_of(settings: Settings, parts: Parts) -> StreamConfigs:
    """Return what may be read and posted of each stream."""
    return stream_configs(accepts_scores=settings.web.accepts_scores, scores=parts.streams)


def server_of(settings: Settings, parts: Parts, stores: Stores, told: Told) -> Server:
    """Make the server: of all pages in the role that serves, else of how the process is."""
    if stores.view is None or Role.SERVE not in parts.roles:
        return _health_server(settings, told)
    return _page_server(settings, parts, stores, stores.view, told)


def _health_server(settings: Settings, told: Told) -> Server:
    routes = [route for page in told.pages for route in page.routes]
    routes.append(asset_files())
    app = health.health_app(told.watcher.readiness, routes, outermost=[told.counted])
    return Server(_config(settings)(app), told.watcher.end)


def _page_server(
    settings: Settings,
    parts: Parts,
    stores: Stores,
    view: ChangesView,
    told: Told,
) -> Server:
    public = EventStreams(stores.streams, configs_of(settings, parts))
    models = [
        AskedModel(rule.model, asked, levels, _stored_answers(stores, rule))
        for rule, asked, levels in zip(parts.rules, told.asked, stores.levels, strict=True)
    ]
    routes = api_routes(
        models,
        view,
        wiki_ids=parts.wikis,
        wiki_of=parts.wikis.get,
        ores_aliases=settings.ores.aliases,
        trusts_events=settings.web.accepts_events,
        extra=[
            Extra(health.Ready(told.watcher.readiness).routes, health.OPERATIONS),
            *told.pages,
            Extra(public.routes(), event_operations.EVENT_STREAMS),
            *_further(settings, parts, stores, view, told),
        ],
    )
    app = create_app(
        view,
        parts.site_of,
        _shown_levels(parts, models),
        closer=Closer(Diffs(parts.wikis.get), Explanations(models[0].model, parts.wikis.get)),
        logins=_logins(settings, parts),
        routes=routes,
        outermost=[told.counted, *_limited(settings, told.limits)],
        trace=told.trace,
    )

    # Of what a shortcut answers there is no span.
    shortcuts = {} if settings.tracing.endpoint else shortcuts_of(routes, told.requests.shortcut)

    def end() -> None:
        told.watcher.end()
        shortcuts.clear()
        app.state.broadcaster.close()
        public.close()

    config = partial(_config(settings), shortcuts=shortcuts)
    return Server(config(app), end) if parts.roles == EVERY else DrainingServer(app, config, end)


def _further(
    settings: Settings, parts: Parts, stores: Stores, view: ChangesView, told: Told
) -> Iterator[Extra]:
    """Make what is beside scores and recent changes."""
    if settings.web.accepts_events:
        yield Extra(event_gate_routes(told.gate), event_operations.EVENT_GATE)
    yield Extra(AlarmsApi(Alarms(view)).routes, alarms.OPERATIONS)
    if settings.verdicts.accepted:
        given, per_minute = GivenVerdicts(view), settings.verdicts.per_minute
        taking = Verdicts(stores.streams, view, given, per_minute=per_minute)
        yield Extra(taking.routes, verdicts.OPERATIONS)
    levels = LevelsPage(
        view.database,
        [(named_model(rule), rule.levels) for rule in parts.rules],
        choosing_of(settings.levels),
        parts.site_of,
    )
    yield Extra(levels.routes, level_operations.OPERATIONS)
    models = ModelsPage(
        view.database,
        [LevelledModel(rule.key, rule.levels) for rule in parts.rules],
        parts.site_of,
        wait=settings.levels.wait,
    )
    yield Extra(models.routes, models_page.OPERATIONS)


def _shown_levels(parts: Parts, models: Sequence[AskedModel]) -> CurrentLevels:
    if len(models) == 1:
        return models[0].levels
    by_model = {rule.key: one.levels for rule, one in zip(parts.rules, models, strict=True)}
    return ShownLevels(models[0].levels, by_model)


def _stored_answers(stores: Stores, rule: ModelRule) -> StoredAnswers | None:
    """Say where a model's scores are found: in the streams, if nothing else is there."""
    store: ScoreStore | None = stores.scores
    if store is None and stores.view and not isinstance(stores.streams, SqliteStreams):
        store = ViewScores(stores.view)
    return StoredAnswers(store, rule.model) if store else None


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
