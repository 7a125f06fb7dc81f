"""`revq levels`: what each wiki's levels are and do, what others would do, levels set by hand."""

import getpass
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from msgspec import Struct
from rich.console import Console
from rich.table import Table

from revision_quality.cli.level_rules import check_level, choosing_of
from revision_quality.cli.loop import run_loop
from revision_quality.cli.places import open_view
from revision_quality.cli.rules import open_rules
from revision_quality.cli.run import DEFAULT_FILE
from revision_quality.cli.wikis import http_client
from revision_quality.errors import SettingsError
from revision_quality.levels.choosing import choose
from revision_quality.levels.keeper import LevelsKeeper
from revision_quality.levels.level import Level, MeasuredLevel, Withheld
from revision_quality.levels.level_set import LevelSet
from revision_quality.levels.levels_store import current_sets
from revision_quality.levels.scores import NamedModel
from revision_quality.levels.target import parse_target
from revision_quality.recent_changes.live_levels import offered
from revision_quality.scoring.model_rule import ModelRule
from revision_quality.settings import Settings, load_settings
from revision_quality.views.database import Database

WHAT_IF = "what-if"


class WikiReport(Struct, frozen=True, kw_only=True):
    """The levels of one wiki and model version, as `--json` prints them."""

    wiki_id: str
    model_name: str
    model_version: str
    levels: Sequence[Level]
    withheld: Sequence[Withheld] = ()
    fixed: Mapping[str, float] = {}
    note: str = ""


class _Asked(Struct, frozen=True, kw_only=True):
    wiki: str | None
    model: str | None
    target: str | None
    set: str | None
    clear: str | None
    by: str


def levels(
    config: Annotated[
        Path | None, typer.Argument(help="Settings file; revq.toml if it is here.")
    ] = None,
    wiki: Annotated[str | None, typer.Option(help="Only this wiki, by its wiki_id.")] = None,
    *,
    model: Annotated[
        str | None, typer.Option(help="Of this model; the first of the settings by default.")
    ] = None,
    what_if: Annotated[
        str | None,
        typer.Option(help='Which level a target would give, such as "flag_rate <= 0.02".'),
    ] = None,
    set_: Annotated[
        str | None,
        typer.Option("--set", help="Set a level of --wiki by hand, such as likelybad=0.62."),
    ] = None,
    clear: Annotated[
        str | None, typer.Option(help="Have this level of --wiki chosen by its target again.")
    ] = None,
    by: Annotated[
        str | None, typer.Option(help="Who sets it, for the log; the user of this machine.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show each wiki's levels and what they were measured to do; try targets, set levels."""
    if (set_ or clear) and not wiki:
        raise SettingsError("a level is set for one wiki: add --wiki and its wiki_id")
    asked = _Asked(
        wiki=wiki, model=model, target=what_if, set=set_, clear=clear, by=by or getpass.getuser()
    )
    reports: list[WikiReport] = []
    run_loop(_report(load_settings(config or DEFAULT_FILE), asked, reports))
    if as_json:
        typer.echo(msgspec.json.format(msgspec.json.encode(reports)).decode())
    else:
        _print(reports, wiki)


async def _report(settings: Settings, asked: _Asked, reports: list[WikiReport]) -> None:
    async with http_client() as client:
        rule = _rule(open_rules(settings.blocks, client), asked.model)
    view = open_view(settings)
    try:
        named = NamedModel(rule.model.name, rule.model.version)
        keeper = LevelsKeeper(view.database, [named], choosing_of(settings.levels))
        if asked.wiki and (asked.set or asked.clear):
            name, threshold = _by_hand(asked.set, asked.clear)
            await keeper.fix(asked.wiki, named, name, threshold, asked.by)
        wikis = await _wikis(view.database, named, asked)
        for wiki_id, chosen in wikis.items():
            if asked.target:
                chosen = await _tried(keeper, wiki_id, named, asked.target)  # noqa: PLW2901
            shown = chosen.levels if asked.target else offered(rule.levels, chosen)
            reports.append(
                WikiReport(
                    wiki_id=wiki_id,
                    model_name=named.name,
                    model_version=named.version,
                    levels=shown,
                    withheld=chosen.withheld,
                    fixed=chosen.fixed,
                    note=chosen.note,
                )
            )
    finally:
        await view.close()


async def _wikis(database: Database, model: NamedModel, asked: _Asked) -> dict[str, LevelSet]:
    sets = await database.read(lambda connection: current_sets(connection, model.number))
    found = {wiki_id: each.chosen for wiki_id, each in sorted(sets.items())}
    if asked.wiki is None:
        return found
    none = LevelSet(note="no levels have been chosen yet: `revq run` does so every day")
    return {asked.wiki: found.get(asked.wiki, none)}


async def _tried(keeper: LevelsKeeper, wiki_id: str, model: NamedModel, text: str) -> LevelSet:
    target = parse_target(text)
    evidence = (await keeper.picture(wiki_id, model)).evidence
    if isinstance(evidence, str):
        return LevelSet(note=evidence)
    choice = choose({WHAT_IF: target}, evidence)
    return LevelSet(levels=choice.levels, withheld=choice.withheld)


def _rule(rules: Sequence[ModelRule], name: str | None) -> ModelRule:
    for rule in rules:
        if name is None or rule.model.name == name:
            return rule
    known = ", ".join(rule.model.name for rule in rules)
    raise SettingsError(f"--model: there is no model {name!r}; known are {known}")


def _by_hand(setting: str | None, clear: str | None) -> tuple[str, float | None]:
    if setting is None:
        return check_level(clear or ""), None
    name, _, number = setting.partition("=")
    try:
        threshold = float(number)
    except ValueError:
        threshold = -1.0
    if not 0 < threshold < 1:
        raise SettingsError(
            f"--set {setting}: write a level and a score between 0 and 1, such as likelybad=0.62"
        )
    return check_level(name), threshold


def _print(reports: Sequence[WikiReport], wiki: str | None) -> None:
    console = Console()
    if not reports:
        console.print(
            "No levels have been chosen yet: `revq run` does so at its start and every day. Until"
            " then, those that come with the model hold."
        )
        return
    table = Table("wiki", "level", "threshold", box=None, pad_edge=False, header_style="bold")
    for name in ("precision", "interval", "recall", "flag rate", "edits a day", "n", "chosen on"):
        table.add_column(name, justify="right" if name != "chosen on" else "left")
    for report in reports:
        for level in report.levels:
            table.add_row(report.wiki_id, level.name, *_cells(level, report))
    console.print(table)
    notes = [(report.wiki_id, "", report.note) for report in reports if report.note]
    notes += [(each.wiki_id, one.name, one.reason) for each in reports for one in each.withheld]
    if notes:
        console.print()
    for wiki_id, name, reason in notes if wiki or len(notes) <= _MOST_NOTES else ():
        of_level = f" {name}: not offered," if name else ": the levels of the model hold,"
        console.print(f"{wiki_id}{of_level} {reason}", highlight=False)
    if not wiki and len(notes) > _MOST_NOTES:
        console.print(f"{len(notes)} levels are not offered; --wiki tells of one wiki why.")


_MOST_NOTES = 30


def _cells(level: Level, report: WikiReport) -> list[str]:
    source = "own edits"
    cells = [f"{level.threshold:.3f}", f"{level.precision:.2f}"]
    if isinstance(level, MeasuredLevel):
        cells.append(f"{level.low:.2f} to {level.high:.2f}")
        if level.pooled:
            source = f"{len(level.pooled)} wikis like it: {', '.join(level.pooled[:3])}"
    else:
        cells.append("")
        source = "the model's edits"
    if level.name in report.fixed:
        source = f"set by hand, measured on {source}"
    cells += [f"{level.recall:.2f}", f"{level.flag_rate:.2%}"]
    a_day = f"{level.edits_a_day:,.1f}" if isinstance(level, MeasuredLevel) else ""
    return [*cells, a_day, f"{level.n:,}", source]
