"""The web application."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import BaseRoute, Route

from revision_quality.errors import StoreError
from revision_quality.recent_changes.presentation import PATH
from revision_quality.recent_changes.wiki_levels import CurrentLevels
from revision_quality.tracing import NO_TRACE, Trace
from revision_quality.web.acts import Acts
from revision_quality.web.assets import asset_files
from revision_quality.web.broadcaster import Broadcaster
from revision_quality.web.details import Closer, Details
from revision_quality.web.diffs import Diffs
from revision_quality.web.headers import SecurityHeaders
from revision_quality.web.health import ALIVE_PATH, alive
from revision_quality.web.interface import Interface
from revision_quality.web.page import Sites
from revision_quality.web.problems import on_any_error, on_http_error, on_store_error
from revision_quality.web.recent_changes import RecentChanges
from revision_quality.web.requests_named import RequestsNamed
from revision_quality.web.special_page import SPECIAL_PAGE_PATHS
from revision_quality.web.view import View

if TYPE_CHECKING:
    from revision_quality.web.logins import Logins


def create_app(
    view: View,
    sites: Sites,
    levels: CurrentLevels,
    *,
    interface: Interface | None = None,
    broadcaster: Broadcaster | None = None,
    closer: Closer | None = None,
    logins: Logins | None = None,
    routes: Sequence[BaseRoute] = (),
    outermost: Sequence[Middleware] = (),
    trace: Trace = NO_TRACE,
) -> Starlette:
    """Return the application that serves a view.

    `sites` gives the site of a wiki_id or None, such as `sites.site_of` or a mapping's `get`.
    `closer` tells more of a change than the view has, `logins` lets patrollers act on the wikis.
    `routes` are those of further protocols (`api.api_routes`), `outermost` what every request
    passes first.
    `state.broadcaster.close()` ends the open event streams: a server calls it when it stops
    (`server.Server`).
    """
    broadcaster = broadcaster or Broadcaster(view)
    pages = RecentChanges(view, sites, levels, broadcaster, interface or Interface(), logins=logins)
    closer = closer or Closer(Diffs(lambda _: None))
    details = Details(view, sites, levels, closer, pages.interface, logins=logins)
    acting = [*logins.routes, *Acts(view, logins, pages.interface).routes] if logins else []
    app = Starlette(
        routes=[
            Route("/", pages.home),
            Route(PATH, pages.page),
            Route(f"{PATH}.json", pages.page),
            Route(f"{PATH}/events", pages.events),
            Route(f"{PATH}/preferences", pages.preferences, methods=["POST"]),
            Route(f"{PATH}/texts/{{lang}}.json", pages.texts),
            *(Route(path, pages.special_page) for path in SPECIAL_PAGE_PATHS),
            Route(f"{PATH}/{{wiki_id}}/{{rev_id:int}}", details.page),
            Route(f"{PATH}/{{wiki_id}}/{{rev_id:int}}.json", details.page),
            Route(ALIVE_PATH, alive),
            *acting,
            *routes,
            asset_files(),
        ],
        middleware=[
            Middleware(SecurityHeaders),
            *outermost,
            Middleware(RequestsNamed, trace=trace),
            Middleware(GZipMiddleware, minimum_size=1000, compresslevel=5),
        ],
        exception_handlers={
            HTTPException: on_http_error,
            StoreError: on_store_error,
            Exception: on_any_error,
        },
    )
    app.state.broadcaster = broadcaster
    return app
