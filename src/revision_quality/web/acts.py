"""Rollback and undo of a change on its wiki, by a patroller who has logged in and confirms it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec
import structlog
from msgspec import Struct
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from revision_quality.errors import WikiError, WikiRefusedError, WikiUnavailableError
from revision_quality.recent_changes import nearby
from revision_quality.recent_changes.presentation import PATH
from revision_quality.views.change import Change
from revision_quality.web.consumer import NO_TOKEN
from revision_quality.web.forms import read_form
from revision_quality.web.interface import Interface
from revision_quality.web.problems import wants_json
from revision_quality.web.rendering import render
from revision_quality.web.view import View
from revision_quality.wiki.patroller import PageName, Patroller

if TYPE_CHECKING:
    from revision_quality.web.logins import Logins

ACTS = ("rollback", "undo")

_LOGIN_ENDED = frozenset((NO_TOKEN, "assertuserfailed", "mwoauth-invalid-authorization"))
_MAX_REV_ID = 2**63 - 1
_UNKNOWN = 502
"""The status where nobody can say whether it is done."""

_log = structlog.get_logger()


class Outcome(Struct, frozen=True, kw_only=True):
    """What became of it: the new revision's id (0 if nothing had to change), or why not."""

    rev_id: int = 0
    problem: str = ""


class Acts:
    """The handlers, over the view and those who have logged in."""

    def __init__(
        self, view: View, logins: Logins, interface_of: Callable[[Request], Interface]
    ) -> None:
        self._view = view
        self._logins = logins
        self._interface_of = interface_of

    @property
    def routes(self) -> list[BaseRoute]:
        """The routes of the acts."""
        path = f"{PATH}/{{wiki_id}}/{{rev_id:int}}"
        return [Route(f"{path}/{act}", self.answer, methods=["POST"], name=act) for act in ACTS]

    async def answer(self, request: Request) -> Response:
        """Do it if the user has confirmed it, else ask."""
        wiki_id, rev_id = request.path_params["wiki_id"], request.path_params["rev_id"]
        act = request.url.path.rpartition("/")[2]
        form = await read_form(request)
        login, ui = self._logins.of(request, wiki_id), self._interface_of(request)
        if login is not None and not self._logins.is_meant(request, wiki_id, login, form):
            raise HTTPException(403)
        change = await self._change(wiki_id, rev_id)
        if login is None:
            return self._outcome(request, act, change, _ended(ui), 401)
        if not form.get("confirmed"):
            return self._page(request, "confirm.html", act=act, change=change, csrf=form["csrf"])
        now, why = login, ""
        try:
            patroller, now = await self._logins.patroller(wiki_id, login, ui.lang)
            outcome, status = Outcome(rev_id=await _do(patroller, act, change)), 200
        except WikiError as error:
            outcome, status = _failure(error, ui)
            why = str(error)
        _log.info("acted", act=act, wiki_id=wiki_id, rev_id=rev_id, status=status, error=why)
        answer = self._outcome(request, act, change, outcome, status)
        if status == 401:
            self._logins.forget(answer, wiki_id)
        elif now is not login:
            self._logins.remember(answer, request, wiki_id, now)
        return answer

    async def _change(self, wiki_id: str, rev_id: int) -> Change:
        rows = (
            await self._view.rows(nearby.one(wiki_id, [rev_id]))
            if 0 < rev_id <= _MAX_REV_ID
            else []
        )
        if not rows or rows[0].deleted or rows[0].is_new_page or rows[0].user is None:
            raise HTTPException(404)
        return rows[0]

    def _outcome(
        self, request: Request, act: str, change: Change, outcome: Outcome, status: int
    ) -> Response:
        if wants_json(request):
            body = msgspec.json.encode(outcome)
            return Response(body, status, {"Cache-Control": "no-store"}, "application/json")
        told = {"problem": outcome.problem, "is_sure": status != _UNKNOWN}
        return self._page(request, "acted.html", status, act=act, change=change, **told)

    def _page(
        self, request: Request, template: str, status: int = 200, /, **values: object
    ) -> HTMLResponse:
        html = render(template, ui=self._interface_of(request), **values)
        return HTMLResponse(html, status, {"Cache-Control": "no-store"})


def _ended(ui: Interface) -> Outcome:
    return Outcome(problem=ui.text("login-ended"))


def _failure(error: WikiError, ui: Interface) -> tuple[Outcome, int]:
    """Return why it is not done, in the reader's language, and the status that says so.

    A wiki that has not answered may have done it.
    """
    code, info = (
        (error.code, error.info)
        if isinstance(error, WikiRefusedError | WikiUnavailableError)
        else ("", "")
    )
    if code in _LOGIN_ENDED:
        return _ended(ui), 401
    if not code or code.startswith("internal_api_error"):
        return Outcome(problem=ui.text("js-no-answer")), _UNKNOWN
    return Outcome(problem=f"{code}: {info or error}"), 409


async def _do(patroller: Patroller, act: str, change: Change) -> int:
    assert change.user is not None
    page = PageName(change.title, change.page_id)
    if act == "rollback":
        return await patroller.rollback(page, change.user)
    return await patroller.undo(page, change.rev_id, change.parent_id)
