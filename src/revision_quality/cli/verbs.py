"""The verbs by name: each one's module is imported when it is run, not before."""

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

_PACKAGE = "revision_quality.cli"

VERBS = {
    "demo": "Replay real edits of fourteen Wikipedias, scored on this machine, and serve the page.",
    "run": "Poll wikis, score every edit once, and serve recent changes.",
    "init": "Ask a wiki's API who it is, and write a settings file with comments.",
    "score": "Print a Lift Wing response for each revision, one a line, in order, errors included.",
    "backfill": "Bring edits of the past into the streams, from the wikis or from an XML dump.",
    "levels": "Show each wiki's levels and what they were measured to do; try targets, set levels.",
    "status": "Ask a running revq how each wiki, model and view is.",
    "pause": "Have a wiki asked for nothing, or a model score nothing; nothing is lost meanwhile.",
    "resume": "Let a paused wiki or model go on: what happened meanwhile is caught up with.",
    "backup": "Copy the embedded store into a folder, while it runs or not.",
    "restore": "Put a backup in the place of the embedded store, which must not be there.",
    "models": "Run models side by side, compare them, and change which one is shown.",
    "replay": "Put failed edits, unreadable events or a span of time through scoring again.",
    "doctor": "Look at every place that the settings name: what is wrong, and what to do.",
    "train": "Train a model from labelled edits; calibrate it on edits left out; write its card.",
    "evaluate": "Measure the shipped way of training (or one model file) at the natural rate.",
}
"""In the order of the help: the function (or application) `name` of the module `cli.name`, and the
first line of its docstring, which the help shows without importing it."""


class LazyVerbs(TyperGroup):
    """Lists the verbs by their help lines, and imports the one that is run."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = {name: TyperCommand(name, help=text) for name, text in VERBS.items()}

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the name, the command and the arguments of the verb to run."""
        name, _, rest = super().resolve_command(ctx, args)
        return name, load(str(name)), rest


def load(name: str) -> Any:
    """Import a verb, or an application of several, and return its command."""
    found = getattr(import_module(f"{_PACKAGE}.{name}"), name)
    if isinstance(found, typer.Typer):
        return typer.main.get_command(found)
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command(name)(found)
    return typer.main.get_command(app)
