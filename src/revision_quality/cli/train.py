"""`revq train`: labelled edits, dumps or a wiki in, a model file out."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ParamSpec, TypeVar

import msgspec
import typer
from msgspec import Struct
from rich.console import Console
from rich.progress import Progress, TaskID

from revision_quality.cli.wikis import first_contact, http_client, open_api
from revision_quality.errors import ModelError, SettingsError
from revision_quality.models.artifact import dump, write_atomically
from revision_quality.settings import Wiki
from revision_quality.training.labelled import LabelledEdit
from revision_quality.training.sources import is_wiki, read_edits, training_files, work
from revision_quality.training.wiki_histories import Span, Step, labelled_edits_of_wiki

if TYPE_CHECKING:
    from revision_quality.training.evaluate import Report
    from revision_quality.training.examples import Examples

P = ParamSpec("P")
R = TypeVar("R")

MAX_VERSION = 32
FEWEST_REVERTED = 20
"""With fewer, one edit more or less moves every level: each is 5 % of the recall or more."""

DATA_HELP = (
    "Labelled edits (*.jsonl.xz) or XML history dumps (*.xml.bz2, .gz, .xz, .7z), a file or a"
    " folder; or the address of a wiki's api.php."
)
SINCE_HELP = "Of a wiki: only edits since that day (UTC), as 2026-01-31."
EDITS_HELP = "Of a wiki: read pages, drawn at random, until so many edits count."
WIKI_ID_HELP = "The wiki_id of dumps that do not name their wiki."
TOKEN_HELP = (
    "Environment variable with an OAuth 2 access token, for a wiki that only its users read."  # noqa: S105
)


class Choice(Struct, frozen=True, kw_only=True):
    """Which edits to take: `data` is a path or the address of an API."""

    data: str
    wiki_id: str | None = None
    since: datetime | None = None
    edits: int | None = None
    token_env: str | None = None


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


def progress_bars() -> Progress:
    """Return the bars, on standard error; without a terminal there are none."""
    console = Console(stderr=True)
    return Progress(console=console, disable=not console.is_terminal)


def read_examples(choice: Choice, progress: Progress, *, with_peer: bool = False) -> "Examples":
    """Read labelled edits and compute their features.

    Raises ModelError, DumpError, WikiError, and SettingsError for options that do not go together.
    """
    from revision_quality.training import examples  # noqa: PLC0415 (needs the extra)

    if is_wiki(choice.data):
        if choice.wiki_id is not None:
            raise SettingsError("--wiki-id goes with dumps; a wiki says itself who it is.")
        edits = _in_turn(_edits_of_wiki(choice, _Bars(progress).show))
        return examples.to_examples(edits, with_peer=with_peer)
    if choice.since is not None or choice.edits is not None or choice.token_env is not None:
        raise SettingsError(
            "--since, --edits and --access-token-env go with the address of a wiki's api.php,"
            f" and {choice.data} is none."
        )
    files = training_files(Path(choice.data))
    reading = progress.add_task("Features", total=sum(map(work, files)))
    parts: list[Examples] = []
    before = 0
    for path in files:
        tick = _after(progress, reading, before)
        edits = read_edits(path, wiki_id=choice.wiki_id, tick=tick)
        parts.append(examples.to_examples(edits, with_peer=with_peer))
        before += work(path)
    return examples.join(parts)


def _after(progress: Progress, task: TaskID, before: int) -> Callable[[int], None]:
    return lambda done: progress.update(task, completed=before + done)


class _Bars:
    """A bar for each step, in the order in which they come."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tasks: dict[str, TaskID] = {}

    def show(self, step: Step) -> None:
        """Show how far a step is."""
        if step.name not in self._tasks:
            self._tasks[step.name] = self._progress.add_task(step.name, total=step.total)
        self._progress.update(self._tasks[step.name], completed=step.done, total=step.total)


async def _edits_of_wiki(
    choice: Choice, tick: Callable[[Step], None]
) -> AsyncIterator[LabelledEdit]:
    async with http_client() as client:
        api = open_api(Wiki(api=choice.data, access_token_env=choice.token_env), client)
        info = await first_contact(api)
        span = Span(since=choice.since and choice.since.replace(tzinfo=UTC), edits=choice.edits)
        async for edit in labelled_edits_of_wiki(api, info.site.wiki_id, span=span, tick=tick):
            yield edit


def _in_turn(edits: AsyncIterator[LabelledEdit]) -> Iterator[LabelledEdit]:
    """Take edits one by one, in a loop that runs while the next one is waited for."""

    async def following() -> LabelledEdit | None:
        return await anext(edits, None)

    with asyncio.Runner() as runner:
        while (edit := runner.run(following())) is not None:
            yield edit


def _read_report(path: Path | None) -> "Report | None":
    from revision_quality.training.evaluate import Report  # noqa: PLC0415 (needs the extra)

    if path is None:
        return None
    try:
        return msgspec.json.decode(path.read_bytes(), type=Report)
    except OSError as error:
        raise SettingsError(f"--evaluation {path}: cannot be read ({error.strerror}).") from error
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"--evaluation {path}: holds no figures of `revq evaluate` ({error}); give the file"
            " that it wrote with --json."
        ) from error


def check_places(*outputs: Path) -> None:
    """Raise SettingsError where a file cannot be written: before the work, which takes minutes."""
    for path in outputs:
        folder = path.parent
        if path.is_dir():
            raise SettingsError(f"{path} is a folder; give the name of a file to write.")
        if not folder.is_dir():
            raise SettingsError(f"{path}: there is no folder {folder}; make it first.")
        if not os.access(path if path.exists() else folder, os.W_OK):
            raise SettingsError(f"{path} cannot be written; choose another place.")


def _check_enough(examples: "Examples", data: str) -> None:
    reverted = int(examples.labels.sum())
    if reverted < FEWEST_REVERTED:
        raise ModelError(
            f"{data}: only {reverted} of its {len(examples.labels):,} labelled edits were reverted,"
            f" and training needs at least {FEWEST_REVERTED}; give more edits."
        )


@needs_training_extra
def train(
    data: Annotated[str, typer.Argument(help=DATA_HELP)],
    *,
    since: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help=SINCE_HELP)] = None,
    edits: Annotated[int | None, typer.Option(min=1, help=EDITS_HELP)] = None,
    access_token_env: Annotated[str | None, typer.Option(help=TOKEN_HELP)] = None,
    wiki_id: Annotated[str | None, typer.Option(help=WIKI_ID_HELP)] = None,
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
    """Train a model from labelled edits; calibrate it on edits left out; write its card."""
    from revision_quality.training import card, fit  # noqa: PLC0415 (needs the extra)
    from revision_quality.training.boost import Settings  # noqa: PLC0415

    if not 0 < len(version) <= MAX_VERSION:
        raise SettingsError(
            f"--version {version!r}: give 1 to {MAX_VERSION} characters, the width of the column"
            " in MediaWiki's ORES tables."
        )
    described = out.with_suffix(".md")
    check_places(out, described)
    measured = _read_report(evaluation)
    choice = Choice(
        data=data, wiki_id=wiki_id, since=since, edits=edits, token_env=access_token_env
    )
    with progress_bars() as progress:
        examples = read_examples(choice, progress)
        _check_enough(examples, data)
        growing = progress.add_task("Trees", total=fit.steps(folds))
        artifact = fit.fit(
            examples,
            version,
            Settings(seed=seed, threads=threads),
            folds=folds,
            tick=lambda: progress.advance(growing),
        )
        progress.update(growing, completed=fit.steps(folds))
    write(out, dump(artifact))
    write(described, card.card(artifact, examples, measured).encode())
    reverted = int(examples.labels.sum())
    typer.echo(f"Trained on {len(examples.labels):,} edits, {reverted:,} of them reverted.")
    typer.echo(f"Model {artifact.header.version} in {out}, its card in {described}.")


def write(path: Path, data: bytes) -> None:
    """Put a file in place at once. Raises SettingsError."""
    try:
        write_atomically(path, data)
    except OSError as error:
        raise SettingsError(f"{path} cannot be written ({error.strerror}).") from error
