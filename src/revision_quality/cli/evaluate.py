"""`revq evaluate`: how good a model is, beside the published recipe and a simple rule."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from revision_quality.cli.train import DATA_HELP, needs_training_extra, read_examples
from revision_quality.errors import SettingsError
from revision_quality.models.revert_risk import RevertRisk
from revision_quality.training.sources import training_files


class Split(StrEnum):
    """What the measured edits are held apart by."""

    WIKI = "wiki"
    TIME = "time"


@needs_training_extra
def evaluate(
    data: Annotated[Path, typer.Argument(help=DATA_HELP)],
    *,
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

    files = training_files(data)
    settings = Settings(threads=threads)
    with Progress() as progress:
        examples = read_examples(files, progress, with_peer=model is None)
        if model is not None:
            artifact = RevertRisk.load(model).artifact
            scores = {
                f"model {artifact.header.version}": artifact.calibration.apply(
                    artifact.trees.margins(examples.rows)
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
            growing = progress.add_task("Trees", total=len(masks) * (fit.INNER_FOLDS + 2))
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
            growing = progress.add_task("Trees", total=fit.steps(fit.INNER_FOLDS) + 1)
            scores = evaluating.before_and_after(
                examples, later, settings, lambda: progress.advance(growing)
            )
            setting = "The latest quarter of each wiki's edits, trained on what came before."
            measured = examples.only(later)
        measuring = progress.add_task("Figures", total=len(scores) + 1)
        found = evaluating.report(
            setting, scores, measured, resamples=resamples, tick=lambda: progress.advance(measuring)
        )
    json.write_bytes(msgspec.json.format(msgspec.json.encode(found)))
    html.write_text(page.render(found), "utf-8")
    table = Table("Figure", *(each.name for each in found.scorers), title=setting)
    for title, values in page.rows([each.all for each in found.scorers]):
        table.add_row(title, *values)
    Console().print(table)
    typer.echo(f"Figures in {json}, plots in {html}.")
