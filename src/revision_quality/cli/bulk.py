"""`revq score --output`: whole histories, in partitions, into a folder of Parquet parts."""

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from hashlib import sha256
from pathlib import Path

import typer
from msgspec import Struct
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from revision_quality.bulk.cutting import cut
from revision_quality.bulk.engine import Engine, EngineChoice, EngineName
from revision_quality.bulk.files import find_files, identify, is_parquet
from revision_quality.bulk.manifest import Manifest, check, save
from revision_quality.bulk.partition import Partition
from revision_quality.bulk.parts import Parts
from revision_quality.bulk.processes import processes
from revision_quality.bulk.ray_cluster import LOCAL, ray_cluster
from revision_quality.bulk.run import Bulk, Stage, Tell
from revision_quality.bulk.work import Done, Failed, ModelFile, Result
from revision_quality.errors import BulkError, SettingsError
from revision_quality.models.artifact import load
from revision_quality.models.revert_risk import RevertRisk, read_model_file
from revision_quality.views.change import State


class _Plan(Struct, frozen=True, kw_only=True):
    """What is to be scored into where."""

    output: Path
    model: ModelFile
    manifest: Manifest
    partitions: list[Partition]
    counts_editors: bool


def score_in_bulk(
    given: Path,
    output: Path,
    model: Path | None,
    choice: EngineChoice,
    wiki_id: str | None,
    *,
    is_partial: bool,
) -> None:
    """Score a file, a folder or a pattern into parts, and say what became of the edits.

    Raises BulkError in the end where partitions could not be scored; the others are.
    """
    engine = open_engine(choice)
    plan = _plan(given, output.absolute(), ModelFile(*read_model_file(model)), wiki_id, is_partial)
    check(plan.output, plan.manifest)
    parts = Parts(plan.output)
    missing = {one.number for one in parts.missing(plan.partitions)}
    before = sum(parts.rows(one.number) for one in plan.partitions if one.number not in missing)
    results = _score(plan, engine) if missing else []
    typer.echo(f"{_summary(results, before)} They are in {plan.output}.")
    failures = [result.message for result in results if isinstance(result, Failed)]
    if failures:
        raise BulkError(
            f"{len(failures)} of {len(plan.partitions)} partitions are not scored; the first:"
            f" {failures[0]}"
        )


def _plan(
    given: Path, output: Path, model: ModelFile, wiki_id: str | None, is_partial: bool
) -> _Plan:
    files = [(path, identify(path)) for path in find_files(given)]
    has_parquet = any(is_parquet(path) for path, _ in files)
    if has_parquet and (wiki_id is not None or is_partial):
        raise SettingsError("--wiki-id and --partial go with XML dumps, not with Parquet")
    scorer = RevertRisk(load(model.data, model.name))
    partitions = cut(files, wiki_id)
    manifest = Manifest(
        model_name=scorer.name,
        model_version=scorer.version,
        model_digest=sha256(model.data).hexdigest(),
        wiki_id=wiki_id,
        is_partial=is_partial,
        partitions=len(partitions),
        files=tuple(source for _, source in files),
    )
    return _Plan(
        output=output,
        model=model,
        manifest=manifest,
        partitions=partitions,
        counts_editors=not has_parquet and not is_partial,
    )


def _score(plan: _Plan, engine: AbstractContextManager[Engine]) -> list[Result]:
    with engine as workers, _bars() as tell:
        bulk = Bulk(plan.output, workers, tell)
        editors = bulk.count_editors(plan.partitions) if plan.counts_editors else {}
        save(plan.output, plan.manifest)
        return bulk.score(plan.partitions, plan.model, editors)


def open_engine(choice: EngineChoice) -> AbstractContextManager[Engine]:
    """Return the engine of a choice, to be opened. Raises SettingsError."""
    if choice.name is EngineName.LOCAL:
        if choice.address is not None:
            raise SettingsError("--address goes with --engine ray")
        return processes(choice.workers)
    address = choice.address or os.environ.get("RAY_ADDRESS") or LOCAL
    if choice.workers is not None and address != LOCAL:
        raise SettingsError("--workers are those of this machine; a cluster has as many as cores")
    return ray_cluster(address, choice.workers)


@contextmanager
def _bars() -> Iterator[Tell]:
    """Show a bar for each stage on a terminal: its length is in bytes, beside it partitions."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[parts]}"),
        TimeRemainingColumn(),
    )
    tasks: dict[str, TaskID] = {}
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:

        def tell(stage: Stage) -> None:
            if stage.name not in tasks:
                tasks[stage.name] = progress.add_task(stage.name, total=None, parts="")
            progress.update(
                tasks[stage.name],
                description=f"{stage.edits:,} {stage.name}" if stage.edits else stage.name,
                completed=stage.bytes_done,
                total=stage.bytes_total,
                parts=f"{stage.done:,}/{stage.total:,}",
            )

        yield tell


def _summary(results: Iterable[Result], before: int) -> str:
    edits: Counter[str] = Counter()
    for result in results:
        if isinstance(result, Done):
            edits.update(result.edits)
    counts = [
        *((edits[state], state.replace("_", " ")) for state in State if edits[state]),
        *([(before, "dealt with before")] if before else []),
    ]
    parts = ", ".join(f"{number:,} {text}" for number, text in counts)
    return f"{edits.total() + before:,} edits: {parts}." if parts else "no edits."
