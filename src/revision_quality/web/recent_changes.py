"""The Recent Changes page, the same rows as JSON, and its events."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import msgspec
from msgspec.structs import replace
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from revision_quality.recent_changes.cursor import Cursor
from revision_quality.recent_changes.filters import MAX_LIMIT, Filters, parse_filters
from revision_quality.recent_changes.newest import shown_changes
from revision_quality.recent_changes.parameters import Notice
from revision_quality.recent_changes.presentation import PATH, Row, row_of
from revision_quality.recent_changes.query import matches
from revision_quality.recent_changes.ranking import rank
from revision_quality.recent_changes.wiki_levels import CurrentLevels
from revision_quality.views.change import Change
from revision_quality.web.absent import absent_namespaces, absent_wikis
from revision_quality.web.broadcaster import Broadcaster
from revision_quality.web.changes_feed import ChangesFeed, is_handled
from revision_quality.web.changes_json import changes_json
from revision_quality.web.event_stream import EventStream
from revision_quality.web.filter_form import conflict_text, form_of
from revision_quality.web.forms import read_form
from revision_quality.web.interface import (
    LANG_COOKIE,
    ZONE_CHARACTERS,
    ZONE_COOKIE,
    Interface,
    interface_of,
    is_language,
    is_zone,
    kept_language,
    languages,
    wanted_zone,
)
from revision_quality.web.json_answers import ANY_ORIGIN
from revision_quality.web.levels_in_step import LevelsInStep
from revision_quality.web.page import Page, Sites
from revision_quality.web.problems import wants_json
from revision_quality.web.rendering import render
from revision_quality.web.same_origin import is_from_elsewhere
from revision_quality.web.special_page import query_of
from revision_quality.web.summary import Summarizer, Summary
from revision_quality.web.view import View

if TYPE_CHECKING:
    from revision_quality.web.logins import Door, Logins

_HEADERS = {"Cache-Control": "no-cache", "Vary": "Accept, Accept-Language, Cookie, Time-Zone"}
_TITLE = "Special:RecentChanges"
_READ_ON = 10
"""Times `MAX_LIMIT` edits of a queue, looked at for some that nobody has handled."""

_YEAR_SECONDS = 365 * 86400


class RecentChanges:
    """The handlers, over a view, a table of sites and the levels."""

    def __init__(
        self,
        view: View,
        sites: Sites,
        levels: CurrentLevels,
        broadcaster: Broadcaster,
        interface: Interface,
        *,
        logins: Logins | None = None,
    ) -> None:
        self._view = view
        self._sites = sites
        self._levels = levels
        self._levels_in_step = LevelsInStep(view, levels)
        self._broadcaster = broadcaster
        self._interface = interface
        self._logins = logins
        self._summarizer = Summarizer(view)

    async def home(self, request: Request) -> Response:
        """Lead to the page, with the same query string."""
        return _lead_to(urlsplit(str(request.url)).query)

    async def special_page(self, request: Request) -> Response:
        """Lead a wiki's address of Special:RecentChanges to the page, with what it means there."""
        pairs = request.query_params.multi_items()
        in_path = request.path_params.get("title")
        wikis = (await self._summarizer.summary()).wikis
        sites = [site for wiki_id in wikis if (site := self._sites(wiki_id))]
        title = request.query_params.get("title", "") if in_path is None else in_path
        query = query_of(title, pairs, sites)
        if query is None and in_path is not None:
            raise HTTPException(404)
        # Of wikis whose own names are not known any title is taken.
        query = query or query_of(_TITLE, pairs, sites) or []
        return _lead_to(urlencode(query, safe=";"))

    async def page(self, request: Request) -> Response:
        """Answer in HTML or, if the reader is a program, in JSON."""
        page = await self._read(request)
        if wants_json(request):
            headers = {**ANY_ORIGIN, **_HEADERS}
            body = msgspec.json.encode(changes_json(page, self._sites, self._levels.now))
            return Response(body, headers=headers, media_type="application/json")
        doors = self._logins.doors(request) if self._logins else []
        uselang = kept_language(request, self._interface)
        html = self._html(page, self.interface(request), doors, uselang, wanted_zone(request))
        return HTMLResponse(html, headers=_HEADERS)

    async def preferences(self, request: Request) -> Response:
        """Keep a reader's language and time zone in cookies, and lead back to the page."""
        if is_from_elsewhere(request):
            raise HTTPException(403)
        given = await read_form(request)
        back = parse_filters(parse_qsl(given.get("back", "")))[0].query
        # A bare address would open the filters that the reader's browser keeps.
        answer = RedirectResponse(f"{PATH}?{back or 'urlversion=2'}", 303)
        lang, zone = given.get("lang", ""), given.get("zone", "").strip()
        if is_language(lang):
            _remember(answer, request, LANG_COOKIE, lang)
        if zone:
            # An unknown one, too: the page tells of it, and has it in its form to be corrected.
            _remember(answer, request, ZONE_COOKIE, quote(zone[:ZONE_CHARACTERS]))
        else:
            answer.delete_cookie(ZONE_COOKIE)
        return answer

    async def events(self, request: Request) -> Response:
        """Answer with the events that keep the page in step."""
        if self._broadcaster.is_full:
            raise HTTPException(503, headers={"Retry-After": "10"})
        filters, _ = parse_filters(request.query_params.multi_items())
        summary = await self._summarizer.summary()
        feed = ChangesFeed(
            self._view,
            self._summarizer,
            filters,
            self._levels_in_step,
            row_of=self._row_maker(filters, summary),
            interface=self.interface(request),
        )
        since = _resume_from(request)
        return EventStream(self._broadcaster, lambda listener: feed.chunks(listener, since))

    async def texts(self, request: Request) -> Response:
        """Answer with what the page's scripts say in a language."""
        lang = request.path_params["lang"]
        if not is_language(lang):
            raise HTTPException(404)
        ui = Interface(lang)
        # A page of another release asks for its version, and gets the texts that are here.
        is_asked_for = request.url.query == ui.script_messages_version
        kept = f"public, max-age={_YEAR_SECONDS}, immutable" if is_asked_for else "no-cache"
        body = msgspec.json.encode(ui.script_messages)
        return Response(body, headers={"Cache-Control": kept}, media_type="application/json")

    def interface(self, request: Request) -> Interface:
        """Return the interface that a reader wants."""
        return interface_of(request, self._interface)

    async def _read(self, request: Request) -> Page:
        filters, notices = parse_filters(request.query_params.multi_items())
        seq = await self._view.last_seq()
        shown, older = await self._rows(filters)
        if filters.is_queue:
            shown, older = await self._unhandled(filters, shown, older)
        summary = await self._summarizer.summary()
        notices += tuple(absent_wikis(filters, summary.wikis))
        shown_wikis = filters.wikis or summary.wikis
        notices += tuple(absent_namespaces(filters, [self._sites(one) for one in shown_wikis]))
        return Page(filters, notices, shown, older, seq, summary)

    async def _rows(self, filters: Filters) -> tuple[Sequence[Change], Cursor | None]:
        """Return the rows of a page, and where the next one begins."""
        if filters.conflict:
            return (), None
        one_more, now = replace(filters, limit=filters.limit + 1), time.time()
        found = await self._view.read(
            lambda connection: shown_changes(connection, one_more, self._levels, now=now)
        )
        shown = found.rows[: filters.limit]
        if len(found.rows) > len(shown):
            return shown, rank(filters.order, shown[-1])
        return shown, Cursor(found.end, 0) if found.end else None

    async def _unhandled(
        self, filters: Filters, rows: Sequence[Change], older: Cursor | None
    ) -> tuple[Sequence[Change], Cursor | None]:
        """Return a page of a queue without what is handled, filled up from the following ones."""
        shown = [change for change in rows if not is_handled(change)]
        for _ in range(_READ_ON):
            if older is None or len(shown) >= filters.limit:
                break
            further, older = await self._rows(replace(filters, before=older, limit=MAX_LIMIT))
            shown += [change for change in further if not is_handled(change)]
        if len(shown) > filters.limit:
            del shown[filters.limit :]
            older = rank(filters.order, shown[-1])
        return shown, older

    def _html(
        self, page: Page, ui: Interface, doors: Sequence[Door], uselang: str, zone: str
    ) -> str:
        filters = page.filters
        wikis = page.summary.wikis
        sites = {wiki_id: site for wiki_id in wikis if (site := self._sites(wiki_id))}
        make_row = self._row_maker(filters, page.summary)
        notices = (*page.notices, *_unknown_zone(zone, ui))
        shown = filters.wikis or frozenset(wikis)
        ui = ui.of_wiki(sites.get(next(iter(shown)))) if len(shown) == 1 else ui
        return render(
            "recent_changes.html",
            ui=ui,
            path=PATH,
            uselang=uselang,
            doors=doors,
            filters=filters,
            notices=notices,
            form=form_of(filters, self._levels.now, wikis, sites, ui),
            summary=page.summary,
            rows=[make_row(change) for change in page.changes],
            seq=page.seq,
            older=replace(filters, before=page.older).query if page.older else None,
            newest=replace(filters, before=None).query,
            conflict=conflict_text(filters, ui),
            languages=languages(),
            zone=zone,
        )

    def _row_maker(self, filters: Filters, summary: Summary) -> Callable[[Change], Row]:
        with_wiki = len(filters.wikis or summary.wikis) > 1
        marked = [(mark, Filters(**mark.fields)) for mark in filters.highlights]

        def make_row(change: Change) -> Row:
            site = self._sites(change.wiki_id)
            row = row_of(change, site, self._levels.now, with_wiki=with_wiki)
            now = time.time()
            marks = [m for m, own in marked if matches(change, own, self._levels.now, now=now)]
            return replace(row, rank=rank(filters.order, change).timestamp, marks=tuple(marks))

        return make_row


def _lead_to(query: str) -> Response:
    return RedirectResponse(f"{PATH}?{query}" if query else PATH)


def _remember(answer: Response, request: Request, name: str, value: str) -> None:
    is_secure = request.url.scheme == "https"
    answer.set_cookie(
        name, value, max_age=_YEAR_SECONDS, httponly=True, samesite="lax", secure=is_secure
    )


def _resume_from(request: Request) -> int | None:
    text = request.headers.get("last-event-id") or request.query_params.get("since") or ""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None


def _unknown_zone(zone: str, ui: Interface) -> tuple[Notice, ...]:
    return (Notice(ui.text("time-zone"), zone, rule="zone"),) if zone and not is_zone(zone) else ()
