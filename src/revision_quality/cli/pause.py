"""`revq pause`: have a wiki asked for nothing, or a model score nothing, until `revq resume`."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from revision_quality.cli.pausing import say
from revision_quality.cli.places import make_folder, open_log
from revision_quality.errors import SettingsError
from revision_quality.events.pause import What
from revision_quality.pauses import Gate
from revision_quality.settings import load_settings

DEFAULT_FILE = Path("revq.toml")

Config = Annotated[Path | None, typer.Argument(help="Settings file; revq.toml if it is here.")]
OfWiki = Annotated[list[str] | None, typer.Option("--wiki", help="wiki_id, such as enwiki.")]
OfModel = Annotated[list[str] | None, typer.Option("--model", help="Name of a model.")]


def pause(config: Config = None, *, wiki: OfWiki = None, model: OfModel = None) -> None:
    """Have a wiki asked for nothing, or a model score nothing; nothing is lost meanwhile."""
    change(config, wiki or [], model or [], is_paused=True)


def change(config: Path | None, wikis: list[str], models: list[str], *, is_paused: bool) -> None:
    """Write into the log what is paused or goes on, and tell what is paused now."""
    wishes: list[tuple[What, str]] = [("wiki", name) for name in wikis]
    wishes += [("model", name) for name in models]
    if not wishes:
        raise SettingsError("nothing is named: give --wiki WIKI_ID or --model NAME")
    settings = load_settings(config or DEFAULT_FILE)
    make_folder(settings.data)
    gate = asyncio.run(say(lambda: open_log(settings), wishes, is_paused=is_paused))
    typer.echo(told(gate))


def told(gate: Gate) -> str:
    """Say what is paused."""
    parts = [
        f"{what} {', '.join(sorted(names))}"
        for what, names in (("wikis", gate.wikis), ("models", gate.models))
        if names
    ]
    return f"Paused: {'; '.join(parts)}." if parts else "Nothing is paused."
