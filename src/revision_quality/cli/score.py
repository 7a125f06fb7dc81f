"""`revq score`: one-off scores of a wiki's revisions, or of a file of revisions."""

import asyncio
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import msgspec
import typer
from rich.console import Console
from rich.progress import Progress

from revision_quality.bulk.engine import EngineChoice, EngineName
from revision_quality.bulk.files import is_parquet
from revision_quality.cli.dumps import (
    PARTIAL_HELP,
    WIKI_ID_HELP,
    check_dump,
    dump_site,
    is_dump,
    opened_dump,
)
from revision_quality.cli.wikis import first_contact, http_client, open_api
from revision_quality.errors import InvalidRevisionError, SettingsError
from revision_quality.events.page_change import PageChange
from revision_quality.models.base import Prediction, Unscored
from revision_quality.models.revert_risk import RevertRisk
from revision_quality.scoring.backfill import batches, judge
from revision_quality.scoring.not_scored import NotScored
from revision_quality.scoring.rules import not_scorable
from revision_quality.scoring.scorer import Scorer
from revision_quality.settings import Wiki
from revision_quality.sources.wiki_edits import WikiEdits
from revision_quality.wiki.reader import ApiReader
from revision_quality.wiki.revision_data import RevisionData, read_revision_data

_LINES_AT_ONCE = 100
"""Lines read, scored and written together."""

_REVISIONS_AT_ONCE = 25

Answer = dict[str, Any]


def score(
    revisions: Annotated[list[int] | None, typer.Argument(help="Revision ids.")] = None,
    *,
    wiki: Annotated[str | None, typer.Option(help="Address of the wiki's api.php.")] = None,
    file: Annotated[
        Path | None,
        typer.Option(
            help="Lift Wing revision_data objects, one a line, - for standard input;"
            " or an XML history dump (*.xml, .bz2, .gz, .xz, .7z)."
            " With --output also *.parquet, a folder, or a pattern in quotes."
        ),
    ] = None,
    model: Annotated[Path | None, typer.Option(help="Model file; else the package's.")] = None,
    wiki_id: Annotated[str | None, typer.Option(help=WIKI_ID_HELP)] = None,
    partial: Annotated[bool, typer.Option("--partial", help=PARTIAL_HELP)] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            help="Folder for Parquet instead: many workers, and a repetition goes on where it was."
        ),
    ] = None,
    engine: Annotated[
        EngineName | None, typer.Option(help="The workers: processes here, or Ray.")
    ] = None,
    address: Annotated[
        str | None,
        typer.Option(help="Of a Ray cluster, host:port; else RAY_ADDRESS, else this machine."),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Number of workers on this machine; else its cores.")
    ] = None,
) -> None:
    """Print a Lift Wing response for each revision, one a line, in order, errors included."""
    if output is not None:
        if file is None or wiki is not None or revisions:
            raise SettingsError("--output goes with --file, the edits to score in bulk")
        choice = EngineChoice(engine or EngineName.LOCAL, address, workers)
        _score_in_bulk(file, output, model, choice, wiki_id, is_partial=partial)
        return
    if engine or address or workers:
        raise SettingsError("--engine, --address and --workers go with --output FOLDER")
    if file is not None and (file.is_dir() or is_parquet(file)):
        raise SettingsError(f"{file} is scored in bulk: give --output FOLDER too")
    if (wiki is None) == (file is None):
        raise SettingsError("give --wiki URL and revision ids, or --file F")
    if file is not None and revisions:
        raise SettingsError("revision ids go with --wiki, not with --file")
    if wiki is not None and not revisions:
        raise SettingsError("give the revision ids to score behind --wiki URL")
    if (wiki_id is not None or partial) and (file is None or not is_dump(file)):
        raise SettingsError("--wiki-id and --partial go with an XML dump as --file")
    if file is not None and is_dump(file):
        check_dump(file)
    scorer = RevertRisk.load(model)
    if wiki is not None:
        asyncio.run(_score_wiki(scorer, wiki, revisions or []))
    elif file is not None and is_dump(file):
        asyncio.run(_score_dump(scorer, file, wiki_id, is_partial=partial))
    elif file is not None:
        _score_file(scorer, file)


def _score_in_bulk(
    file: Path,
    output: Path,
    model: Path | None,
    engine: EngineChoice,
    wiki_id: str | None,
    *,
    is_partial: bool,
) -> None:
    try:
        from revision_quality.cli.bulk import score_in_bulk  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise SettingsError(
            f"--output needs the package {error.name}: install it with"
            " `pip install 'revision-quality[bulk]'`"
        ) from error
    score_in_bulk(file, output, model, engine, wiki_id, is_partial=is_partial)


def _score_file(model: RevertRisk, path: Path) -> None:
    with ExitStack() as stack:
        try:
            lines: BinaryIO = (
                sys.stdin.buffer if str(path) == "-" else stack.enter_context(path.open("rb"))
            )
        except OSError as error:
            raise SettingsError(f"file {path} cannot be read ({error.strerror})") from error
        is_shown = sys.stderr.isatty() and not sys.stdout.isatty()
        progress = stack.enter_context(Progress(console=Console(stderr=True), disable=not is_shown))
        task = progress.add_task("lines scored", total=None)
        for part in _parts(lines):
            _print(score_lines(model, part))
            progress.advance(task, len(part))


def score_lines(model: RevertRisk, lines: Sequence[bytes]) -> list[Answer]:
    """Return one Lift Wing response for each line, in their order."""
    read = [_read_line(line) for line in lines]
    data = [item for item in read if isinstance(item, RevisionData)]
    scores = iter(model.score([item.revision for item in data]))
    return [
        _answer(model, item.revision.wiki_id, item.rev_id, next(scores))
        if isinstance(item, RevisionData)
        else item
        for item in read
    ]


def _read_line(line: bytes) -> RevisionData | Answer:
    try:
        value = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return {"error": f"Unrecognized request format: {error}"}
    if isinstance(value, dict) and isinstance(value.get("revision_data"), dict):
        value = value["revision_data"]
    try:
        return read_revision_data(value)
    except InvalidRevisionError as error:
        return {"detail": str(error)}


async def _score_dump(
    model: RevertRisk, path: Path, wiki_id: str | None, *, is_partial: bool
) -> None:
    site = dump_site(path, wiki_id)
    scorer = Scorer(model)
    with opened_dump(path, site, is_partial=is_partial) as edits:
        for batch in batches(edits):
            outcomes = await judge(scorer, batch)
            _print(
                _answer(model, site.wiki_id, edit.change.revision.rev_id, outcome)
                for edit, outcome in zip(batch, outcomes, strict=True)
            )


async def _score_wiki(model: RevertRisk, url: str, rev_ids: list[int]) -> None:
    async with http_client() as client:
        api = open_api(Wiki(api=url), client)
        info = await first_contact(api)
        reader, edits = ApiReader(api, info.batch), WikiEdits(api, info)
        for start in range(0, len(rev_ids), _REVISIONS_AT_ONCE):
            part = rev_ids[start : start + _REVISIONS_AT_ONCE]
            known = await edits.read(part)
            scorable = [change for change in known.values() if not_scorable(change) is None]
            outcomes = await Scorer(model).score(reader, scorable)
            scored = {
                change.revision.rev_id: outcome
                for change, outcome in zip(scorable, outcomes, strict=True)
            }
            _print(
                _answer(model, info.site.wiki_id, rev_id, scored[rev_id])
                if rev_id in scored
                else _refusal(rev_id, known.get(rev_id))
                for rev_id in part
            )


def _refusal(rev_id: int, change: PageChange | None) -> Answer:
    refusal = not_scorable(change) if change else None
    if refusal is None:
        return _error(rev_id, "revision_missing", f"The wiki has no revision {rev_id}.")
    return _error(rev_id, refusal.reason, refusal.message)


def _answer(
    model: RevertRisk, wiki_id: str, rev_id: int, outcome: Prediction | Unscored | NotScored
) -> Answer:
    if not isinstance(outcome, Prediction):
        return _error(rev_id, outcome.reason, outcome.message)
    return {
        "model_name": model.name,
        "model_version": model.version,
        "wiki_db": wiki_id,
        "revision_id": rev_id,
        "output": {
            "prediction": outcome.prediction,
            "probabilities": {"true": outcome.score, "false": 1 - outcome.score},
        },
    }


def _error(rev_id: int, reason: str, message: str) -> Answer:
    return {
        "detail": f"Could not make prediction for revision {rev_id}. Reason: {reason}. {message}",
        "revision_id": rev_id,
    }


def _parts(lines: Iterable[bytes]) -> Iterator[list[bytes]]:
    full = (line for line in lines if line.strip())
    while part := list(islice(full, _LINES_AT_ONCE)):
        yield part


def _print(answers: Iterable[Answer]) -> None:
    for answer in answers:
        sys.stdout.write(msgspec.json.encode(answer).decode() + "\n")
    sys.stdout.flush()
