"""`revq models`: models side by side, and which one is shown."""

import asyncio
import tomllib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from msgspec import Struct
from msgspec.structs import replace
from rich.console import Console
from rich.table import Table
from sqlalchemy import Connection

from revision_quality.cli.model_state import ModelState, read_state
from revision_quality.cli.places import open_view
from revision_quality.cli.rules import open_rules, stream_of
from revision_quality.cli.wikis import http_client
from revision_quality.clock import system_clock
from revision_quality.errors import SettingsError
from revision_quality.levels.comparison import Comparison, Measured
from revision_quality.levels.counts_table import settled_day
from revision_quality.levels.side_by_side import LevelledModel, SideBySide, read_side_by_side
from revision_quality.recent_changes.live_levels import levelled_in
from revision_quality.scoring.model_rule import ModelKey, ModelRule, model_named
from revision_quality.settings import Settings, load_settings
from revision_quality.views import shown_model
from revision_quality.views.changes import ChangesView

DEFAULT_FILE = Path("revq.toml")

T = TypeVar("T")

models = typer.Typer(
    name="models",
    add_completion=False,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    help="Run models side by side, compare them, and change which one is shown.",
)

Config = Annotated[Path | None, typer.Option(help="Settings file; revq.toml if it is here.")]
Data = Annotated[Path | None, typer.Option(help="Data folder, instead of the file's.")]
Named = Annotated[str, typer.Argument(help="Its version, its name, or name@version.")]


class _House(Struct, frozen=True):
    """The settings, the models with the shown one first, and the view."""

    settings: Settings
    state: ModelState
    rules: list[ModelRule]
    view: ChangesView


@models.command("list")
def list_models(config: Config = None, data: Data = None) -> None:
    """List the models: which is shown, and how much of the recent changes each has scored."""
    typer.echo(_with_house(config, data, _list), nl=False)


@models.command()
def shadow(
    file: Annotated[
        Path | None, typer.Argument(help="Model file, as `revq train` writes it.")
    ] = None,
    *,
    kind: Annotated[str, typer.Option(help="Kind of the model, as in [[models]].")] = "revert_risk",
    option: Annotated[
        list[str] | None,
        typer.Option(help='Key of a [[models]] block: name="x"; may be given again.'),
    ] = None,
    config: Config = None,
    data: Data = None,
) -> None:
    """Have a further model score every edit, unseen; a running `revq run` takes it up at once."""
    block = {"kind": kind, **_options(option or [])}
    if file is not None:
        block["file"] = str(file.absolute())
    typer.echo(_with_house(config, data, lambda house: _shadow(house, block)))


@models.command("compare")
def compare_models(
    model: Named,
    *,
    wiki: Annotated[
        str | None, typer.Option(help="wiki_id: only its edits, by its own levels.")
    ] = None,
    config: Config = None,
    data: Data = None,
) -> None:
    """Compare a model with the one that is shown, on the edits that both have scored."""
    typer.echo(_with_house(config, data, lambda house: _compare(house, model, wiki)), nl=False)


@models.command()
def promote(
    model: Named,
    *,
    coverage: Annotated[
        float, typer.Option(min=0, max=1, help="Share of recent changes that it must have scored.")
    ] = 0.95,
    config: Config = None,
    data: Data = None,
) -> None:
    """Show a model's scores and levels instead of those that are shown, all at once."""
    typer.echo(_with_house(config, data, lambda house: _promote(house, model, coverage)))


@models.command()
def back(config: Config = None, data: Data = None) -> None:
    """Show again what was shown before the last promotion."""
    typer.echo(_with_house(config, data, _back))


@models.command()
def drop(model: Named, config: Config = None, data: Data = None) -> None:
    """Let a model that was added by `shadow` score no more; its scores stay in the streams."""
    typer.echo(_with_house(config, data, lambda house: _drop(house, model)))


def _with_house(
    config: Path | None, data: Path | None, work: Callable[[_House], Awaitable[T]]
) -> T:
    return asyncio.run(_open(_settings(config, data), work))


def _settings(config: Path | None, data: Path | None) -> Settings:
    if data is not None and config is None and not DEFAULT_FILE.exists():
        return Settings(data_folder=str(data))
    settings = load_settings(config or DEFAULT_FILE)
    return settings if data is None else replace(settings, data_folder=str(data))


async def _open(settings: Settings, work: Callable[[_House], Awaitable[T]]) -> T:
    settings.data.mkdir(parents=True, exist_ok=True)
    view = await asyncio.to_thread(open_view, settings)
    try:
        state = await view.read(read_state)
        async with http_client() as client:
            rules = state.in_order(open_rules(state.blocks(settings), client))
            return await work(_House(settings, state, rules, view))
    finally:
        await view.close()


async def _list(house: _House) -> str:
    table = Table("model", "version", "", "scored of recent changes")
    beside = set(await house.view.read(shown_model.beside))
    for number, rule in enumerate(house.rules):
        share = "-"
        if rule.key in beside and number:
            found = await _coverage(house, rule.key)
            share = f"{found.share:.1%} of {found.edits:,}"
        table.add_row(*rule.key, "" if number else "shown", share)
    return _printed(table)


async def _coverage(house: _House, model: ModelKey) -> shown_model.Coverage:
    return await house.view.read(lambda connection: shown_model.coverage(connection, model))


async def _shadow(house: _House, block: dict[str, Any]) -> str:
    number = len(house.state.shadows) + 1
    async with http_client() as client:
        (rule,) = open_rules(ModelState(shadows=(block,)).added, client)
        name, version = rule.key
        apart = {
            "stream": stream_of(rule.model),
            "group": f"{stream_of(rule.model)}-{version}-{number}",
        }
        block = apart | block
        both = ModelState(shadows=(*house.state.shadows, block))
        open_rules(both.blocks(house.settings), client)
    now = int(system_clock.now().timestamp() * 1000)
    await house.view.write(lambda connection: shown_model.add_shadow(connection, block, now))
    return (
        f"{name} {version} scores every edit from now on, into the stream {block['stream']};"
        f" `revq models compare {version}` shows how it does."
    )


async def _compare(house: _House, named: str, wiki_id: str | None) -> str:
    rule, first = _named(house, named), house.rules[0]
    last = settled_day(system_clock.now(), house.settings.levels.wait)
    models = [LevelledModel(each.key, each.levels) for each in (first, rule)]

    def read(connection: Connection) -> SideBySide:
        shown, other = (levelled_in(connection, model, wiki_id) for model in models)
        return read_side_by_side(connection, shown, other, last, wiki_id)

    told = await house.view.read(read)
    tables = _tables(told.agreement, first.key, rule.key)
    return _printed(*tables, *_measured_tables(told.measured, first.key, rule.key))


async def _promote(house: _House, named: str, least: float) -> str:
    rule = _named(house, named)
    if rule is house.rules[0]:
        raise SettingsError(f"{rule.model.name} {rule.model.version} is shown already")
    return await _show(house, rule.key, least)


async def _back(house: _House) -> str:
    history = [one.model for one in await house.view.read(shown_model.history)]
    if not history:
        raise SettingsError("there is nothing to go back to: no model has been promoted")
    default = house.settings.blocks[0]
    before = history[-2] if len(history) > 1 else await _first_of_settings(house, default)
    if before not in [rule.key for rule in house.rules]:
        raise SettingsError(
            f"{before[0]} {before[1]}, which was shown before, is not among the models any more:"
            " add it to the settings, or with `revq models shadow`"
        )
    return await _show(house, before, 0.0)


async def _first_of_settings(house: _House, block: Any) -> ModelKey:
    async with http_client() as client:
        return open_rules([block], client)[0].key


async def _show(house: _House, model: ModelKey, least: float) -> str:
    now = int(system_clock.now().timestamp() * 1000)
    found = await house.view.promote(model, now, least)
    if found.share < least:
        raise SettingsError(
            f"{model[0]} {model[1]} has scored {found.share:.1%} of {found.edits:,} recent changes,"
            f" {least:.0%} are asked for: wait, run `revq backfill --since 30d --model {model[1]}`,"
            " or give a lower --coverage"
        )
    return (
        f"{model[0]} {model[1]} is shown: it had scored {found.share:.1%} of {found.edits:,} recent"
        " changes. `revq models back` shows again what was shown before."
    )


async def _drop(house: _House, named: str) -> str:
    rule = _named(house, named)
    if rule is house.rules[0]:
        raise SettingsError(f"{rule.model.name} {rule.model.version} is shown: promote another")
    async with http_client() as client:
        numbered = [
            number
            for number, block in enumerate(house.state.added)
            if open_rules([block], client)[0].key == rule.key
        ]
    if not numbered:
        raise SettingsError(
            f"{rule.model.name} {rule.model.version} is in the settings: remove its block there"
        )
    await house.view.write(lambda connection: shown_model.drop_shadow(connection, numbered[0]))
    return f"{rule.model.name} {rule.model.version} scores no more."


def _named(house: _House, named: str) -> ModelRule:
    """Find a model. Raises SettingsError."""
    key = model_named([rule.key for rule in house.rules], named)
    return next(rule for rule in house.rules if rule.key == key)


def _options(given: list[str]) -> dict[str, Any]:
    try:
        return tomllib.loads("\n".join(given))
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(
            f'--option: expected a key and a value as in TOML, such as name="x" ({error})'
        ) from error


def _tables(told: Comparison, shown: ModelKey, other: ModelKey) -> list[Table]:
    one, two = f"{shown[0]} {shown[1]} (shown)", " ".join(other)
    both = Table("on edits that both have scored", "")
    both.add_row("edits", f"{told.edits:,}")
    for name, value in (
        ("rank correlation", told.correlation),
        ("mean difference of scores", told.difference),
        ("population stability index", told.stability),
    ):
        both.add_row(name, "-" if value is None else f"{value:.3f}")
    levels = Table("level", one, two, "both, of either")
    for each in told.levels:
        levels.add_row(each.level, *map(_share, (each.shown, each.other, each.both)))
    curve = Table("flagged from", one, two)
    for point in told.curve:
        curve.add_row(f"{point.threshold:.2f}", _share(point.shown), _share(point.other))
    return [both, levels, curve]


def _measured_tables(told: Measured, shown: ModelKey, other: ModelKey) -> list[Table]:
    if not told.edits:
        return [Table("no edit that both have scored has a settled label yet")]
    counted = f"of {told.edits:,} labelled edits, {told.reverted:,} reverted"
    levels = Table("level", "model", "precision", "95 % interval", "recall", "flagged")
    for model, quality in ((shown, told.shown), (other, told.other)):
        for each in quality.levels:
            band = "-" if each.low is None else f"{_share(each.low)} to {_share(each.high)}"
            shares = (_share(each.precision), band, _share(each.recall), _share(each.flag_rate))
            levels.add_row(each.level, " ".join(model), *shares)
    recalls = Table(f"recall ({counted})", f"precision of {shown[1]}", f"of {other[1]}")
    for one, two in zip(told.shown.at_recall, told.other.at_recall, strict=True):
        recalls.add_row(f"{one.recall:.0%}", _share(one.precision), _share(two.precision))
    return [levels, recalls]


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"


def _printed(*tables: Table) -> str:
    console = Console()
    with console.capture() as captured:
        for table in tables:
            console.print(table)
    return captured.get()
