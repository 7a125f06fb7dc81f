"""The levels page: what each level of a wiki does, the curve it was chosen on, who changed it."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from revision_quality.clock import Clock, system_clock
from revision_quality.errors import SettingsError
from revision_quality.levels.calibration import LEAST_REVERTED, isotonic
from revision_quality.levels.choosing import Evidence, choose
from revision_quality.levels.counts import EDGES, Label, total
from revision_quality.levels.counts_table import Day
from revision_quality.levels.curve import Curve
from revision_quality.levels.interval import wilson
from revision_quality.levels.keeper import Choosing, LevelsKeeper, Picture
from revision_quality.levels.level import Level, Withheld
from revision_quality.levels.level_set import LevelChange, LevelSet, StoredSet, log_of
from revision_quality.levels.levels_store import current_sets, history
from revision_quality.levels.scores import NamedModel
from revision_quality.levels.target import EXAMPLES, Target, parse_target
from revision_quality.recent_changes.live_levels import offered
from revision_quality.recent_changes.wiki_levels import LEVELS
from revision_quality.sites import Site
from revision_quality.views.database import Database
from revision_quality.web.interface import Interface
from revision_quality.web.json_answers import ANY_ORIGIN, json_answer, problem_answer
from revision_quality.web.plot import curve_plot, volume_plot
from revision_quality.web.problems import wants_json
from revision_quality.web.rendering import render

LEVELS_PATH = "/levels"
WHAT_IF = "what-if"

_STEP = 10
"""Every tenth threshold of the curve is told."""


class Point(Struct, frozen=True, kw_only=True):
    """What flagging from a score on does; shares are 0 to 1, null where there are no edits.

    `low` and `high` are the 95 % interval (Wilson) of the precision. `risk` is how often edits of
    this score get reverted on the wiki, by isotonic regression, where it has enough of them.
    """

    threshold: float
    precision: float | None
    low: float | None
    high: float | None
    recall: float | None
    flag_rate: float | None
    false_positive_rate: float | None
    edits_a_day: float | None
    risk: float | None


class DayJson(Struct, frozen=True):
    """The counted edits of a day."""

    day: date
    edits: int
    reverted: int


class Offered(Struct, frozen=True, kw_only=True):
    """The levels of a wiki and model version that are in force.

    `note` says why a wiki has none of its own yet, and the model's hold; `fixed` names those that
    were set by hand. `since` is when they came into force, `measured` when they were measured.
    """

    wiki_id: str
    levels: Sequence[Level]
    withheld: Sequence[Withheld] = ()
    fixed: Sequence[str] = ()
    note: str = ""
    since: datetime | None = None
    measured: datetime | None = None
    chosen_by: str | None = None


class WhatIf(Struct, frozen=True, kw_only=True):
    """The level that a target would give, or why there is none."""

    target: str
    level: Level | None = None
    reason: str = ""


class WikiLevelsJson(Struct, frozen=True, kw_only=True):
    """All that is known of a wiki's levels; `curve` is of the edits that they were chosen on."""

    model_name: str
    model_version: str
    offered: Offered
    edits: int
    reverted: int
    pooled: Sequence[str]
    first_day: date | None
    last_day: date | None
    curve: Sequence[Point]
    days: Sequence[DayJson]
    log: Sequence[LevelChange]
    what_if: WhatIf | None = None


class LevelsJson(Struct, frozen=True, kw_only=True):
    """The levels of all wikis that have some of their own, and those of the others."""

    model_name: str
    model_version: str
    default: Sequence[Level]
    wikis: Sequence[Offered]


class LevelsPage:
    """Answers `/levels` and `/levels.json`, of the first model unless another is named.

    `defaults` are the levels that each model brings. Raises StoreError.
    """

    def __init__(
        self,
        database: Database,
        models: Sequence[tuple[NamedModel, tuple[Level, ...]]],
        rules: Choosing,
        site_of: Callable[[str], Site | None],
        interface: Interface | None = None,
        *,
        clock: Clock = system_clock,
    ) -> None:
        self._database = database
        self._models = models
        self._keeper = LevelsKeeper(database, [model for model, _ in models], rules, clock)
        self._site_of = site_of
        self._interface = interface or Interface()
        self._names = {name: self._interface.text(f"level-{name}") for name in LEVELS}

    @property
    def routes(self) -> list[Route]:
        """The routes of `level_operations.OPERATIONS`."""
        return [Route(LEVELS_PATH, self.answer), Route(f"{LEVELS_PATH}.json", self.answer)]

    async def answer(self, request: Request) -> Response:
        """Answer in HTML or, if the reader is a program, in JSON."""
        query = request.query_params
        model, default = self._model(query.get("model"))
        wiki_id = query.get("wiki", "").strip()
        if not wiki_id:
            return await self._list(request, model, default)
        text = query.get(WHAT_IF, "").strip()
        try:
            found = await self._wiki(wiki_id, model, default, text)
        except SettingsError as error:
            if wants_json(request):
                return problem_answer(400, str(error), ANY_ORIGIN)
            found = await self._wiki(wiki_id, model, default, "")
            return self._page(found, asked=text, problem=str(error))
        if wants_json(request):
            return json_answer(found, headers=ANY_ORIGIN)
        return self._page(found, asked=text)

    def _model(self, name: str | None) -> tuple[NamedModel, tuple[Level, ...]]:
        known = {model.name: (model, default) for model, default in reversed(self._models)}
        return known.get(name or "", self._models[0])

    async def _list(
        self, request: Request, model: NamedModel, default: tuple[Level, ...]
    ) -> Response:
        sets = await self._database.read(lambda connection: current_sets(connection, model.number))
        found = LevelsJson(
            model_name=model.name,
            model_version=model.version,
            default=default,
            wikis=[_offered(wiki_id, default, sets[wiki_id]) for wiki_id in sorted(sets)],
        )
        if wants_json(request):
            return json_answer(found, headers=ANY_ORIGIN)
        html = render(
            "levels.html",
            ui=self._interface,
            found=found,
            models=[model for model, _ in self._models],
            names=self._names,
            site_of=self._site_of,
        )
        return HTMLResponse(html, headers=_HEADERS)

    async def _wiki(
        self, wiki_id: str, model: NamedModel, default: tuple[Level, ...], text: str
    ) -> WikiLevelsJson:
        target = parse_target(text) if text else None
        picture = await self._keeper.picture(wiki_id, model)
        sets = await self._database.read(
            lambda connection: history(connection, wiki_id, model.number)
        )
        evidence, window = picture.evidence, picture.window
        shown = _offered(wiki_id, default, sets[0] if sets else None)
        return WikiLevelsJson(
            model_name=model.name,
            model_version=model.version,
            offered=shown,
            edits=sum(day.edits for day in _in_window(picture)),
            reverted=sum(day.reverted for day in _in_window(picture)),
            pooled=() if isinstance(evidence, str) else evidence.pooled,
            first_day=_date(window.first) if window else None,
            last_day=_date(window.last) if window else None,
            curve=[] if isinstance(evidence, str) else _points(evidence),
            days=[DayJson(_date(day.day), day.edits, day.reverted) for day in _in_window(picture)],
            log=log_of(sets),
            what_if=_what_if(target, evidence) if target else None,
        )

    def _page(self, found: WikiLevelsJson, *, asked: str, problem: str = "") -> Response:
        wiki_id = found.offered.wiki_id
        html = render(
            "wiki_levels.html",
            ui=self._interface,
            found=found,
            site=self._site_of(wiki_id),
            names=self._names,
            asked=asked,
            problem=problem,
            examples=EXAMPLES,
            curve=curve_plot(found.curve, found.offered.levels),
            volume=volume_plot(found.days),
        )
        return HTMLResponse(html, headers=_HEADERS)


_HEADERS = {"Cache-Control": "no-cache", "Vary": "Accept"}


def _offered(wiki_id: str, default: tuple[Level, ...], stored: StoredSet | None) -> Offered:
    chosen = stored.chosen if stored else LevelSet(note="no edit of this wiki has been counted yet")
    return Offered(
        wiki_id=wiki_id,
        levels=offered(default, chosen),
        withheld=chosen.withheld,
        fixed=sorted(chosen.fixed),
        note=chosen.note,
        since=datetime.fromtimestamp(stored.since, UTC) if stored else None,
        measured=datetime.fromtimestamp(stored.measured, UTC) if stored else None,
        chosen_by=stored.chosen_by if stored else None,
    )


def _in_window(picture: Picture) -> list[Day]:
    window = picture.window
    return [day for day in picture.days if window and window.first <= day.day <= window.last]


def _points(evidence: Evidence) -> list[Point]:
    counts = total(evidence.periods)
    curve, own = Curve(counts), Curve(evidence.own)
    clear = _numbers_from(curve)
    is_enough = evidence.own.number(Label.REVERTED) >= LEAST_REVERTED
    risk = isotonic(evidence.own) if is_enough else None
    points = []
    for place in range(0, len(EDGES), _STEP):
        precision = _or_none(curve.precision[place])
        band = None if precision is None else wilson(precision, clear[place])
        points.append(
            Point(
                threshold=float(EDGES[place]),
                precision=precision,
                low=None if band is None else round(band.low, 4),
                high=None if band is None else round(band.high, 4),
                recall=_or_none(curve.recall[place]),
                flag_rate=_or_none(own.flag_rate[place]),
                false_positive_rate=_or_none(curve.false_positive_rate[place]),
                edits_a_day=_or_none(own.edits_a_day[place]),
                risk=None if risk is None else _or_none(risk[place]),
            )
        )
    return points


def _numbers_from(curve: Curve) -> list[float]:
    """Return how many edits with a clear label are at or above each threshold, by weights."""
    labels = [Label.KEPT, Label.REVERTED]
    mass = curve.counts.mass[:, labels].sum((0, 1))[::-1].cumsum()[::-1]
    squares = curve.counts.squares[:, labels].sum((0, 1))[::-1].cumsum()[::-1]
    return [float(m * m / s) if s > 0 else 0.0 for m, s in zip(mass, squares, strict=True)]


def _what_if(target: Target, evidence: Evidence | str) -> WhatIf:
    if isinstance(evidence, str):
        return WhatIf(target=target.text, reason=evidence)
    choice = choose({WHAT_IF: target}, evidence)
    if choice.levels:
        return WhatIf(target=target.text, level=choice.levels[0])
    return WhatIf(target=target.text, reason=choice.withheld[0].reason)


def _date(day: int) -> date:
    return date(1970, 1, 1) + timedelta(days=day)


def _or_none(share: float) -> float | None:
    number = float(share)
    return round(number, 5) if number == number else None  # noqa: PLR0124, nan is not itself
