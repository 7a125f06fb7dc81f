"""One change closely: its diff, why it has its score, what lies around it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import msgspec
import structlog
from msgspec import Struct
from sqlalchemy import Select
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from revision_quality.errors import WikiError
from revision_quality.models.phrases import ENGLISH, phrase
from revision_quality.models.reasons import Reason
from revision_quality.recent_changes import nearby
from revision_quality.recent_changes.presentation import Row, key_of, row_of
from revision_quality.recent_changes.shown_levels import as_of
from revision_quality.recent_changes.wiki_levels import CurrentLevels
from revision_quality.views.change import Change, State
from revision_quality.web.changes_json import ChangeJson, change_json
from revision_quality.web.diffs import Diff, Diffs
from revision_quality.web.explanations import Explanations
from revision_quality.web.interface import Interface
from revision_quality.web.json_answers import ANY_ORIGIN
from revision_quality.web.level_card import describe
from revision_quality.web.page import Sites
from revision_quality.web.problems import wants_json
from revision_quality.web.remembered import Remembered
from revision_quality.web.rendering import render
from revision_quality.web.view import View

if TYPE_CHECKING:
    from revision_quality.web.logins import Logins

REASONS_SHOWN = 8
_REASONS_REMEMBERED = 2000
_MAX_REV_ID = 2**63 - 1
_HEADERS = {"Cache-Control": "no-cache", "Vary": "Accept, Accept-Language, Cookie"}

_log = structlog.get_logger()


class Closer(Struct, frozen=True):
    """What tells more of a change than the view has; `explanations` None where no model can."""

    diffs: Diffs
    explanations: Explanations | None = None


class Bar(Struct, frozen=True):
    """A reason as a line: `width` is its share of the strongest, 0 to 100; `raises` the score.

    `is_english` where the reader's language has no phrase for it.
    """

    text: str
    width: int
    raises: bool
    is_english: bool = False


class Detail(Struct, frozen=True, kw_only=True):
    """All that is told of a change. `diff` is None where the wiki does not answer."""

    change: Change
    diff: Diff | None
    reasons: tuple[Reason, ...] | None
    previous: Change | None
    following: Change | None
    others: Sequence[Change]


class CloseJson(Struct, frozen=True, kw_only=True):
    """A change closely.

    `diff` is a table in HTML with the elements and classes of MediaWiki's diff alone, null with
    the reason in `diff_absence`: hidden, unknown_wiki, not_shown, too_large or no_answer.
    """

    change: ChangeJson
    diff: str | None
    diff_absence: str | None
    explanation: tuple[Reason, ...] | None
    level: str | None
    previous: ChangeJson | None
    next: ChangeJson | None
    user_changes: list[ChangeJson]


class Details:
    """The handlers of one change."""

    def __init__(
        self,
        view: View,
        sites: Sites,
        levels: CurrentLevels,
        closer: Closer,
        interface_of: Callable[[Request], Interface],
        *,
        logins: Logins | None = None,
    ) -> None:
        self._view = view
        self._sites = sites
        self._levels = levels
        self._diffs = closer.diffs
        self._explanations = closer.explanations
        self._interface_of = interface_of
        self._logins = logins
        self._reasons = Remembered(
            self._explain, capacity=_REASONS_REMEMBERED, keeps=lambda reasons: reasons is not None
        )

    async def page(self, request: Request) -> Response:
        """Answer in HTML or, if the reader is a program, in JSON.

        With `only=actions` the answer is what can be done with the change: at once, for no wiki is
        asked.
        """
        key = request.path_params["wiki_id"], request.path_params["rev_id"]
        if request.query_params.get("only") == "actions":
            html = self._actions(await self._present(*key), request)
            return HTMLResponse(html, headers=_HEADERS)
        # Before the change is read: the page follows what is written from here on.
        seq = await self._view.last_seq()
        change = await self._present(*key)
        detail = await self._read(change)
        if wants_json(request):
            headers = {**ANY_ORIGIN, **_HEADERS}
            body = msgspec.json.encode(self._json(detail))
            return Response(body, headers=headers, media_type="application/json")
        return HTMLResponse(self._html(detail, seq, request), headers=_HEADERS)

    async def _present(self, wiki_id: str, rev_id: int) -> Change:
        change = await self._one(wiki_id, rev_id) if 0 < rev_id <= _MAX_REV_ID else None
        if change is None or change.deleted:
            raise HTTPException(404)
        return change

    async def _read(self, change: Change) -> Detail:
        await self._view.read(lambda connection: as_of(self._levels, connection))
        diff, reasons = await asyncio.gather(self._diff(change), self._why(change))
        others = nearby.others_of_user(change)
        return Detail(
            change=change,
            diff=diff,
            reasons=reasons,
            previous=await self._first(nearby.previous_of_page(change)),
            following=await self._first(nearby.next_of_page(change)),
            others=[] if others is None else await self._view.rows(others),
        )

    async def _one(self, wiki_id: str, rev_id: int) -> Change | None:
        return await self._first(nearby.one(wiki_id, [rev_id]))

    async def _first(self, statement: Select[tuple[object]]) -> Change | None:
        rows = await self._view.rows(statement)
        return rows[0] if rows else None

    async def _diff(self, change: Change) -> Diff | None:
        parent = await self._one(change.wiki_id, change.parent_id) if change.parent_id else None
        try:
            diff = await self._diffs.of(change, parent)
        except WikiError as error:
            _log.warning("no diff for lack of the wiki", wiki_id=change.wiki_id, error=str(error))
            return None
        # While the wiki was asked, somebody may have hidden it, or the edit before.
        revisions = [change.rev_id, change.parent_id]
        again = await self._view.rows(nearby.one(change.wiki_id, revisions))
        is_there = any(row.rev_id == change.rev_id for row in again)
        if not is_there or any(row.content_hidden or row.deleted for row in again):
            return Diff(absence="hidden")
        return diff

    async def _why(self, change: Change) -> tuple[Reason, ...] | None:
        if self._explanations is None or change.state is not State.SCORED:
            return None
        model = self._explanations.model
        if (change.model_name, change.model_version) != (model.name, model.version):
            return None
        try:
            return await self._reasons.of((change.wiki_id, change.rev_id))
        except WikiError as error:
            _log.warning(
                "no reasons for lack of the wiki", wiki_id=change.wiki_id, error=str(error)
            )
            return None

    async def _explain(self, key: tuple[str, int]) -> tuple[Reason, ...] | None:
        assert self._explanations is not None
        return await self._explanations.of(*key)

    def _row(self, change: Change | None) -> Row | None:
        if change is None:
            return None
        return row_of(change, self._sites(change.wiki_id), self._levels.now)

    def _level(self, change: Change, ui: Interface) -> str | None:
        """Return what the level of a change was measured to do, in one line."""
        if change.score is None:
            return None
        level = self._levels.now.level_of(change.wiki_id, change.score)
        return describe(level, ui) if level else None

    def _html(self, detail: Detail, seq: int, request: Request) -> str:
        change = detail.change
        beside = [detail.previous, detail.following, *detail.others]
        told_of = {key_of(one.wiki_id, one.rev_id) for one in beside if one}
        if change.parent_id:
            told_of.add(key_of(change.wiki_id, change.parent_id))
        ui = self._interface_of(request).of_wiki(self._sites(change.wiki_id))
        return render(
            "detail.html",
            ui=ui,
            seq=seq,
            told_of=sorted(told_of),
            **self._login(request, change),
            row=self._row(change),
            site=self._sites(change.wiki_id),
            change=change,
            diff=detail.diff,
            bars=bars_of(detail.reasons or (), ui),
            level=self._level(change, ui),
            previous=self._row(detail.previous),
            following=self._row(detail.following),
            others=[self._row(other) for other in detail.others],
        )

    def _actions(self, change: Change, request: Request) -> str:
        ui, row = self._interface_of(request), self._row(change)
        return render("actions.html", ui=ui, told_of=(), row=row, **self._login(request, change))

    def _login(self, request: Request, change: Change) -> dict[str, object]:
        login = self._logins.of(request, change.wiki_id) if self._logins else None
        csrf = self._logins.csrf(change.wiki_id, login) if self._logins and login else ""
        return {"login": login, "csrf": csrf}

    def _json(self, detail: Detail) -> CloseJson:
        def as_json(change: Change | None) -> ChangeJson | None:
            return None if change is None else change_json(change, self._sites, self._levels.now)

        change, diff = detail.change, detail.diff
        return CloseJson(
            change=change_json(change, self._sites, self._levels.now),
            diff=diff.html if diff else None,
            diff_absence=diff.absence if diff else "no_answer",
            explanation=detail.reasons,
            level=self._level(change, Interface()),
            previous=as_json(detail.previous),
            next=as_json(detail.following),
            user_changes=[change_json(one, self._sites, self._levels.now) for one in detail.others],
        )


def bars_of(reasons: Sequence[Reason], ui: Interface) -> list[Bar]:
    """Return the strongest reasons as bars."""
    shown = sorted(reasons, key=lambda reason: -abs(reason.contribution))[:REASONS_SHOWN]
    most = abs(shown[0].contribution) if shown else 0
    return [_bar(reason, most, ui) for reason in shown]


def _bar(reason: Reason, most: float, ui: Interface) -> Bar:
    width = max(1, round(100 * abs(reason.contribution) / most)) if most else 1
    raises = reason.contribution > 0
    # In English a model says it in its own words.
    if ui.lang == ENGLISH:
        return Bar(reason.text, width, raises)
    said = phrase(
        reason.feature,
        reason.form,
        abs(reason.value),
        is_limit=reason.is_limit,
        lang=ui.lang,
        numerals=ui.numerals,
    )
    return Bar(said or reason.text, width, raises, is_english=said is None)
