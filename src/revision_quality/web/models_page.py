"""The models page: which model is shown, and how another one compares with it."""

from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime

from msgspec import Struct
from sqlalchemy import Connection, select
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from revision_quality.clock import Clock, system_clock
from revision_quality.errors import SettingsError
from revision_quality.levels.comparison import Comparison, Measured
from revision_quality.levels.counts_table import settled_day
from revision_quality.levels.labelling import WAIT_SECONDS
from revision_quality.levels.side_by_side import LevelledModel, read_side_by_side
from revision_quality.recent_changes.live_levels import levelled_in
from revision_quality.recent_changes.wiki_levels import LEVELS
from revision_quality.scoring.model_rule import ModelKey, model_named
from revision_quality.sites import Site
from revision_quality.views import shown_model
from revision_quality.views.database import Database
from revision_quality.views.tables import change_counts
from revision_quality.web.interface import Interface
from revision_quality.web.json_answers import ANY_ORIGIN, Problem, json_answer, problem_answer
from revision_quality.web.operation import Content, Operation, Parameter, Reply
from revision_quality.web.plot import Plot, pair_plot
from revision_quality.web.problems import wants_json
from revision_quality.web.remembered import Remembered
from revision_quality.web.rendering import render

MODELS_PATH = "/models"

_REMEMBERED, _SECONDS = 16, 60
"""Comparisons kept, and for how long: one reads some ten thousand edits."""


class ModelJson(Struct, frozen=True, kw_only=True):
    """A model; `scored` is of how many of the `recent` changes it has an outcome.

    Both are null for the one that is shown, and where it has scored nothing.
    """

    model_name: str
    model_version: str
    is_shown: bool
    recent: int | None = None
    scored: int | None = None


class PromotionJson(Struct, frozen=True, kw_only=True):
    """That a model was shown from `since` on, having scored the share `coverage` by then."""

    model_name: str
    model_version: str
    since: datetime
    coverage: float


class ComparisonJson(Struct, frozen=True, kw_only=True):
    """A model beside the one that is shown.

    Of all wikis together each goes by the levels that it brings, of one (`wiki_id`) by those in
    force there. `agreement` is of the newest edits that both have scored, `measured` of those that
    have a label.
    """

    model_name: str
    model_version: str
    wiki_id: str | None
    agreement: Comparison
    measured: Measured


class ModelsJson(Struct, frozen=True, kw_only=True):
    """The models, the promotions from the first on, and a comparison where there are two."""

    models: Sequence[ModelJson]
    promotions: Sequence[PromotionJson]
    comparison: ComparisonJson | None = None


class _Asked(Struct, frozen=True):
    """What an answer depends on: the other model, the wiki, what is shown, the minute."""

    other: ModelKey | None
    wiki_id: str | None
    state: tuple[int, int]
    minute: int


class ModelsPage:
    """Answers `/models` and `/models.json`. `wait` is as in `levels.keeper`. Raises StoreError."""

    def __init__(
        self,
        database: Database,
        models: Sequence[LevelledModel],
        site_of: Callable[[str], Site | None],
        *,
        wait: int = WAIT_SECONDS,
        interface: Interface | None = None,
        clock: Clock = system_clock,
    ) -> None:
        self._database = database
        self._models = {model.key: model for model in models}
        self._site_of = site_of
        self._wait = wait
        self._interface = interface or Interface()
        self._clock = clock
        self._names = {name: self._interface.text(f"level-{name}") for name in LEVELS}
        self._found = Remembered(self._read, capacity=_REMEMBERED)

    @property
    def routes(self) -> list[Route]:
        """The routes of OPERATIONS."""
        return [Route(MODELS_PATH, self.answer), Route(f"{MODELS_PATH}.json", self.answer)]

    async def answer(self, request: Request) -> Response:
        """Answer in HTML or, if the reader is a program, in JSON."""
        named, problem, other = request.query_params.get("model", "").strip(), "", None
        try:
            other = model_named(list(self._models), named) if named else None
        except SettingsError as error:
            problem = str(error)
            if wants_json(request):
                return problem_answer(400, problem, ANY_ORIGIN)
        wiki_id = request.query_params.get("wiki", "").strip() or None
        state = await self._database.read(shown_model.state)
        minute = int(self._clock.now().timestamp() // _SECONDS)
        found = await self._found.of(_Asked(other, wiki_id, state, minute))
        if wants_json(request):
            return json_answer(found, headers=ANY_ORIGIN)
        return self._page(found, wiki_id, await self._database.read(_wikis), problem)

    async def _read(self, asked: _Asked) -> ModelsJson:
        return await self._database.read(lambda connection: self._told(connection, asked))

    def _told(self, connection: Connection, asked: _Asked) -> ModelsJson:
        shown = shown_model.shown(connection)
        keys = shown_model.in_order(list(self._models), shown)
        beside = [key for key in shown_model.beside(connection) if key in keys[1:]]
        other = asked.other or next(iter([*beside[-1:], *keys[:0:-1]]), None)
        comparison = None
        if other is not None and other != keys[0]:
            comparison = self._compared(connection, keys[0], other, asked.wiki_id)
        return ModelsJson(
            models=[
                _model(connection, key, is_shown=key == keys[0], has_scored=key in beside)
                for key in keys
            ],
            promotions=[_promotion(each) for each in shown_model.history(connection)],
            comparison=comparison,
        )

    def _compared(
        self, connection: Connection, shown: ModelKey, other: ModelKey, wiki_id: str | None
    ) -> ComparisonJson:
        last = settled_day(self._clock.now(), self._wait)
        mine, theirs = (
            levelled_in(connection, self._models[key], wiki_id) for key in (shown, other)
        )
        found = read_side_by_side(connection, mine, theirs, last, wiki_id)
        return ComparisonJson(
            model_name=other[0],
            model_version=other[1],
            wiki_id=wiki_id,
            agreement=found.agreement,
            measured=found.measured,
        )

    def _page(
        self, found: ModelsJson, wiki_id: str | None, wikis: Collection[str], problem: str
    ) -> Response:
        told = found.comparison
        listed = sorted({*wikis, wiki_id} if wiki_id else wikis)
        sites = {each: self._site_of(each) for each in listed}
        html = render(
            "models.html",
            ui=self._interface,
            found=found,
            names=self._names,
            problem=problem,
            wiki_id=wiki_id,
            wikis={each: site.name if site else each for each, site in sites.items()},
            quality=_quality_plot(told.measured) if told else None,
            flagged=_flag_plot(told.agreement) if told else None,
        )
        return HTMLResponse(html, headers={"Cache-Control": "no-cache", "Vary": "Accept"})


def _wikis(connection: Connection) -> Collection[str]:
    columns = change_counts.c
    return connection.execute(select(columns.wiki_id).where(columns.number > 0)).scalars().all()


def _model(connection: Connection, key: ModelKey, *, is_shown: bool, has_scored: bool) -> ModelJson:
    coverage = shown_model.coverage(connection, key) if has_scored else None
    return ModelJson(
        model_name=key[0],
        model_version=key[1],
        is_shown=is_shown,
        recent=coverage.edits if coverage else None,
        scored=coverage.covered if coverage else None,
    )


def _promotion(told: shown_model.Shown) -> PromotionJson:
    return PromotionJson(
        model_name=told.model[0],
        model_version=told.model[1],
        since=datetime.fromtimestamp(told.since / 1000, UTC),
        coverage=told.coverage,
    )


def _quality_plot(told: Measured) -> Plot | None:
    """Return the precision over the recall, None where nothing was reverted."""
    if not told.reverted:
        return None
    shown, other = (
        [(point.recall or 0.0, point.precision) for point in quality.curve]
        for quality in (told.shown, told.other)
    )
    return pair_plot(shown, other)


def _flag_plot(told: Comparison) -> Plot | None:
    """Return the share flagged over the threshold."""
    if not told.curve:
        return None
    return pair_plot(
        [(point.threshold, point.shown) for point in told.curve],
        [(point.threshold, point.other) for point in told.curve],
    )


_PARAMETERS = (
    Parameter(
        name="model",
        place="query",
        description="The model to compare with the one that is shown: its version, its name, or"
        " name@version. Without it, one that scores beside.",
    ),
    Parameter(
        name="wiki",
        place="query",
        description="The wiki_id of the wiki whose edits count, by its own levels. Without it, the"
        " edits of all wikis count together, by the levels that each model brings.",
    ),
)
_HTML = Content(kinds=(str,), media_type="text/html")
_PROBLEM = Content(kinds=(Problem,), media_type="application/problem+json")

OPERATIONS = (
    Operation(
        id="models_page",
        method="GET",
        path=MODELS_PATH,
        tag="Levels",
        summary="Show which model is shown, and how another one compares with it",
        description="In JSON where the Accept header asks for it and not for HTML.",
        parameters=_PARAMETERS,
        replies={200: Reply("The page.", _HTML), 503: Reply("The views cannot be read.", _HTML)},
    ),
    Operation(
        id="models_json",
        method="GET",
        path=f"{MODELS_PATH}.json",
        tag="Levels",
        summary="Compare a model with the one that is shown",
        parameters=_PARAMETERS,
        replies={
            200: Reply("The models.", Content(kinds=(ModelsJson,))),
            400: Reply("There is no such model, or several.", _PROBLEM),
            503: Reply("The views cannot be read.", _PROBLEM),
        },
    ),
)
