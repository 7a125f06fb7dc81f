"""The Recent Changes page, the same rows as JSON, and its events."""

import time
from collections.abc import Callable
from urllib.parse import urlsplit

import msgspec
from msgspec.structs import replace
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from revision_quality.recent_changes.cursor import Cursor
from revision_quality.recent_changes.filters import Filters, parse_filters
from revision_quality.recent_changes.parameters import Notice
from revision_quality.recent_changes.presentation import Row, row_of
from revision_quality.recent_changes.query import select_changes
from revision_quality.recent_changes.wiki_levels import WikiLevels
from revision_quality.views.change import Change
from revision_quality.web.broadcaster import Broadcaster
from revision_quality.web.changes_feed import ChangesFeed
from revision_quality.web.changes_json import changes_json
from revision_quality.web.event_stream import EventStream
from revision_quality.web.filter_form import conflict_text, form_of
from revision_quality.web.interface import Interface
from revision_quality.web.page import Page, Sites
from revision_quality.web.problems import wants_json
from revision_quality.web.rendering import render
from revision_quality.web.summary import Summarizer, Summary
from revision_quality.web.view import View

PATH = "/recent-changes"

_HEADERS = {"Cache-Control": "no-cache", "Vary": "Accept"}
_WIKIS_NAMED = 10


class RecentChanges:
    """The handlers, over a view, a table of sites and the levels."""

    def __init__(
        self,
        view: View,
        sites: Sites,
        levels: WikiLevels,
        broadcaster: Broadcaster,
        interface: Interface,
    ) -> None:
        self._view = view
        self._sites = sites
        self._levels = levels
        self._broadcaster = broadcaster
        self._interface = interface
        self._summarizer = Summarizer(view)

    async def home(self, request: Request) -> Response:
        """Lead to the page, with the same query string."""
        query = urlsplit(str(request.url)).query
        return RedirectResponse(f"{PATH}?{query}" if query else PATH)

    async def page(self, request: Request) -> Response:
        """Answer in HTML or, if the reader is a program, in JSON."""
        page = await self._read(request)
        if wants_json(request):
            headers = {"Access-Control-Allow-Origin": "*", **_HEADERS}
            body = msgspec.json.encode(changes_json(page, self._sites, self._levels))
            return Response(body, headers=headers, media_type="application/json")
        return HTMLResponse(self._html(page), headers=_HEADERS)

    async def events(self, request: Request) -> Response:
        """Answer with the events that keep the page in step."""
        if self._broadcaster.is_full:
            raise HTTPException(503, headers={"Retry-After": "10"})
        filters, _ = parse_filters(request.query_params.multi_items())
        summary = await self._summarizer.summary()
        feed = ChangesFeed(
            self._view, self._summarizer, filters, self._levels, self._row_maker(filters, summary)
        )
        since = _resume_from(request)
        return EventStream(self._broadcaster, lambda listener: feed.chunks(listener, since))

    async def health(self, request: Request) -> Response:
        """Answer 200 when the view can be read."""
        seq = await self._view.last_seq()
        return Response(msgspec.json.encode({"seq": seq}), media_type="application/json")

    async def _read(self, request: Request) -> Page:
        filters, notices = parse_filters(request.query_params.multi_items())
        seq = await self._view.last_seq()
        one_more = replace(filters, limit=filters.limit + 1)
        statement = select_changes(one_more, self._levels, now=time.time())
        changes = await self._view.rows(statement)
        summary = await self._summarizer.summary()
        notices += _unknown_wikis(filters, summary)
        shown = changes[: filters.limit]
        older = Cursor.of(shown[-1]) if len(changes) > len(shown) else None
        return Page(filters, notices, shown, older, seq, summary)

    def _html(self, page: Page) -> str:
        filters = page.filters
        wikis = page.summary.wikis
        sites = {wiki_id: site for wiki_id in wikis if (site := self._sites(wiki_id))}
        make_row = self._row_maker(filters, page.summary)
        return render(
            "recent_changes.html",
            ui=self._interface,
            path=PATH,
            filters=filters,
            notices=page.notices,
            form=form_of(filters, self._levels, wikis, sites),
            summary=page.summary,
            rows=[make_row(change) for change in page.changes],
            seq=page.seq,
            older=replace(filters, before=page.older).query if page.older else None,
            newest=replace(filters, before=None).query,
            conflict=conflict_text(filters),
        )

    def _row_maker(self, filters: Filters, summary: Summary) -> Callable[[Change], Row]:
        with_wiki = len(filters.wikis or summary.wikis) > 1

        def make_row(change: Change) -> Row:
            site = self._sites(change.wiki_id)
            return row_of(change, site, self._levels, with_wiki=with_wiki)

        return make_row


def _resume_from(request: Request) -> int | None:
    text = request.headers.get("last-event-id") or request.query_params.get("since") or ""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None


def _unknown_wikis(filters: Filters, summary: Summary) -> tuple[Notice, ...]:
    unknown = filters.wikis - set(summary.wikis)
    known = ", ".join(sorted(summary.wikis)[:_WIKIS_NAMED])
    if not unknown or not known:
        return ()
    more = " and others" if len(summary.wikis) > _WIKIS_NAMED else ""
    return tuple(
        Notice("wiki", wiki_id, known + more, "no edit of it is here")
        for wiki_id in sorted(unknown)[:_WIKIS_NAMED]
    )
