"""`revq evaluate`: how good a model is, beside the published recipe and a simple rule."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Column, Table

from revision_quality.cli.train import (
    DATA_HELP,
    EDITS_HELP,
    SINCE_HELP,
    TOKEN_HELP,
    WIKI_ID_HELP,
    Choice,
    check_places,
    needs_training_extra,
    progress_bars,
    read_examples,
    write,
)
from revision_quality.errors import SettingsError
from revision_quality.models.revert_risk import RevertRisk

if TYPE_CHECKING:
    from revision_quality.training.evaluate import Report


_WIDTH = 132
"""Characters of a line in a file or pipe: figures with intervals of four scorers side by side."""


class Split(StrEnum):
    """What the measured edits are held apart by."""

    WIKI = "wiki"
    TIME = "time"


@needs_training_extra
def evaluate(
    data: Annotated[str, typer.Argument(help=DATA_HELP)],
    *,
    since: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help=SINCE_HELP)] = None,
    edits: Annotated[int | None, typer.Option(min=1, help=EDITS_HELP)] = None,
    access_token_env: Annotated[str | None, typer.Option(help=TOKEN_HELP)] = None,
    wiki_id: Annotated[str | None, typer.Option(help=WIKI_ID_HELP)] = None,
    model: Annotated[
        Path | None,
        typer.Option(help="Measure this model file on data it has not seen, without training."),
    ] = None,
    split: Annotated[
        Split, typer.Option(help="Train and measure on different wikis, or on earlier and later.")
    ] = Split.WIKI,
    folds: Annotated[int, typer.Option(help="Groups of wikis left out in turn.", min=2)] = 6,
    json: Annotated[Path, typer.Option(help="File for all figures.")] = Path("evaluation.json"),
    html: Annotated[Path, typer.Option(help="Page with plots.")] = Path("evaluation.html"),
    resamples: Annotated[int, typer.Option(help="Draws for the intervals.", min=0)] = 200,
    threads: Annotated[int, typer.Option(help="Threads for growing trees.", min=1)] = 1,
) -> None:
    """Measure the shipped way of training (or one model file) at the natural rate."""
    from revision_quality.training import evaluate as evaluating  # noqa: PLC0415
    from revision_quality.training import examples as sets  # noqa: PLC0415
    from revision_quality.training import fit, page  # noqa: PLC0415
    from revision_quality.training.boost import Settings  # noqa: PLC0415

    check_places(json, html)
    choice = Choice(
        data=data, wiki_id=wiki_id, since=since, edits=edits, token_env=access_token_env
    )
    settings = Settings(threads=threads)
    with progress_bars() as progress:
        examples = read_examples(choice, progress, with_peer=model is None)
        if model is not None:
            artifact = RevertRisk.load(model).artifact
            scores = {
                f"model {artifact.header.version}": artifact.calibration.apply(
                    fit.Grown(artifact.ngrams, artifact.trees).margins(examples)
                )
            }
            setting = f"Model file {model.name}, scored as it is."
            measured = examples
        elif split is Split.WIKI:
            masks = sets.wiki_folds(examples.wikis, folds, settings.seed)
            if len(masks) < 2:
                raise SettingsError(
                    f"{data}: holds one wiki, and a split by wiki needs two; use --split time."
                )
            growing = progress.add_task("Trees", total=len(masks) * evaluating.MODELS)
            scores = evaluating.cross_validated(
                examples, masks, settings, lambda: progress.advance(growing)
            )
            setting = (
                f"Wikis left out of training, in {len(masks)} groups in turn; one calibration line"
                " of three parameters for all."
            )
            measured = examples
        else:
            later = sets.latest(examples, 0.25)
            growing = progress.add_task("Trees", total=fit.INNER_FOLDS + evaluating.MODELS)
            scores = evaluating.before_and_after(
                examples, later, settings, lambda: progress.advance(growing)
            )
            setting = "The latest quarter of each wiki's edits, trained on what came before."
            measured = examples.only(later)
        measuring = progress.add_task("Figures", total=len(scores) + 1)
        found = evaluating.report(
            setting, scores, measured, resamples=resamples, tick=lambda: progress.advance(measuring)
        )
    write(json, msgspec.json.format(msgspec.json.encode(found)))
    write(html, page.render(found).encode())
    console = Console()
    if not console.is_terminal:
        console.width = max(console.width, _WIDTH)
    console.print(setting)
    for title, figures in page.groups(found).items():
        table = _table(["Figure", *(each.name for each in found.scorers)], title)
        for name, values in figures:
            table.add_row(name, *values)
        console.print(table)
    console.print(_by_wiki(found))
    typer.echo(f"Figures in {json}, plots in {html}.")


def _table(head: Sequence[str], title: str) -> Table:
    """Return a table that breaks what is too wide for it: a cut interval would tell nothing."""
    return Table(*(Column(name, overflow="fold") for name in head), title=title)


def _by_wiki(report: "Report") -> Table:
    names = [each.name for each in report.scorers]
    table = _table(["Wiki", "Edits", "Reverted", *names], "Average precision by wiki")
    for wiki, first in report.scorers[0].wikis.items():
        if first is None:
            table.add_row(wiki, "-", "-", *("one class only" for _ in names))
            continue
        every = [each.wikis[wiki] for each in report.scorers]
        shown = [f"{each.average_precision.value:.3f}" if each else "-" for each in every]
        table.add_row(wiki, f"{first.edits:,}", f"{first.reverted:,}", *shown)
    return table
