"""`revq backfill`: edits of the past into the streams, from a dump or from the wikis."""

import asyncio
import hashlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated, NamedTuple

import typer
from msgspec.structs import replace

from revision_quality.cli.backfill_wikis import backfill_wikis
from revision_quality.cli.dumps import (
    PARTIAL_HELP,
    WIKI_ID_HELP,
    check_dump,
    dump_site,
    opened_dump,
)
from revision_quality.cli.span import since_of
from revision_quality.clock import system_clock
from revision_quality.errors import SettingsError, StoreError
from revision_quality.models.base import Model
from revision_quality.models.revert_risk import RevertRisk
from revision_quality.scoring.backfill import Backfill
from revision_quality.settings import Settings, check_settings, load_settings
from revision_quality.sites import Site
from revision_quality.sources.dump import DumpEdit
from revision_quality.streams.sqlite import SqliteStreams

DEFAULT_FILE = Path("revq.toml")


def backfill(
    dump: Annotated[
        Path | None, typer.Argument(help="A dump: *.xml, .bz2, .gz, .xz, .7z; else the wikis.")
    ] = None,
    config: Annotated[
        Path | None, typer.Argument(help="Settings file; revq.toml if it is here.")
    ] = None,
    *,
    data: Annotated[Path | None, typer.Option(help="Data folder, instead of the file's.")] = None,
    model: Annotated[
        str | None,
        typer.Option(help="Of a dump: model file. Of the wikis: whose scores are lacking."),
    ] = None,
    since: Annotated[
        str | None, typer.Option(help="Only edits since that day (UTC), 2026-01-31, or 30d, 12h.")
    ] = None,
    wiki: Annotated[str | None, typer.Option(help="Only this one of the wikis.")] = None,
    wiki_id: Annotated[str | None, typer.Option(help=WIKI_ID_HELP)] = None,
    partial: Annotated[bool, typer.Option("--partial", help=PARTIAL_HELP)] = False,
) -> None:
    """Bring edits of the past into the streams, from the wikis or from an XML dump.

    It goes on where it was ended, and may run beside `revq run` on the same data folder.
    """
    if dump is not None and dump.suffix == ".toml":
        dump, config = None, dump
    settings = load_settings(config or DEFAULT_FILE) if config or DEFAULT_FILE.exists() else None
    settings = settings or Settings()
    moment = since_of(since, system_clock.now()) if since else None
    if dump is not None:
        check_dump(dump)
        moment = moment and moment.replace(hour=0, minute=0, second=0, microsecond=0)
        file = Path(model) if model else None
        folder = data or settings.data
        streams = folder / "streams.sqlite" if data else settings.streams_file
        scorer = RevertRisk.load(file)
        site = dump_site(dump, wiki_id)
        _of_dump(_Dump(dump, site, partial, moment), folder, streams, scorer)
        return
    if since is None or moment is None:
        raise SettingsError("how far back? give --since 30d, or the file of a dump")
    settings = settings if data is None else replace(settings, data_folder=str(data))
    check_settings(settings)
    work = backfill_wikis(settings, since, moment, model=model, wiki_id=wiki)
    for line in asyncio.run(work):
        typer.echo(line)


class _Dump(NamedTuple):
    file: Path
    site: Site
    is_partial: bool
    since: datetime | None

    @property
    def name(self) -> str:
        """What a repetition is known by."""
        size = self.file.stat().st_size
        key = f"{self.file.absolute()}\n{size}\n{self.site.wiki_id}\n{self.since}"
        return hashlib.sha256(key.encode()).hexdigest()[:16]


def _of_dump(dump: _Dump, folder: Path, streams_file: Path, model: Model) -> None:
    with opened_dump(dump.file, dump.site, is_partial=dump.is_partial) as edits:
        name = f"{dump.name} {model.name} {model.version}"
        done = asyncio.run(_backfill(streams_file, model, name, _since(edits, dump.since)))
    typer.echo(f"{dump.site.wiki_id}: {done} They are in the streams in {folder.absolute()}.")


async def _backfill(streams_file: Path, model: Model, dump: str, edits: Iterator[DumpEdit]) -> str:
    try:
        streams_file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"data folder {streams_file.parent} cannot be written ({error.strerror}):"
            " choose another with --data or data_folder"
        ) from error
    streams = SqliteStreams(streams_file)
    try:
        filling = Backfill(streams, model, dump)
        await filling.run(edits)
    finally:
        await streams.close()
    return _summary(filling)


def _summary(filling: Backfill) -> str:
    names = {
        "scored": "scored",
        "not_scorable": "not scorable",
        "failed": "failed",
        "known": "dealt with before",
    }
    parts = [f"{filling.done[key]:,} {text}" for key, text in names.items() if filling.done[key]]
    return f"{filling.done.total():,} edits: {', '.join(parts)}." if parts else "no further edits."


def _since(edits: Iterator[DumpEdit], day: datetime | None) -> Iterator[DumpEdit]:
    return (edit for edit in edits if day is None or edit.change.dt >= day)
