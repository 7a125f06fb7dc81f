"""The command line: verbs, and errors told in one sentence."""

import sys

import typer
from rich.console import Console
from rich.text import Text

from revision_quality import __version__
from revision_quality.cli.logs import set_up_logs
from revision_quality.cli.verbs import LazyVerbs
from revision_quality.errors import RevisionQualityError
from revision_quality.redaction import redacted

app = typer.Typer(
    name="revq",
    cls=LazyVerbs,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Score every edit of any MediaWiki once, and show recent changes by risk of revert.",
)


@app.callback(invoke_without_command=True)
def version(
    context: typer.Context,
    shows_version: bool = typer.Option(False, "--version", help="Print the version."),
) -> None:
    """Print the version, or pass on to the verb."""
    if shows_version:
        typer.echo(f"revq {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(2)


def run() -> None:
    """Run a verb; end with 1 and one sentence where it cannot do what was asked."""
    set_up_logs()
    try:
        app()
    except RevisionQualityError as error:
        sentence = Text.assemble(("revq:", "bold red"), f" {redacted(str(error))}")
        Console(stderr=True, soft_wrap=True).print(sentence)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
