"""`revq replay`: failed and unreadable edits, or a span of time, through scoring again."""

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from revision_quality.clock import system_clock
from revision_quality.errors import SettingsError
from revision_quality.events.streams import PREDICTION_ERROR
from revision_quality.scoring.replay import REPLAYED, Replayed, Span
from revision_quality.scoring.replay import replay as replay_span
from revision_quality.settings import Settings, load_settings, sqlite_file
from revision_quality.streams.opening import is_kafka, open_streams
from revision_quality.web.stream_positions import InvalidPositionError, parse_moment

DEFAULT_FILE = Path("revq.toml")


def replay(
    config: Annotated[
        Path | None, typer.Argument(help="Settings file; revq.toml if it is here.")
    ] = None,
    *,
    start: Annotated[
        str, typer.Option("--from", help="First moment: 2026-11-23T08:00:00Z or Unix ms.")
    ] = "0",
    to: Annotated[str | None, typer.Option(help="Moment to end before; now by default.")] = None,
    stream: Annotated[
        str, typer.Option(help=f"Stream to read: {', '.join(REPLAYED)}.")
    ] = PREDICTION_ERROR,
    reason: Annotated[
        str | None, typer.Option(help="Only what failed for this reason, such as unknown_wiki.")
    ] = None,
    data: Annotated[Path | None, typer.Option(help="Data folder, instead of the file's.")] = None,
) -> None:
    """Put failed edits, unreadable events or a span of time through scoring again."""
    if stream not in REPLAYED:
        raise SettingsError(
            f"--stream {stream} holds no edits to replay: choose one of {', '.join(REPLAYED)}"
        )
    now = system_clock.now()
    end = _moment("--to", to) if to else int(now.timestamp() * 1000) + 1
    span = Span(stream, _moment("--from", start), end, reason)
    done = asyncio.run(_replay(_settings(config, data), span, now))
    typer.echo(f"{done.edits:,} edits go through scoring again.")
    if done.unreadable:
        typer.echo(f"{done.unreadable:,} events still cannot be read; they stay where they are.")


def _settings(config: Path | None, data: Path | None) -> Settings:
    if data is not None and config is None:
        return Settings(data_folder=str(data))
    settings = load_settings(config or DEFAULT_FILE)
    if data is not None:
        raise SettingsError("give a settings file or --data, not both")
    return settings


def _moment(option: str, text: str) -> int:
    try:
        return parse_moment(text)
    except InvalidPositionError as error:
        raise SettingsError(
            f"{option} is no time: {text[:100]!r}; give 2026-11-23T08:00:00Z or Unix milliseconds"
        ) from error


async def _replay(settings: Settings, span: Span, now: datetime) -> Replayed:
    url = settings.streams.url
    file = settings.data / "streams.sqlite"
    if not is_kafka(url):
        file = sqlite_file(url, "streams.url") or file
        if not file.exists():
            raise SettingsError(f"there are no streams in {file}: give the settings of `revq run`")
    streams = open_streams(url, file, keep_days=settings.streams.keep_days)
    try:
        return await replay_span(streams, span, now.isoformat())
    finally:
        await streams.close()
