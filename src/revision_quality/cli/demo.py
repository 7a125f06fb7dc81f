"""`revq demo`: real edits replayed on this machine."""

import os
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from revision_quality.cli.display import Bar, show_until
from revision_quality.cli.listening import listen
from revision_quality.cli.lock import locked
from revision_quality.cli.loop import run_loop
from revision_quality.cli.parts import Parts
from revision_quality.cli.service import Service, run_service, until_signal
from revision_quality.demo import sample_edits
from revision_quality.demo.reader import SampleReader
from revision_quality.models.revert_risk import RevertRisk
from revision_quality.scoring.model_rule import ModelRule
from revision_quality.scoring.on_request import AskedWiki
from revision_quality.settings import Settings, Web
from revision_quality.sites import site_of
from revision_quality.sources.replay import ReplaySource, ReplayState
from revision_quality.state_file import StateFile

SPEED = 50_000.0
"""A day of the sample, some eight edits, takes 1.7 seconds; the whole year ten minutes."""


def demo(
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port of the page; 0 takes any that is free.")
    ] = 8080,
    host: Annotated[str, typer.Option(help="Address to serve on.")] = "127.0.0.1",
    speed: Annotated[
        float,
        typer.Option(min=0, help="How many times faster than it happened; 0: at once."),
    ] = SPEED,
    data: Annotated[
        Path | None,
        typer.Option(help="Data folder, to go on where a demo ended; else a temporary one."),
    ] = None,
    opens: Annotated[
        bool | None, typer.Option("--open/--no-open", help="Open the page in a browser.")
    ] = None,
) -> None:
    """Replay real edits of fourteen Wikipedias, scored on this machine, and serve the page."""
    with ExitStack() as stack:
        folder = data or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="revq-demo-")))
        stack.enter_context(locked(folder))
        listening = stack.enter_context(listen(host, port))
        settings = Settings(data_folder=str(folder), web=Web(host=host, port=port))
        model = RevertRisk.load()
        reader = SampleReader(sample_edits())
        source = ReplaySource(reader.changes, speed, StateFile(folder / "replay.json", ReplayState))
        parts = Parts(
            sources=lambda: [source],
            rules=[ModelRule(model=model, levels=model.levels)],
            wikis={
                wiki_id: AskedWiki(reader.edits(wiki_id), reader, reader.diffs(wiki_id))
                for wiki_id in reader.wiki_ids
            },
            site_of=site_of,
            is_kept=True,
        )

        async def watch(service: Service) -> None:
            typer.echo(f"Recent changes: {service.url}recent-changes   (Ctrl+C ends)")
            if _has_browser() if opens is None else opens:
                typer.launch(service.url)
            bar = lambda: [Bar("edits replayed", source.emitted, source.total)]  # noqa: E731
            await show_until(until_signal(), service, bar, Console(), counted=True)

        run_loop(run_service(settings, parts, listening, watch))


def _has_browser() -> bool:
    """Tell whether somebody sits at a desktop; a browser in the terminal helps nobody."""
    has_desktop = sys.platform in ("darwin", "win32") or any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY")
    )
    return has_desktop and sys.stdout.isatty()
