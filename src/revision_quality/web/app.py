"""The web application."""

from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from revision_quality.errors import StoreError
from revision_quality.recent_changes.wiki_levels import WikiLevels
from revision_quality.web.broadcaster import Broadcaster
from revision_quality.web.headers import SecurityHeaders
from revision_quality.web.interface import Interface
from revision_quality.web.page import Sites
from revision_quality.web.problems import on_any_error, on_http_error, on_store_error
from revision_quality.web.recent_changes import PATH, RecentChanges
from revision_quality.web.view import View


def create_app(
    view: View,
    sites: Sites,
    levels: WikiLevels,
    *,
    interface: Interface | None = None,
    broadcaster: Broadcaster | None = None,
    routes: Sequence[BaseRoute] = (),
) -> Starlette:
    """Return the application that serves a view.

    `sites` gives the site of a wiki_id or None, such as `sites.site_of` or a mapping's `get`.
    `routes` are those of further protocols (`api.api_routes`).
    `state.broadcaster.close()` ends the open event streams: a server calls it when it stops
    (`server.Server`).
    """
    broadcaster = broadcaster or Broadcaster(view)
    pages = RecentChanges(view, sites, levels, broadcaster, interface or Interface())
    app = Starlette(
        routes=[
            Route("/", pages.home),
            Route(PATH, pages.page),
            Route(f"{PATH}.json", pages.page),
            Route(f"{PATH}/events", pages.events),
            Route("/healthz", pages.health),
            *routes,
            Mount("/static", StaticFiles(packages=[(__package__ or "", "static")]), name="static"),
        ],
        middleware=[
            Middleware(SecurityHeaders),
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
