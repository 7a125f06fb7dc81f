"""`revq train`: labelled edits or histories in, a model file out."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ParamSpec, TypeVar

import msgspec
import typer
from rich.progress import Progress

from revision_quality.errors import SettingsError
from revision_quality.models.artifact import dump, write_atomically
from revision_quality.training.sources import read_edits, training_files

if TYPE_CHECKING:
    from revision_quality.training.evaluate import Report
    from revision_quality.training.examples import Examples

P = ParamSpec("P")
R = TypeVar("R")

MAX_VERSION = 32
DATA_HELP = "Labelled edits (*.jsonl.xz) or XML history dumps (*.xml.bz2): a file or a folder."


def needs_training_extra(verb: Callable[P, R]) -> Callable[P, R]:
    """Let `verb` say in one sentence which package is missing, where one is."""

    @wraps(verb)
    def checked(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return verb(*args, **kwargs)
        except ModuleNotFoundError as error:
            raise SettingsError(
                f"This needs the package {error.name}: install it with"
                " `pip install 'revision-quality[train]'`."
            ) from error

    return checked


def read_examples(files: list[Path], progress: Progress, *, with_peer: bool = False) -> "Examples":
    """Read labelled edits and compute their features, file by file."""
    from revision_quality.training import examples  # noqa: PLC0415 (needs the extra)

    reading = progress.add_task("Features", total=sum(path.stat().st_size for path in files))
    parts = []
    for path in files:
        parts.append(examples.to_examples(read_edits(path), with_peer=with_peer))
        progress.advance(reading, path.stat().st_size)
    return examples.join(parts)


def _read_report(path: Path | None) -> "Report | None":
    from revision_quality.training.evaluate import Report  # noqa: PLC0415 (needs the extra)

    if path is None:
        return None
    try:
        return msgspec.json.decode(path.read_bytes(), type=Report)
    except (OSError, msgspec.MsgspecError) as error:
        raise SettingsError(
            f"--evaluation {path}: no figures of `revq evaluate` ({error})."
        ) from error


@needs_training_extra
def train(
    data: Annotated[Path, typer.Argument(help=DATA_HELP)],
    *,
    out: Annotated[Path, typer.Option(help="Model file to write.")] = Path("model.npz"),
    version: Annotated[
        str, typer.Option(help=f"Version of the model, at most {MAX_VERSION} characters.")
    ] = "local",
    folds: Annotated[
        int, typer.Option(help="Groups of wikis to calibrate and measure levels on.", min=2)
    ] = 6,
    evaluation: Annotated[
        Path | None, typer.Option(help="Figures of `revq evaluate` for the model card.")
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed and data give the same file.")] = 1,
    threads: Annotated[int, typer.Option(help="Threads for growing trees.", min=1)] = 1,
) -> None:
    """Train a model from labelled edits; calibrate it on wikis left out; write its card."""
    from revision_quality.training import card, fit  # noqa: PLC0415 (needs the extra)
    from revision_quality.training.boost import Settings  # noqa: PLC0415

    if not 0 < len(version) <= MAX_VERSION:
        raise SettingsError(
            f"--version {version!r}: give 1 to {MAX_VERSION} characters, the width of the column"
            " in MediaWiki's ORES tables."
        )
    files = training_files(data)
    with Progress() as progress:
        examples = read_examples(files, progress)
        growing = progress.add_task("Trees", total=fit.steps(folds))
        artifact = fit.fit(
            examples,
            version,
            Settings(seed=seed, threads=threads),
            folds=folds,
            tick=lambda: progress.advance(growing),
        )
    write_atomically(out, dump(artifact))
    described = out.with_suffix(".md")
    described.write_text(card.card(artifact, examples, _read_report(evaluation)), "utf-8")
    typer.echo(f"Model {artifact.header.version} in {out}, its card in {described}.")
