"""`revq run`: everything for the configured wikis."""

import asyncio
import socket
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer
from msgspec.structs import replace
from rich.console import Console

from revision_quality.cli.display import Bar, show_until
from revision_quality.cli.lock import locked
from revision_quality.cli.service import Parts, Service, listen, run_service, until_signal
from revision_quality.cli.wikis import ConnectedWiki, connect, http_client
from revision_quality.errors import SettingsError
from revision_quality.models.registry import DEFAULT_KIND, levels_of, open_model
from revision_quality.scoring.on_request import AskedWiki
from revision_quality.settings import Settings, Wiki, check_settings, load_settings
from revision_quality.sources.event_bus import EventBusSource
from revision_quality.sources.polling import PollingSource, PollingState
from revision_quality.sources.wiki_edits import WikiEdits
from revision_quality.state_file import StateFile
from revision_quality.wiki.reader import ApiReader

DEFAULT_FILE = Path("revq.toml")

WORTH_A_BAR = 180.0
"""Seconds to catch up with; on a busy wiki one answer may not reach through the overlap either."""


def run(
    config: Annotated[
        Path | None, typer.Argument(help="Settings file; revq.toml if it is here.")
    ] = None,
    wiki: Annotated[
        list[str] | None, typer.Option(help="Address of a wiki's api.php, instead of a file.")
    ] = None,
    data: Annotated[Path | None, typer.Option(help="Data folder, instead of the file's.")] = None,
    host: Annotated[str | None, typer.Option(help="Address to serve on.")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port of the page; 0: any that is free.")
    ] = None,
) -> None:
    """Poll wikis, score every edit once, and serve recent changes."""
    settings = _settings(config, wiki or [])
    settings = replace(
        settings,
        data_folder=str(data or settings.data_folder),
        web=replace(
            settings.web,
            host=settings.web.host if host is None else host,
            port=settings.web.port if port is None else port,
        ),
    )
    check_settings(settings)
    with ExitStack() as stack:
        stack.enter_context(locked(settings.data))
        listening = stack.enter_context(listen(settings.web.host, settings.web.port))
        asyncio.run(_run(settings, listening))


def _settings(config: Path | None, apis: list[str]) -> Settings:
    if apis and config:
        raise SettingsError("give a settings file or --wiki, not both")
    if apis:
        return Settings(wikis=tuple(Wiki(api=api) for api in apis))
    if config is None and not DEFAULT_FILE.exists():
        raise SettingsError(
            "no wiki to score: give --wiki https://example.org/w/api.php,"
            " or a settings file made by `revq init`"
        )
    return load_settings(config or DEFAULT_FILE)


async def _run(settings: Settings, listening: socket.socket) -> None:
    async with http_client() as client:
        options = dict(settings.model)
        model = open_model(options.pop("kind", DEFAULT_KIND), options, client)
        wikis = await connect(settings.wikis, client, settings.data)
        sources = {wiki.info.site.wiki_id: _source(settings, wiki) for wiki in wikis}
        asked = {wiki.info.site.wiki_id: _asked(wiki) for wiki in wikis}
        sites = {wiki.info.site.wiki_id: wiki.info.site for wiki in wikis}
        parts = Parts(
            sources=[EventBusSource(source) for source in sources.values()],
            model=model,
            levels=levels_of(model),
            wikis=asked,
            site_of=sites.get,
        )

        def bars() -> list[Bar]:
            return [
                Bar(f"catching up with {wiki_id}", progress.done, progress.total)
                for wiki_id, source in sources.items()
                if (progress := source.catch_up) and progress.total > WORTH_A_BAR
            ]

        async def watch(service: Service) -> None:
            for wiki in wikis:
                site = wiki.info.site
                typer.echo(f"{site.name} ({site.wiki_id}), {wiki.info.generator}")
            typer.echo(f"Data folder: {settings.data.absolute()}")
            typer.echo(f"Recent changes: {service.url}recent-changes   (Ctrl+C ends)")
            await show_until(until_signal(), service, bars, Console(), counted=False)

        await run_service(settings, parts, listening, watch)


def _asked(wiki: ConnectedWiki) -> AskedWiki:
    return AskedWiki(WikiEdits(wiki.api, wiki.info), ApiReader(wiki.api, wiki.info.batch))


def _source(settings: Settings, wiki: ConnectedWiki) -> PollingSource:
    store = StateFile(settings.data / "polling" / f"{wiki.info.site.wiki_id}.json", PollingState)
    return PollingSource(
        wiki.api,
        wiki.info,
        store,
        interval=wiki.settings.interval,
        overlap=wiki.settings.overlap,
    )
